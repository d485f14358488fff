//! What the gateway itself writes.

use renmen_schema::id::{ConnectionName, RecordId, StreamName};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, Cause, Follow, LinkWrite, LinkedQuery, Parent, RunState,
    ScreenTokenRow, StoreError, TimerRow, TimerWrite,
};

use crate::bed::on_both;
use crate::puller::{Puller, connection, everything, gone, key, rec, tenant};

fn commit(now_ms: i64) -> AuthoredCommit {
    AuthoredCommit::of(tenant(), StreamName::new("decisions").unwrap(), now_ms)
}

fn decision(external_id: &str, body: &str, causes: Vec<Cause>) -> AuthoredRecord {
    AuthoredRecord {
        entity: "decision".into(),
        external_id: external_id.into(),
        body: body.into(),
        deleted: None,
        causes,
        expect: None,
        parents: Vec::new(),
    }
}

fn writes(now_ms: i64, records: Vec<AuthoredRecord>) -> AuthoredCommit {
    AuthoredCommit { records, ..commit(now_ms) }
}

fn linked(external_id: &str, limit: u32) -> LinkedQuery {
    LinkedQuery {
        parent: parent(external_id),
        connections: vec![connection()],
        entities: Vec::new(),
        after: None,
        limit,
    }
}

fn key_through(connection: &ConnectionName) -> renmen_store::StreamKey {
    renmen_store::StreamKey { connection: connection.clone(), ..key() }
}

fn parent(external_id: &str) -> Parent {
    Parent { connection: connection(), entity: "employee".into(), external_id: external_id.into() }
}

on_both! {
    async fn an_authored_record_is_in_the_feed_with_its_origin_and_its_causes(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let result = everything(&bed.store).await.remove(0);
        let cause = Cause { record: result.id, revision: 1 };
        let done = bed.store.author(writes(2_000, vec![decision("d", "{}", vec![cause])])).await.unwrap();
        assert_eq!((done.outcome.created, done.outcome.last_seq, done.ids.len()), (1, 2, 1));

        let row = bed.store.record(&tenant(), done.ids[0]).await.unwrap().unwrap();
        assert_eq!((row.connection.as_str(), row.origin.stream.as_str()), (BUILT_IN_CONNECTION, "decisions"));
        assert_eq!((row.origin.exchange, row.origin.plugin.name.as_str()), (None, "renmen"));
        assert_eq!(bed.store.causes(&tenant(), row.id, 1).await.unwrap(), [cause]);
        assert!(bed.store.causes(&tenant(), result.id, 1).await.unwrap().is_empty());
        let run = bed.store.run(&tenant(), row.origin.run).await.unwrap().unwrap();
        assert_eq!((run.state, run.pages, run.outcome.created), (RunState::Completed, 1, 1));
        let changes = bed.store.changes(&tenant(), 1, None, 10).await.unwrap();
        assert_eq!((changes[0].id, changes[0].entity.as_str()), (row.id, "decision"));
    }

    async fn another_revision_keeps_the_first_with_its_own_causes(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        puller.put(vec![rec("a", "2")]).await;
        let record = everything(&bed.store).await.remove(0).id;
        let cause = |revision| vec![Cause { record, revision }];
        let first = bed.store.author(writes(2_000, vec![decision("d", "{\"n\":1}", cause(1))])).await.unwrap();
        let same = bed.store.author(writes(2_001, vec![decision("d", "{\"n\":1}", cause(2))])).await.unwrap();
        assert_eq!((same.outcome.unchanged, &same.ids), (1, &first.ids));
        bed.store.author(writes(2_002, vec![decision("d", "{\"n\":2}", cause(2))])).await.unwrap();
        assert_eq!(bed.store.causes(&tenant(), first.ids[0], 1).await.unwrap(), cause(1));
        assert_eq!(bed.store.causes(&tenant(), first.ids[0], 2).await.unwrap(), cause(2));
        assert_eq!(bed.store.revisions(&tenant(), first.ids[0], 10).await.unwrap().len(), 2);
        assert_eq!(bed.store.runs(&tenant(), None, 10).await.unwrap().len(), 2);
    }

    async fn an_authored_record_belongs_to_its_parents_in_the_same_commit(bed: &Bed) {
        let built_in = ConnectionName::new(BUILT_IN_CONNECTION).unwrap();
        let children = LinkedQuery { connections: vec![built_in], ..linked("a", 10) };
        let of_a = AuthoredRecord { parents: vec![parent("a")], ..decision("d", "{\"n\":1}", Vec::new()) };
        let done = bed.store.author(writes(1, vec![of_a.clone()])).await.unwrap();
        let ids = |rows: Vec<renmen_store::RecordRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(bed.store.linked(&tenant(), &children).await.unwrap()), done.ids);
        // Nothing said leaves what is known; another parent takes its place.
        bed.store.author(writes(2, vec![decision("d", "{\"n\":2}", Vec::new())])).await.unwrap();
        assert_eq!(ids(bed.store.linked(&tenant(), &children).await.unwrap()), done.ids);
        let of_b = AuthoredRecord { parents: vec![parent("b")], ..of_a };
        bed.store.author(writes(3, vec![of_b])).await.unwrap();
        assert!(bed.store.linked(&tenant(), &children).await.unwrap().is_empty());
        let refused = AuthoredRecord { expect: Some(9), parents: vec![parent("a")], ..decision("d", "{}", Vec::new()) };
        assert!(matches!(bed.store.author(writes(4, vec![refused])).await, Err(StoreError::Fenced(_))));
        assert!(bed.store.linked(&tenant(), &children).await.unwrap().is_empty());
    }

    async fn links_alone_wake_who_waits_for_the_feed(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let child = everything(&bed.store).await.remove(0).id;
        let mut feed = bed.store.watch(&tenant());
        feed.mark_unchanged();
        let before = *feed.borrow();
        bed.store.author(commit(1)).await.unwrap();
        assert!(!feed.has_changed().unwrap(), "nothing was written");
        let links = vec![LinkWrite { child, parents: vec![parent("b")] }];
        bed.store.author(AuthoredCommit { links, ..commit(2) }).await.unwrap();
        assert!(feed.has_changed().unwrap());
        assert_eq!(*feed.borrow_and_update(), before, "and stands where it stood");
    }

    async fn who_read_an_older_revision_is_refused_and_nothing_is_written(bed: &Bed) {
        let expecting = |revision| vec![AuthoredRecord { expect: Some(revision), ..decision("d", "{\"by\":\"b\"}", Vec::new()) }];
        assert!(matches!(bed.store.author(writes(1, expecting(1))).await, Err(StoreError::Fenced(_))));
        bed.store.author(writes(1, vec![decision("d", "{\"by\":\"a\"}", Vec::new())])).await.unwrap();
        let mut late = writes(2, expecting(0));
        late.timers = vec![TimerWrite::Set { name: "t".into(), due_ms: 1 }];
        assert!(matches!(bed.store.author(late).await, Err(StoreError::Fenced(_))));
        assert!(bed.store.due_timers(&tenant(), "decisions", 10, 10).await.unwrap().is_empty());
        assert_eq!(bed.store.author(writes(3, expecting(1))).await.unwrap().outcome.updated, 1);
    }

    async fn a_follower_takes_each_step_once(bed: &Bed) {
        let step = |from, to| AuthoredCommit { follow: Some(Follow { from, to }), ..commit(1) };
        bed.store.author(step(0, 7)).await.unwrap();
        assert!(matches!(bed.store.author(step(0, 9)).await, Err(StoreError::Fenced(_))));
        bed.store.author(AuthoredCommit { records: vec![decision("d", "{}", Vec::new())], ..step(7, 9) }).await.unwrap();
        let built_in = renmen_store::StreamKey {
            tenant: tenant(),
            connection: ConnectionName::new(BUILT_IN_CONNECTION).unwrap(),
            stream: StreamName::new("decisions").unwrap(),
        };
        assert_eq!(bed.store.stream_state(&built_in).await.unwrap().cursor.as_deref(), Some("9"));
        assert_eq!(bed.store.runs(&tenant(), None, 10).await.unwrap().len(), 1, "a step without records makes no page");
    }

    async fn timers_are_due_in_their_order_and_can_be_moved_and_cleared(bed: &Bed) {
        let set = |name: &str, due_ms| TimerWrite::Set { name: name.into(), due_ms };
        let timers = vec![set("c", 30), set("a", 10), set("b", 20), set("moved", 5)];
        bed.store.author(AuthoredCommit { timers, ..commit(1) }).await.unwrap();
        let timers = vec![set("moved", 99), TimerWrite::Clear { name: "b".into() }, TimerWrite::Clear { name: "none".into() }];
        bed.store.author(AuthoredCommit { timers, ..commit(1) }).await.unwrap();
        let due = bed.store.due_timers(&tenant(), "decisions", 30, 10).await.unwrap();
        assert_eq!(due, [TimerRow { name: "a".into(), due_ms: 10 }, TimerRow { name: "c".into(), due_ms: 30 }]);
        assert_eq!(bed.store.due_timers(&tenant(), "decisions", 30, 1).await.unwrap().len(), 1);
        assert!(bed.store.due_timers(&tenant(), "watch", 30, 10).await.unwrap().is_empty());
    }

    async fn what_is_linked_is_found_by_an_id_that_may_come_later(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        let ids: Vec<RecordId> = everything(&bed.store).await.iter().map(|row| row.id).collect();
        let link = |child, parents: &[&str]| LinkWrite { child, parents: parents.iter().map(|id| parent(id)).collect() };
        let links = vec![link(ids[0], &["later", "x"]), link(ids[1], &["later"])];
        bed.store.author(AuthoredCommit { links, ..commit(1) }).await.unwrap();
        let found = bed.store.linked(&tenant(), &linked("later", 10)).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
        bed.store.author(AuthoredCommit { links: vec![link(ids[0], &["x"])], ..commit(2) }).await.unwrap();
        assert_eq!(bed.store.linked(&tenant(), &linked("later", 10)).await.unwrap().len(), 1);
        let other = renmen_schema::id::TenantId::new("globex").unwrap();
        assert!(bed.store.linked(&other, &linked("later", 10)).await.unwrap().is_empty());
    }

    async fn children_are_read_by_whose_they_are_however_many_a_stranger_has(bed: &Bed) {
        // The stranger is first: in the order of the commits all of its children stand before.
        let stranger = ConnectionName::new("survey").unwrap();
        let mut first = Puller::begin(&bed.store, key_through(&stranger), 1_000).await;
        let names: Vec<String> = (0..1_200).map(|n| format!("s{n:04}")).collect();
        first.put(names.iter().map(|name| rec(name, "1")).collect()).await;
        let mut puller = Puller::begin(&bed.store, key(), 2_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1")]).await;
        let rows = everything(&bed.store).await;
        let links = rows.iter().map(|row| LinkWrite { child: row.id, parents: vec![parent("p")] }).collect();
        bed.store.author(AuthoredCommit { links, ..commit(1) }).await.unwrap();

        let ask = async |connections: &[&ConnectionName], entities: &[&str], after, limit| {
            let query = LinkedQuery {
                connections: connections.iter().map(|name| (*name).clone()).collect(),
                entities: entities.iter().map(|name| (*name).to_owned()).collect(),
                after,
                ..linked("p", limit)
            };
            let found = bed.store.linked(&tenant(), &query).await.unwrap();
            found.into_iter().map(|row| (row.id, row.external_id)).collect::<Vec<_>>()
        };
        let own = connection();
        let ids = |found: &[(RecordId, String)]| found.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>();
        let found = ask(&[&own], &[], None, 2).await;
        assert_eq!(ids(&found), ["a", "b"]);
        assert_eq!(ids(&ask(&[&own], &[], Some(found[1].0), 2).await), ["c"], "it goes on behind the last");
        assert_eq!(ids(&ask(&[&own], &["employee"], None, 10).await).len(), 3);
        assert!(ask(&[&own], &["interview"], None, 10).await.is_empty());
        assert!(ask(&[], &[], None, 10).await.is_empty(), "without a connection, nothing is read");

        // Through both, page after page, each once.
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let page = ask(&[&own, &stranger], &[], after, 500).await;
            all.extend(ids(&page));
            match page.last() {
                Some((id, _)) if page.len() == 500 => after = Some(*id),
                _ => break,
            }
        }
        assert_eq!(all, [names.clone(), vec!["a".into(), "b".into(), "c".into()]].concat());
        puller.put(vec![gone("b")]).await;
        assert_eq!(ids(&ask(&[&own], &[], None, 10).await), ["a", "c"]);
    }

    async fn a_screen_token_is_found_by_its_hash_until_it_is_over_and_swept(bed: &Bed) {
        let token = |n: u8, expires_at_ms| ScreenTokenRow {
            hash: [n; 32],
            tenant: tenant(),
            interview: "0190a5d0-7b2c-7000-8000-000000000001".parse().unwrap(),
            expires_at_ms,
        };
        bed.store.put_screen_token(token(1, 100), 0).await.unwrap();
        assert_eq!(bed.store.screen_token(&[1; 32]).await.unwrap(), Some(token(1, 100)));
        assert_eq!(bed.store.screen_token(&[2; 32]).await.unwrap(), None);
        bed.store.put_screen_token(token(2, 200), 101).await.unwrap();
        assert_eq!(bed.store.screen_token(&[1; 32]).await.unwrap(), None);
    }

    async fn a_cause_that_is_another_tenants_is_refused(bed: &Bed) {
        let mut theirs = Puller::begin(&bed.store, crate::puller::key_of("globex", "employees"), 1_000).await;
        theirs.put(vec![rec("a", "1")]).await;
        let change = bed.store.changes(&theirs.key.tenant, 0, None, 1).await.unwrap().remove(0);
        let cause = Cause { record: change.id, revision: 1 };
        let refused = bed.store.author(writes(2_000, vec![decision("d", "{}", vec![cause])])).await;
        assert!(matches!(refused, Err(StoreError::BadInput(_))));
        assert!(bed.store.changes(&tenant(), 0, None, 10).await.unwrap().is_empty());
    }
}
