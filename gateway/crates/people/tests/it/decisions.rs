//! What people decide acts at once, wins, and stays.

use renmen_people::{Act, Ask, PeopleError, PeopleOptions, Rules, Subject};
use serde_json::json;

use crate::bed::on_both;
use crate::world::{Rec, World, ask, everyone, portrait, query, set, tenant};

fn three() -> Vec<Rec> {
    vec![
        Rec::employee("hr", "1", "王伟", json!({ "number": "E1" })),
        Rec::employee("chat", "2", "王伟", json!({ "number": "E1" })),
        Rec::employee("payroll", "3", "Kevin", json!({})),
    ]
}

on_both! {
    async fn a_split_a_link_and_never_act_at_once_and_are_undone(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&three()).await;
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1", "chat/2"]), set(&["payroll/3"])].into());
        let [hr, chat, payroll] =
            [world.employee("hr", "1").await, world.employee("chat", "2").await, world.employee("payroll", "3").await];

        let split = people.decide(&tenant(), &ask(Act::Split, &[chat])).await.unwrap();
        assert!(split.in_force && !split.repeated);
        assert_eq!(split.identities.len(), 2);
        assert_eq!(everyone(&world, &people).await.len(), 3);
        let told = portrait(&people, chat).await;
        assert_eq!(told.decisions[0].act, Act::Split);
        assert_eq!((told.past_links.len(), told.links.len()), (1, 0), "the link that was is history");
        assert!(told.conflicts[0].against.english().contains("never the same"), "{:?}", told.conflicts);

        let link = people.decide(&tenant(), &ask(Act::Link, &[chat, payroll])).await.unwrap();
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1"]), set(&["chat/2", "payroll/3"])].into());
        assert_eq!(portrait(&people, payroll).await.person.id, chat, "the oldest record names it; the id of the other leads there");

        // A contradiction is told where the pair is held back, and which decision is overruled.
        let never = people.decide(&tenant(), &ask(Act::Never, &[hr, payroll])).await.unwrap();
        assert!(never.in_force);
        assert!(matches!(
            people.decide(&tenant(), &ask(Act::Never, &[chat, payroll])).await,
            Err(PeopleError::Refused(_))
        ), "they are one: that is a split");

        let undone = people.undo(&tenant(), split.number, "Li Na", "I was wrong").await.unwrap();
        assert!(undone.in_force);
        assert!(matches!(people.undo(&tenant(), split.number, "Li Na", "again").await, Err(PeopleError::NotFound)));
        assert!(matches!(people.undo(&tenant(), 99, "Li Na", "what").await, Err(PeopleError::NotFound)));
        // hr and chat agree again, and payroll is chat by decision and never hr: the link of the rules is held.
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1"]), set(&["chat/2", "payroll/3"])].into());
        people.undo(&tenant(), never.number, "Li Na", "I was wrong").await.unwrap();
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1", "chat/2", "payroll/3"])].into());
        people.undo(&tenant(), link.number, "Li Na", "I was wrong").await.unwrap();
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1", "chat/2"]), set(&["payroll/3"])].into());
        let all = people.decisions(&tenant(), None, 100).await.unwrap().items;
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|one| one.undone.as_ref().is_some_and(|(who, ..)| who == "Li Na")), "kept, and undone");
    }

    async fn a_decision_survives_a_change_a_deletion_and_other_rules(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&three()).await;
        let people = world.settled(PeopleOptions::default()).await;
        let (hr, chat) = (world.employee("hr", "1").await, world.employee("chat", "2").await);
        people.decide(&tenant(), &ask(Act::Split, &[chat])).await.unwrap();
        let apart = [set(&["hr/1"]), set(&["chat/2"]), set(&["payroll/3"])].into();
        assert_eq!(everyone(&world, &people).await, apart);

        world.put(&[Rec::employee("chat", "2", "王伟", json!({ "number": "E1", "person": { "birth_date": "1990-01-01" } }))]).await;
        assert_eq!(everyone(&world, &world.settled(PeopleOptions::default()).await).await, apart);

        let rules = Rules { link_at: 50, ..Rules::default() };
        let other = PeopleOptions { rules, ..PeopleOptions::default() };
        assert_eq!(everyone(&world, &world.settled(other).await).await, apart);

        world.put(&[three().remove(1).gone()]).await;
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await, [set(&["hr/1"]), set(&["payroll/3"])].into());
        assert!(people.get(&tenant(), chat).await.unwrap().is_none(), "a deleted record is no one's");
        assert!(matches!(people.decide(&tenant(), &ask(Act::Link, &[hr, chat])).await, Err(PeopleError::NotFound)));
        world.put(&three()[1..2]).await;
        assert_eq!(everyone(&world, &world.settled(PeopleOptions::default()).await).await, apart, "it came back, and so did the decision");
    }

    async fn a_request_that_comes_again_is_answered_once(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&three()).await;
        let people = world.settled(PeopleOptions::default()).await;
        let (chat, payroll) = (world.employee("chat", "2").await, world.employee("payroll", "3").await);
        let named = Ask { request: Some("r-1".into()), ..ask(Act::Link, &[chat, payroll]) };
        let first = people.decide(&tenant(), &named).await.unwrap();
        let again = people.decide(&tenant(), &named).await.unwrap();
        assert_eq!((first.number, first.repeated, again.number, again.repeated), (1, false, 1, true));
        let other = Ask { request: Some("r-1".into()), ..ask(Act::Link, &[payroll, chat]) };
        assert!(matches!(people.decide(&tenant(), &other).await, Err(PeopleError::BadInput(_))));
        assert_eq!(people.decisions(&tenant(), None, 100).await.unwrap().items.len(), 1);
    }

    async fn what_cannot_be_meant_is_refused(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&three()).await;
        world.put(&[
            Rec::new("hr", "org_unit", "u", json!({ "name": { "en": "Sales" } })),
            Rec::new("hr", "job", "j", json!({ "title": { "en": "Engineer" } })),
        ]).await;
        let people = world.settled(PeopleOptions::default()).await;
        let (hr, chat) = (world.employee("hr", "1").await, world.employee("chat", "2").await);
        let (unit, job) = (world.id("hr", "org_unit", "u").await, world.id("hr", "job", "j").await);
        assert_eq!(people.list(&tenant(), &query(Subject::Unit)).await.unwrap().items.len(), 1);
        assert!(people.get(&tenant(), job).await.unwrap().is_none(), "a job is neither a person nor a unit");
        for (act, records) in [(Act::Link, vec![hr]), (Act::Link, vec![hr, hr]), (Act::Never, vec![hr]), (Act::Split, vec![]), (Act::Link, vec![hr, unit])] {
            let refused = people.decide(&tenant(), &ask(act, &records)).await;
            assert!(matches!(refused, Err(PeopleError::BadInput(_))), "{act:?}: {refused:?}");
        }
        assert!(matches!(people.decide(&tenant(), &ask(Act::Link, &[hr, job])).await, Err(PeopleError::NotFound)));
        assert!(matches!(people.decide(&tenant(), &ask(Act::Split, &[hr, chat])).await, Err(PeopleError::Refused(_))));
        for (who, why) in [("", "why"), ("who", " "), (&*"x".repeat(201), "why"), ("who", &*"x".repeat(2_001))] {
            let said = Ask { who: who.into(), why: why.into(), ..ask(Act::Link, &[hr, chat]) };
            assert!(matches!(people.decide(&tenant(), &said).await, Err(PeopleError::BadInput(_))), "{who:.5} {why:.5}");
        }
        let fits = Ask { who: "x".repeat(200), why: "x".repeat(2_000), ..ask(Act::Link, &[hr, chat]) };
        people.decide(&tenant(), &fits).await.unwrap();
    }
}
