//! What is kept for comparing: no value in clear, nothing of a deleted record, and of links that ended only for a time.

use std::collections::BTreeSet;

use renmen_people::{Act, PeopleOptions};
use renmen_store::IdentityAsk;
use serde_json::json;

use crate::bed::{Bed, on_both};
use crate::world::{Rec, World, ask, everyone, portrait, set, tenant};

/// All bytes and words that are kept of these records for comparing and explaining, as text.
async fn all_that_is_kept(bed: &Bed, digests: &mut BTreeSet<i64>, records: &[i64]) -> Vec<String> {
    let store = &bed.store;
    let facts = store.facts_after(&tenant(), 0, 100).await.unwrap();
    let read = |row: &renmen_store::FactRow| renmen_identity::Facts::from_bytes(&row.facts).unwrap();
    digests.extend(facts.iter().map(read).flat_map(|facts| facts.keys().to_vec()).map(|key| key.digest.cast_signed()));
    let digests: Vec<i64> = digests.iter().copied().collect();
    let kept = store.identity_kept(&tenant(), records, &digests).await.unwrap();
    let ask = IdentityAsk { holders: digests, most: 10, ..IdentityAsk::default() };
    let holders = store.identity_load(&tenant(), ask).await.unwrap().holders;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let links = kept.links.iter().map(|link| text(&link.grounds));
    let proposals = kept.proposals.iter().map(|one| text(&one.grounds));
    let conflicts = kept.conflicts.iter().flat_map(|one| [text(&one.grounds), text(&one.obstacle)]);
    let members = kept.members.iter().map(|one| format!("member {}", one.record));
    let holders = holders.iter().map(|one| format!("holder {}", one.record));
    let waiting = store.pending_identities(&tenant(), 100).await.unwrap();
    let waiting = waiting.iter().map(|one| format!("waiting {}", one.record));
    let facts = facts.iter().map(|row| text(&row.facts));
    facts.chain(links).chain(proposals).chain(conflicts).chain(members).chain(holders).chain(waiting).collect()
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
    let mut records = Vec::new();
    for (connection, id) in [("hr", "1"), ("chat", "2")] {
        let id = world.employee(connection, id).await;
        records.push(bed.store.record_identity(&tenant(), id).await.unwrap().unwrap().record);
    }
    let mut digests = BTreeSet::new();
    let kept = all_that_is_kept(&bed, &mut digests, &records).await;
    assert!(
        kept.len() > 10 && kept.iter().any(|text| text.contains("staff_number")),
        "facts, a link, holders: {kept:?}"
    );
    for value in ["00123", "1380000", "wang.wei", "110101", "1990", "王伟"] {
        assert!(!kept.iter().any(|text| text.contains(value)), "{value}");
    }
    world.put(&both.map(Rec::gone)).await;
    let people = world.settled(PeopleOptions::default()).await;
    assert!(everyone(&world, &people).await.is_empty());
    assert_eq!(all_that_is_kept(&bed, &mut digests, &records).await, Vec::<String>::new());
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
