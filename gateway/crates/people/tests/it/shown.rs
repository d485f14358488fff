//! What is shown of a person: sources side by side, why a value is preferred, what links the records, and what happened.

use renmen_people::{Choice, PeopleOptions, PersonQuery, Step, Subject, Survivorship, Why};
use renmen_schema::id::ConnectionName;
use serde_json::json;

use crate::bed::on_both;
use crate::world::{Rec, World, everyone, portrait, query, set, tenant};

on_both! {
    async fn a_link_says_by_what_and_shows_no_more_than_half_of_a_value(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&[
            Rec::employee("hr", "1", "王伟", json!({ "number": "E00123", "work": { "title": "Engineer" } })),
            Rec::employee("chat", "2", "王伟", json!({ "number": "e00123", "person": { "birth_date": "1990-01-01" } })),
        ]).await;
        let people = world.settled(PeopleOptions::default()).await;
        let (hr, chat) = (world.employee("hr", "1").await, world.employee("chat", "2").await);
        let shown = portrait(&people, chat).await;
        assert_eq!(shown.person.id, hr, "a former id leads to the present one");
        let link = &shown.links[0];
        assert_eq!(link.grounds.because.english(), "staff_number e0***3 (rule 2, 100), the same name (40): 140 of 100");
        assert_eq!((link.a, link.b, link.since_ms, link.until_ms), (hr, chat, 1_700_000_000_000, None));
        assert_eq!((link.grounds.evidence[0].rule.as_str(), link.grounds.evidence[0].number), ("staff_number", 2));
        let progress = people.progress(&tenant()).unwrap();
        assert_eq!((progress.linked, progress.counts.pending, progress.behind_since_ms), (1, 0, None));
        assert!(progress.pass.is_none() && progress.passed_ms.is_some());
    }

    async fn each_field_has_all_values_and_says_why_one_is_preferred(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&[
            Rec::employee("hr", "1", "王伟", json!({ "number": "E1", "work": { "title": "Engineer" } })),
            Rec::employee("chat", "2", "Kevin 王伟", json!({ "number": "E1", "work": { "title": "Coder" } })),
        ]).await;
        let order = |names: &[&str]| Choice::Order(names.iter().map(|name| (*name).to_owned()).collect());
        let prefer = Survivorship { fields: [("work.title".to_owned(), order(&["chat", "hr"]))].into(), ..Survivorship::default() };
        let people = world.settled(PeopleOptions { prefer, ..PeopleOptions::default() }).await;
        let shown = portrait(&people, world.employee("hr", "1").await).await.person;
        assert_eq!(shown.sources.len(), 2);
        let field = |name: &str| shown.fields.iter().find(|field| field.name == name).unwrap();
        let title = field("work.title");
        assert_eq!((title.values[0].value.as_str(), title.values[1].value.as_str()), (Some("Coder"), Some("Engineer")));
        assert_eq!((title.why, title.values[0].pointer.as_str(), title.values[0].entity.as_str()), (Why::First(0), "/work/title", "employee"));
        assert_eq!(field("number").why, Why::Only);
        assert_eq!(field("person.names").values.len(), 2);
    }

    async fn an_application_links_the_candidate_to_the_employee_in_any_order(bed: &Bed) {
        let candidate = Rec::new("ats", "candidate", "c", json!({ "person": { "names": { "formatted": "王伟" } } }));
        let application = Rec::new("ats", "application", "a", json!({
            "candidate": { "external": { "value": "c" } }, "status": { "code": "HIRED" }, "applied_at": "2020-01-10T08:00:00Z"
        }));
        let employee = Rec::employee("hr", "e", "Wang Wei", json!({ "work": { "hire_date": "2020-03-02" } }));
        let employment = Rec::new("hr", "employment", "m", json!({
            "employee": { "external": { "value": "e" } }, "status": { "code": "ACTIVE" },
            "source_application": { "external": { "value": "a", "connection": "ats" } }, "start_date": "2020-03-02"
        }));
        let mut world = World::of(&bed.store);
        // What tells of it comes first.
        for record in [&employment, &application, &employee, &candidate] {
            world.put(std::slice::from_ref(record)).await;
            world.settled(PeopleOptions::default()).await;
        }
        let people = world.settled(PeopleOptions::default()).await;
        assert_eq!(everyone(&world, &people).await, [set(&["ats/c", "hr/e"])].into());
        let id = world.employee("hr", "e").await;
        assert!(portrait(&people, id).await.links[0].grounds.because.english().starts_with("application a (rule 4, 120)"));
        let told = people.timeline(&tenant(), id).await.unwrap();
        let steps: Vec<(i32, Step)> = told.iter().map(|one| (one.day.0, one.step)).collect();
        assert_eq!(steps, [(20_200_110, Step::Applied), (20_200_302, Step::Joined)]);
        assert_eq!(told[1].told_by.len(), 2, "the employee and the employment tell the same");
        // It says another application now, and then it is deleted.
        world.put(&[employment.clone().gone()]).await;
        assert_eq!(everyone(&world, &world.settled(PeopleOptions::default()).await).await.len(), 2);
        world.put(&[employment]).await;
        assert_eq!(everyone(&world, &world.settled(PeopleOptions::default()).await).await.len(), 1);
        world.put(&[application.gone()]).await;
        assert_eq!(everyone(&world, &world.settled(PeopleOptions::default()).await).await.len(), 2);
    }

    async fn persons_are_listed_by_connection_and_by_what_waits_for_people(bed: &Bed) {
        let mut world = World::of(&bed.store);
        world.put(&[
            Rec::employee("hr", "1", "王伟", json!({ "number": "E1" })),
            Rec::employee("hr", "2", "李娜", json!({ "person": { "birth_date": "1990-01-01" } })),
        ]).await;
        world.put(&[
            Rec::employee("chat", "1", "王伟", json!({ "number": "E1" })),
            Rec::employee("chat", "3", "李娜", json!({ "person": { "birth_date": "1990-01-01" } })),
        ]).await;
        world.put(&[Rec::new("hr", "org_unit", "u", json!({ "code": "D1" })), Rec::new("hr", "org_unit", "v", json!({ "code": "D2" }))]).await;
        world.put(&[Rec::new("chat", "org_unit", "u", json!({ "code": "d1" }))]).await;
        let people = world.settled(PeopleOptions::default()).await;
        let count = async |query: PersonQuery| people.list(&tenant(), &query).await.unwrap().items.len();
        assert_eq!(count(query(Subject::Person)).await, 3);
        assert_eq!(count(query(Subject::Unit)).await, 2);
        let connection = |name: &str| Some(ConnectionName::new(name).unwrap());
        assert_eq!(count(PersonQuery { connection: connection("chat"), ..query(Subject::Person) }).await, 2);
        assert_eq!(count(PersonQuery { connection: connection("none"), ..query(Subject::Person) }).await, 0);
        assert_eq!(count(PersonQuery { unresolved: true, ..query(Subject::Person) }).await, 2);
        assert_eq!(count(PersonQuery { unresolved: true, ..query(Subject::Unit) }).await, 0);
        assert_eq!(count(PersonQuery { records_min: 2, ..query(Subject::Person) }).await, 1);
        assert_eq!(people.proposals(&tenant(), Some(Subject::Unit), None, 10).await.unwrap().items.len(), 0);
        let page = people.proposals(&tenant(), Some(Subject::Person), None, 1).await.unwrap();
        assert_eq!(page.items.len(), 1);
        assert!(people.proposals(&tenant(), None, page.next.as_deref(), 1).await.unwrap().items.is_empty());
        let other = renmen_schema::id::TenantId::new("globex").unwrap();
        assert!(people.list(&other, &query(Subject::Person)).await.unwrap().items.is_empty());
        let id = world.employee("hr", "1").await;
        assert!(people.get(&other, id).await.unwrap().is_none(), "another tenant's record is as unknown as none");
    }
}
