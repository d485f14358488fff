//! Other rules settle everything once more, and no link is missing meanwhile that holds by both.

use renmen_people::{Act, Counts, PeopleOptions, Rules, Scheme};
use serde_json::json;

use crate::bed::on_both;
use crate::world::{Rec, World, ask, everyone, killed_after, set, tenant};

fn crowd() -> Vec<Rec> {
    let mut all = Vec::new();
    for number in 0..30 {
        let mobile = json!([{ "kind": "MOBILE", "e164": format!("+86138000000{number:02}") }]);
        let name = format!("Anna Smith{}", "x".repeat(number));
        let says = json!({ "number": format!("E{number}"), "person": { "phones": mobile } });
        all.push(Rec::employee("hr", &number.to_string(), &name, says.clone()));
        all.push(Rec::employee("chat", &number.to_string(), &name, json!({ "person": { "phones": mobile } })));
        all.push(Rec::employee("payroll", &number.to_string(), &name, json!({ "number": format!("E{number}") })));
    }
    all
}

/// Without the telephone.
fn stricter() -> Rules {
    let mut rules = Rules::default();
    rules.rules.retain(|rule| rule.scheme != Scheme::Mobile);
    rules
}

on_both! {
    async fn no_link_is_missing_while_rules_change(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&crowd()).await;
        let people = world.settled(PeopleOptions::default()).await;
        let all = everyone(&world, &people).await;
        assert_eq!((all.len(), all.iter().map(std::collections::BTreeSet::len).max()), (30, Some(3)));
        let (_, work) = world.people(PeopleOptions { rules: stricter(), ..PeopleOptions::default() });
        let mut kills = 0;
        // Each time it comes a little further.
        while killed_after(2 + kills, work.catch_up()).await.transpose().unwrap().is_none() {
            kills += 1;
            for person in everyone(&world, &people).await {
                let number = person.first().unwrap().split('/').nth(1).unwrap().to_owned();
                let (hr, payroll) = (format!("hr/{number}"), format!("payroll/{number}"));
                let whole = person.contains(&hr) == person.contains(&payroll);
                assert!(whole, "the staff number links by both: {person:?}");
            }
            assert!(kills < 500);
        }
        assert!(kills > 0, "it was killed");
        assert_eq!(everyone(&world, &people).await.len(), 60, "chat is linked by the telephone alone");
        let again = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &again).await, all, "and back");
    }

    async fn a_decision_of_a_pass_waits_for_its_end_and_records_that_come_meanwhile_too(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&crowd()).await;
        let people = world.settled(PeopleOptions::default()).await;
        let (strict, work) = world.people(PeopleOptions { rules: stricter(), ..PeopleOptions::default() });
        for polls in 2.. {
            assert!(killed_after(polls, work.catch_up()).await.is_none(), "it was killed within the pass");
            if bed.store.identity_stand(&tenant()).await.unwrap().unwrap().pass.is_some() {
                break;
            }
        }
        let (hr, payroll) = (world.employee("hr", "1").await, world.employee("payroll", "1").await);
        let done = strict.decide(&tenant(), &ask(Act::Split, &[payroll])).await.unwrap();
        assert!(!done.in_force, "said as it is");
        world.put(&[Rec::employee("ats", "1", "Anna Smithx", json!({ "number": "E1" }))]).await;
        work.catch_up().await.unwrap();
        let found = everyone(&world, &people).await;
        assert!(found.contains(&set(&["payroll/1"])) || found.contains(&set(&["payroll/1", "ats/1"])), "{found:?}");
        assert_ne!(strict.get(&tenant(), hr).await.unwrap().unwrap().person.id, payroll);
        assert_eq!(bed.store.identity_counts(&tenant()).await.unwrap().pending, 0);
    }

    async fn a_value_that_too_many_share_links_no_one_and_is_told(bed: &Bed) {
        let mut world = World::of(&bed.store);
        let phone = json!({ "person": { "phones": [{ "kind": "MOBILE", "e164": "+8613800000001" }] } });
        let all: Vec<Rec> =
            (0..70).map(|number| Rec::employee("hr", &number.to_string(), &format!("Name{number} Smith"), phone.clone())).collect();
        world.put(&all).await;
        world.put(&[Rec::employee("chat", "0", "Name0 Smith", phone.clone())]).await;
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await.len(), 71);
        let shared = people.shared_values(&tenant(), None, 10).await.unwrap().items;
        assert_eq!((shared.len(), shared[0].rule.as_str(), shared[0].holders), (1, "mobile", 65), "counted to one more than the limit");
        assert!(!shared[0].records.is_empty());
        // It becomes evidence again when few enough have it.
        world.put(&all[2..].iter().cloned().map(Rec::gone).collect::<Vec<_>>()).await;
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await, [set(&["hr/0", "chat/0"]), set(&["hr/1"])].into());
        assert!(people.shared_values(&tenant(), None, 10).await.unwrap().items.is_empty());
    }

    async fn one_who_comes_back_is_the_same_person(bed: &Bed) {
        let mut world = World::of(&bed.store);
        let card = json!([{ "kind": { "code": "ID_CARD" }, "country": "CN", "value": "11010119900101001X" }]);
        let worked = |number: &str, from: &str, to: Option<&str>| {
            json!({ "number": number, "person": { "national_ids": card },
                    "work": { "hire_date": from, "end_date": to } })
        };
        world.put(&[
            Rec::employee("hr", "old", "王伟", worked("E1", "2015-03-02", Some("2019-06-30"))),
            Rec::employee("hr", "new", "王伟", worked("E77", "2021-01-04", None)),
            Rec::employee("chat", "c", "王伟", json!({ "number": "E77" })),
        ]).await;
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await, [set(&["hr/old", "hr/new", "chat/c"])].into(), "two numbers, one after the other");
        let told = people.timeline(&tenant(), world.employee("chat", "c").await).await.unwrap();
        let days: Vec<i32> = told.iter().map(|one| one.day.0).collect();
        assert_eq!(days, [20_150_302, 20_190_630, 20_210_104]);
        // Two at the same time in one system are two people, even if their cards agree.
        world.put(&[Rec::employee("hr", "old", "王伟", worked("E1", "2015-03-02", None))]).await;
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await, [set(&["hr/old"]), set(&["hr/new", "chat/c"])].into());
        assert_eq!(people.progress(&tenant()).unwrap().counts.conflicts, 1, "and that is told");
    }

    async fn a_rule_of_the_operators_own_counts(bed: &Bed) {
        let mut world = World::of(&bed.store);
        let mut rules = Rules::default();
        for rule in rules.rules.iter_mut().filter(|rule| rule.scheme == Scheme::StaffNumber) {
            rule.counts = Counts::Suggests;
        }
        world.put(&[
            Rec::employee("hr", "1", "王伟", json!({ "number": "E1" })),
            Rec::employee("chat", "1", "王伟", json!({ "number": "E1" })),
        ]).await;
        let people = world.settled(PeopleOptions { rules, ..PeopleOptions::default() }).await;
        assert_eq!(everyone(&world, &people).await.len(), 2);
        let proposed = people.proposals(&tenant(), None, None, 10).await.unwrap().items;
        assert_eq!(proposed.len(), 1);
        assert_eq!(proposed[0].grounds.score, Some(140));
    }
}
