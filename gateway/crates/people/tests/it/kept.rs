//! What is kept for comparing: no value in clear, nothing of a deleted record, and of links that ended only for a time.

use renmen_people::{Act, PeopleOptions};
use serde_json::json;

use crate::bed::{Bed, on_both};
use crate::world::{Rec, World, ask, everyone, portrait, set, tenant};

/// Every value of every table of this work, as text that shows bytes both as they are and in hexadecimal.
fn all_that_is_kept(bed: &Bed) -> Vec<(String, String)> {
    let path = bed.options.url.strip_prefix("sqlite:").unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'identity%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(tables.len() >= 12, "{tables:?}");
    let mut kept = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for at in 0..width {
                let value = match row.get_ref(at).unwrap() {
                    rusqlite::types::ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                };
                kept.push((table.clone(), value));
            }
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_stands_there_in_clear_and_a_deleted_record_leaves_nothing() {
    let bed = Bed::sqlite().await;
    let mut world = World::of(&bed.store);
    let says = json!({
        "number": "E00123",
        "person": {
            "birth_date": "1990-01-01",
            "phones": [{ "kind": "MOBILE", "e164": "+8613800000001" }],
            "emails": [{ "kind": "WORK", "address": "wang.wei@acme.example" }],
            "national_ids": [{ "kind": { "code": "ID_CARD" }, "country": "CN", "value": "11010119900101001X" }]
        }
    });
    let both = [Rec::employee("hr", "1", "王伟", says.clone()), Rec::employee("chat", "2", "王伟", says)];
    world.put(&both).await;
    let people = world.settled(PeopleOptions::default()).await;
    assert_eq!(everyone(&world, &people).await.len(), 1);
    let kept = all_that_is_kept(&bed);
    let has = |table: &str| kept.iter().any(|(of, _)| of == table);
    assert!(has("identity_fact") && has("identity_key") && has("identity_link"));
    for value in ["00123", "1380000", "wang.wei", "110101", "1990", "19900101", "王伟"] {
        let found: Vec<_> = kept.iter().filter(|(_, text)| text.contains(value)).collect();
        // Row numbers and times are numbers of their own.
        let clear = found.into_iter().filter(|(_, text)| !text.starts_with("Integer"));
        assert_eq!(clear.count(), 0, "{value}");
    }
    world.put(&both.map(Rec::gone)).await;
    let people = world.settled(PeopleOptions::default()).await;
    assert!(everyone(&world, &people).await.is_empty());
    let left = all_that_is_kept(&bed);
    for table in ["identity_fact", "identity_key", "identity_member", "identity_link", "identity_pending"] {
        assert!(!left.iter().any(|(of, _)| of == table), "{table}");
    }
    bed.end().await;
}

on_both! {
    async fn links_that_ended_long_ago_are_forgotten_and_decisions_are_not(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&[Rec::employee("hr", "1", "王伟", json!({ "number": "E1" })), Rec::employee("chat", "2", "王伟", json!({ "number": "E1" }))]).await;
        let people = world.settled(PeopleOptions::default()).await;
        let chat = world.employee("chat", "2").await;
        world.clock.advance(5_000);
        people.decide(&tenant(), &ask(Act::Split, &[chat])).await.unwrap();
        let ended = 1_700_000_005_000;
        let past = portrait(&people, chat).await.past_links;
        assert_eq!((past.len(), past[0].since_ms, past[0].until_ms), (1, 1_700_000_000_000, Some(ended)));
        assert_eq!(bed.store.forget_past_links(&tenant(), ended, 10).await.unwrap(), 0, "not yet");
        assert_eq!(bed.store.forget_past_links(&tenant(), ended + 1, 10).await.unwrap(), 1);
        let told = portrait(&people, chat).await;
        assert_eq!((told.past_links.len(), told.decisions.len()), (0, 1));
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1"]), set(&["chat/2"])].into());
    }
}
