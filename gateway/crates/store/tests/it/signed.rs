//! What people write: who and why, tombstones, and requests that are answered once.

use renmen_schema::id::{RecordId, StreamName};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, ChangeKind, DeletedBy, Follow, Once, OnceKey, Signature, StoreError,
};

use crate::bed::on_both;
use crate::puller::tenant;

fn tag(external_id: &str, body: &str, expect: i64) -> AuthoredRecord {
    AuthoredRecord {
        entity: "tag".into(),
        external_id: external_id.into(),
        body: body.into(),
        deleted: None,
        causes: Vec::new(),
        expect: Some(expect),
        parents: Vec::new(),
    }
}

fn signature(person: &str) -> Signature {
    Signature { person: person.into(), key: "00ff".into(), reason: "因为".into() }
}

fn written(now_ms: i64, person: &str, record: AuthoredRecord) -> AuthoredCommit {
    AuthoredCommit {
        records: vec![record],
        signed: Some(signature(person)),
        ..AuthoredCommit::of(tenant(), StreamName::new("records").unwrap(), now_ms)
    }
}

fn once(name: &str, n: u8, until_ms: i64) -> Option<Once> {
    Some(Once { scope: "00ff".into(), name: name.into(), fingerprint: [n; 32], until_ms })
}

fn key<'a>(tenant: &'a renmen_schema::id::TenantId, name: &'a str) -> OnceKey<'a> {
    OnceKey { tenant, scope: "00ff", name }
}

on_both! {
    async fn each_revision_keeps_who_wrote_it_and_an_unchanged_one_makes_none(bed: &Bed) {
        let id = bed.store.author(written(1, "Li Na", tag("t", "{\"n\":1}", 0))).await.unwrap().ids[0];
        bed.store.author(written(2, "Wang Wei", tag("t", "{\"n\":1}", 1))).await.unwrap();
        bed.store.author(written(3, "Wang Wei", tag("t", "{\"n\":2}", 1))).await.unwrap();
        let signed = bed.store.signatures(&tenant(), id, 10).await.unwrap();
        let told: Vec<_> = signed.iter().map(|one| (one.revision, one.signature.person.as_str(), one.at_ms)).collect();
        assert_eq!(told, [(2, "Wang Wei", 3), (1, "Li Na", 1)]);
        assert_eq!(signed[1].signature, signature("Li Na"));
        assert_eq!(bed.store.signatures(&tenant(), id, 1).await.unwrap().len(), 1);
        let other = renmen_schema::id::TenantId::new("globex").unwrap();
        assert!(bed.store.signatures(&other, id, 10).await.unwrap().is_empty());
    }

    async fn a_tombstone_of_a_person_keeps_the_body_and_the_record_can_come_back(bed: &Bed) {
        let id = bed.store.author(written(1, "Li Na", tag("t", "{\"n\":1}", 0))).await.unwrap().ids[0];
        let gone = AuthoredRecord { deleted: Some(DeletedBy::Manual), body: Vec::new(), ..tag("t", "", 1) };
        let done = bed.store.author(written(2, "Li Na", gone.clone())).await.unwrap();
        assert_eq!((done.outcome.deleted, done.ids[0]), (1, id));
        let row = bed.store.record(&tenant(), id).await.unwrap().unwrap();
        assert_eq!((row.deleted, row.revision, row.body.as_slice()), (Some(DeletedBy::Manual), 2, b"{\"n\":1}".as_slice()));
        let changes = bed.store.changes(&tenant(), 0, Some("tag"), 10).await.unwrap();
        assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [ChangeKind::Created, ChangeKind::Deleted]);
        let counts = bed.store.counts(&tenant()).await.unwrap();
        assert_eq!((counts[0].live, counts[0].deleted), (0, 1));
        // Who did not see that it went is refused.
        assert!(matches!(bed.store.author(written(3, "Li Na", gone)).await, Err(StoreError::Fenced(_))));
        bed.store.author(written(4, "Li Na", tag("t", "{\"n\":1}", 2))).await.unwrap();
        let row = bed.store.record(&tenant(), id).await.unwrap().unwrap();
        assert_eq!((row.deleted, row.revision), (None, 3));
        assert_eq!(bed.store.signatures(&tenant(), id, 10).await.unwrap().len(), 3);
    }

    async fn a_request_is_answered_with_the_revision_that_it_made_whatever_came_after(bed: &Bed) {
        let first = AuthoredCommit { once: once("a", 1, 100), ..written(1, "Li Na", tag("t", "{\"n\":1}", 0)) };
        let id = bed.store.author(first.clone()).await.unwrap().ids[0];
        bed.store.author(written(2, "Li Na", tag("t", "{\"n\":2}", 1))).await.unwrap();
        let whose = tenant();
        let asked = |now_ms| bed.store.answered(key(&whose, "a"), now_ms);
        let before = asked(99).await.unwrap().unwrap();
        assert_eq!((before.record, before.fingerprint), (id, [1; 32]));
        assert_eq!((before.row.revision, before.row.body.as_slice()), (1, b"{\"n\":1}".as_slice()));
        // Of others, under another name, and when its time is over, there is none.
        assert!(asked(100).await.unwrap().is_none());
        assert!(bed.store.answered(key(&whose, "b"), 1).await.unwrap().is_none());
        let elsewhere = OnceKey { scope: "11ee", ..key(&whose, "a") };
        assert!(bed.store.answered(elsewhere, 1).await.unwrap().is_none());
        let other = renmen_schema::id::TenantId::new("globex").unwrap();
        assert!(bed.store.answered(key(&other, "a"), 1).await.unwrap().is_none());
        // The same again is refused whole, until its time is over.
        let again = AuthoredCommit { records: vec![tag("u", "{}", 0)], now_ms: 99, ..first };
        assert!(matches!(bed.store.author(again.clone()).await, Err(StoreError::Fenced(_))));
        assert_eq!(bed.store.counts(&tenant()).await.unwrap()[0].live, 1);
        let later = AuthoredCommit { now_ms: 100, once: once("a", 2, 200), ..again };
        bed.store.author(later).await.unwrap();
        assert_eq!(asked(150).await.unwrap().unwrap().fingerprint, [2; 32]);
    }

    async fn of_many_who_change_one_revision_exactly_one_does(bed: &Bed) {
        let id = bed.store.author(written(1, "Li Na", tag("t", "{\"n\":0}", 0))).await.unwrap().ids[0];
        for round in 1..=4_i64 {
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..6_i64 {
                let store = std::sync::Arc::clone(&bed.store);
                let record = tag("t", &format!("{{\"n\":{}}}", round * 10 + n), round);
                tasks.spawn(async move { store.author(written(round * 10, &format!("p{n}"), record)).await });
            }
            let mut won = 0;
            while let Some(done) = tasks.join_next().await {
                match done.unwrap() {
                    Ok(_) => won += 1,
                    Err(StoreError::Fenced(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(won, 1, "round {round}");
            let row: (RecordId, i64) = bed.store.record(&tenant(), id).await.unwrap().map(|row| (row.id, row.revision)).unwrap();
            assert_eq!(row, (id, round + 1));
        }
        assert_eq!(bed.store.signatures(&tenant(), id, 10).await.unwrap().len(), 5);
    }

    async fn commits_that_rest_on_the_same_place_are_one(bed: &Bed) {
        let step = |name: &str, from| AuthoredCommit {
            follow: Some(Follow { from, to: from + 1 }),
            ..written(1, "Li Na", tag(name, "{}", 0))
        };
        bed.store.author(step("a", 0)).await.unwrap();
        assert!(matches!(bed.store.author(step("b", 0)).await, Err(StoreError::Fenced(_))));
        bed.store.author(step("b", 1)).await.unwrap();
        assert_eq!(bed.store.counts(&tenant()).await.unwrap()[0].live, 2);
    }
}
