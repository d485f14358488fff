//! What is checked across records holds whichever request is first, at either gateway, on either store.

use renmen_records::{Act, Refusal};
use renmen_schema::EntityKind;
use renmen_store::{RecordQuery, RecordRow};
use serde_json::{Value, json};

use crate::bed::{Bed, tenant};

const THEN: &str = "2026-01-01T00:00:00.000Z";

fn competency(name: &str) -> Value {
    json!({ "name": { "en": name } })
}

fn profile(version: u64, competency: &str, published: bool) -> Value {
    let mut body = json!({
        "position": { "external": { "connection": "hr", "value": "j1" } },
        "version": version,
        "competencies": [{ "competency": { "external": { "value": competency } }, "weight": { "bp": 10_000 } }],
        "complete": true,
    });
    if published {
        body["published_at"] = json!(THEN);
    }
    body
}

fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

async fn live(bed: &Bed, kind: EntityKind) -> Vec<(RecordRow, Value)> {
    let query = RecordQuery { entity: Some(kind.name().into()), limit: 1_000, ..RecordQuery::default() };
    let rows = bed.store.records(&tenant(), &query).await.unwrap().items;
    rows.into_iter().map(|row| (row.clone(), serde_json::from_slice(&row.body).unwrap())).collect()
}

/// Changes of one revision, new versions of one profile, and the end of a competency that a version names: in random numbers, at once.
async fn what_is_checked_still_holds_when_it_is_written(bed: &Bed) {
    let note = bed.made(EntityKind::Competency, "note", &competency("0")).await;
    let (mut revision, mut version) = (note.revision, 0);
    for round in 0..8 {
        let doomed = format!("c{round}");
        let end = bed.made(EntityKind::Competency, &doomed, &competency("Sales")).await;
        let mut acts = Vec::new();
        let (changes, versions) = (2 + rand::random::<u8>() % 4, 2 + rand::random::<u8>() % 3);
        for n in 0..changes {
            let body = bytes(&competency(&format!("{round}/{n}")));
            acts.push((EntityKind::Competency, Act::Replace { id: note.id, revision: Some(revision), body }));
        }
        for _ in 0..versions {
            let body = bytes(&profile(version + 1, &doomed, true));
            acts.push((EntityKind::PositionProfile, Act::Create { external_id: None, body }));
        }
        acts.push((EntityKind::Competency, Act::Remove { id: end.id, revision: Some(end.revision) }));
        let mut done = bed.race(acts).await;
        let removed = done.pop().unwrap();
        let published = done.split_off(usize::from(changes));

        let changed = done.iter().filter(|done| done.is_ok()).count();
        let moved = done.iter().filter(|done| matches!(done, Err(Refusal::Moved { .. }))).count();
        assert_eq!((changed, moved), (1, usize::from(changes) - 1), "round {round}: {done:?}");
        revision += 1;

        let made = published.iter().filter(|done| done.is_ok()).count();
        assert!(made <= 1, "round {round}: {published:?}");
        // Either the version names it, and it stays, or it went first.
        assert_eq!(removed.is_ok(), made == 0, "round {round}: {removed:?} {published:?}");
        version += made as u64;
    }
    let (competencies, profiles) =
        (live(bed, EntityKind::Competency).await, live(bed, EntityKind::PositionProfile).await);
    let mut versions: Vec<u64> = profiles.iter().map(|(_, body)| body["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=version).collect::<Vec<_>>());
    for (_, profile) in profiles {
        let names = profile["competencies"][0]["competency"]["external"]["value"].clone();
        assert!(competencies.iter().any(|(row, _)| row.external_id == names), "{names} is named and gone");
    }
}

/// A draft that is published twice at once, and changed.
async fn a_draft_is_published_once(bed: &Bed) {
    bed.made(EntityKind::Competency, "c1", &competency("Sales")).await;
    let draft = bed.made(EntityKind::PositionProfile, "p1", &profile(1, "c1", false)).await;
    let replace = |published| {
        let body = bytes(&profile(1, "c1", published));
        (EntityKind::PositionProfile, Act::Replace { id: draft.id, revision: Some(1), body })
    };
    let done = bed.race(vec![replace(true), replace(true), replace(true)]).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
    assert!(done.iter().all(|done| matches!(done, Ok(_) | Err(Refusal::Moved { is: 2 }))), "{done:?}");
    let again = bed.act(EntityKind::PositionProfile, Act::Remove { id: draft.id, revision: Some(2) }).await;
    assert!(matches!(again, Err(Refusal::Conflict(_))));
}

macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            use crate::bed::Bed;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let bed = Bed::sqlite().await;
                super::$name(&bed).await;
                bed.end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(bed) = Bed::postgres().await {
                    super::$name(&bed).await;
                    bed.end().await;
                }
            }
        }
    )*};
}
on_both! { what_is_checked_still_holds_when_it_is_written a_draft_is_published_once }
