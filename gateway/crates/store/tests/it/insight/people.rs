//! Who is one person, what their records may be used for, and which groups they belong to.

use renmen_schema::EntityKind as Kind;
use renmen_schema::code::ConsentStatus;
use renmen_store::insight::{GroupsAsk, Need, Person, Subject};
use serde_json::{Value, json};

use super::world::{Got, World, ask, day, rows_of};
use crate::bed::on_both;

fn by(value: &str) -> Value {
    json!({ "external": { "value": value } })
}

fn policy(purpose: &str) -> Value {
    json!({ "purpose": [purpose], "legal_basis": { "code": "CONTRACT" }, "retain_until": "2030-01-01" })
}

fn people(got: &Got) -> Vec<Person> {
    rows_of!(got, People)
}

/// The purposes of each policy, `-` for a record without one.
fn purposes(person: &Person) -> Vec<String> {
    let of = |policy: &Option<renmen_schema::types::DataPolicy>| {
        policy.as_ref().map_or("-".to_owned(), |policy| policy.purpose.join("+"))
    };
    let mut all: Vec<String> = person.policies.iter().map(of).collect();
    all.sort();
    all
}

on_both! {
    async fn records_of_two_connections_are_one_person_once_that_is_found(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("ats", Kind::Candidate, "c1", json!({ "person": {}, "data_policy": policy("hiring") })).await;
        world.put("hr", Kind::Employee, "e1", json!({ "person": {}, "number": "E1", "data_policy": policy("work") })).await;
        world.put("dingtalk", Kind::Employee, "u1", json!({ "person": {}, "number": "E1" })).await;
        world.put("pms", Kind::PerformanceMetric, "m1", json!({
            "metric": { "code": "sales", "name": { "en": "Sales" }, "objective": true },
            "employee": { "key": { "scheme": "employee_number", "value": "E1" } },
            "period": { "start": "2025-01-01", "end": "2025-03-31" }, "value": "1",
        })).await;
        let subject = |got: &Got| rows_of!(got, Metrics)[0].subject;
        let apart = world.got(&[Need::People, Need::Metrics]).await;
        assert_eq!(people(&apart).len(), 3);
        assert_eq!(subject(&apart), Subject::Person(None), "two people with one number mean neither");

        let c1 = world.key("ats", Kind::Candidate, "c1").await;
        let (e1, u1) = (world.key("hr", Kind::Employee, "e1").await, world.key("dingtalk", Kind::Employee, "u1").await);
        for record in [c1, e1, u1] {
            world.link(bed, c1, record).await;
        }
        let together = world.got(&[Need::People, Need::Metrics]).await;
        let all = people(&together);
        assert_eq!((all.len(), all[0].person), (1, c1));
        assert_eq!(purposes(&all[0]), ["-", "hiring", "work"]);
        assert_eq!(subject(&together), Subject::Person(Some(c1)), "two records of one person with one number mean that person");
        assert_eq!(world.key("hr", Kind::Employee, "e1").await, c1);
        let ids = world.store.insight_ids(&world.tenant, &[c1, 9_999_999]).await.unwrap();
        assert_eq!(ids, [Some(("candidate".to_owned(), world.id("ats", Kind::Candidate, "c1").await)), None]);
    }

    async fn a_person_carries_the_policies_of_their_interviews_and_each_once(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("ats", Kind::Candidate, "c1", json!({ "person": {}, "data_policy": policy("hiring") })).await;
        world.put("ats", Kind::Application, "a1", json!({ "candidate": by("c1"), "job": by("j1"), "status": { "code": "ACTIVE" } })).await;
        for id in ["i1", "i2"] {
            let body = json!({ "application": by("a1"), "kind": "AI", "status": { "code": "COMPLETED" }, "data_policy": policy("analysis") });
            world.put("ats", Kind::Interview, id, body).await;
        }
        let got = world.got(&[Need::People]).await;
        assert_eq!(purposes(&people(&got)[0]), ["analysis", "hiring"]);
        let first = people(&got)[0].policies[0].clone().unwrap();
        assert_eq!(first.retain_until, Some(day("2030-01-01")));
        world.put("ats", Kind::Interview, "i3", json!({ "application": by("a1"), "kind": "AI", "status": { "code": "COMPLETED" } })).await;
        assert_eq!(purposes(&people(&world.got(&[Need::People]).await)[0]), ["-", "analysis", "hiring"]);
        world.gone("ats", Kind::Interview, "i3").await;
        world.gone("ats", Kind::Interview, "i1").await;
        world.gone("ats", Kind::Interview, "i2").await;
        assert_eq!(purposes(&people(&world.got(&[Need::People]).await)[0]), ["hiring"]);
    }

    async fn a_consent_is_the_persons_that_it_names_or_whose_policy_names_it(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("ats", Kind::Person, "p1", json!({ "person": {} })).await;
        let mut with = policy("hiring");
        with["consent"] = by("k2");
        world.put("ats", Kind::Candidate, "c1", json!({ "person": {}, "data_policy": with })).await;
        let consent = |person: Value, status: &str| json!({
            "person": person, "purpose": ["interview_performance_analysis"], "legal_basis": { "code": "CONSENT" }, "status": status,
            "given_at": "2025-01-01T00:00:00.000Z", "withdrawn_at": "2025-02-01T00:00:00.000Z",
        });
        world.put("ats", Kind::Consent, "k1", consent(by("p1"), "WITHDRAWN")).await;
        world.put("ats", Kind::Consent, "k2", consent(by("nobody"), "GIVEN")).await;
        world.put("ats", Kind::Consent, "k3", consent(by("nobody"), "REFUSED")).await;
        let candidate = world.id("ats", Kind::Candidate, "c1").await;
        world.put("portal", Kind::Consent, "k4", consent(json!({ "id": candidate }), "REFUSED")).await;
        let got = world.got(&[Need::People]).await;
        let statuses = async |connection: &str, kind, id: &str, world: &World| {
            let key = world.key(connection, kind, id).await;
            let person = people(&got).into_iter().find(|person| person.person == key).unwrap();
            person.consents.iter().map(|consent| consent.status).collect::<Vec<_>>()
        };
        assert_eq!(statuses("ats", Kind::Person, "p1", &world).await, [ConsentStatus::Withdrawn]);
        assert_eq!(statuses("ats", Kind::Candidate, "c1", &world).await, [ConsentStatus::Given, ConsentStatus::Refused]);
        assert_eq!(got.read.unresolved, 1, "the consent of nobody is told");
        let one = people(&got).into_iter().flat_map(|person| person.consents).next().unwrap();
        assert_eq!(one.purpose, ["interview_performance_analysis"]);
        assert_eq!((one.given_at.is_some(), one.withdrawn_at.is_some(), one.expires_at), (true, true, None));
    }

    async fn groups_come_to_an_audit_alone_and_of_the_oldest_record_that_tells_them(bed: &Bed) {
        let mut world = World::of(bed);
        let details = |details: Value| json!({ "person": details });
        world.put("ats", Kind::Candidate, "c1", details(json!({ "gender": { "code": "NOT_DISCLOSED" }, "birth_date": "1990-05-20" }))).await;
        world.put("hr", Kind::Employee, "e1", details(json!({ "gender": { "code": "FEMALE" }, "ethnicity": "Han" }))).await;
        world.put("ding", Kind::Employee, "u1", details(json!({ "gender": { "code": "MALE" }, "birth_date": "1960-05-20" }))).await;
        world.put("ats", Kind::Candidate, "c2", json!({ "person": {} })).await;
        world.put_raw("ats", Kind::Candidate, "c3", r#"{"person":{"gender":7}}"#).await;
        let c1 = world.key("ats", Kind::Candidate, "c1").await;
        for (connection, kind, id) in [("ats", Kind::Candidate, "c1"), ("hr", Kind::Employee, "e1"), ("ding", Kind::Employee, "u1")] {
            let record = world.key(connection, kind, id).await;
            world.link(bed, c1, record).await;
        }
        world.make().await;
        let attributes = ["gender", "age", "ethnicity", "shoe size"].map(str::to_owned).to_vec();
        let groups = GroupsAsk { attributes, today: day("2026-05-20") };
        let got = world.stream(&ask(&[Need::People, Need::Applications]), Some(&groups)).await.unwrap();
        let shown = |key: i64| {
            let rows = rows_of!(got, Groups);
            let mut rows: Vec<_> = rows.iter().filter(|row| row.person == key)
                .map(|row| (got.name(row.attribute).to_owned(), row.value.map(|value| got.name(value).to_owned()))).collect();
            rows.sort();
            rows
        };
        let told = |age: Option<&str>, ethnicity: Option<&str>, gender: Option<&str>| {
            [("age", age), ("ethnicity", ethnicity), ("gender", gender)].map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        };
        assert_eq!(shown(c1), told(Some("30 to 39"), Some("Han"), Some("FEMALE")));
        assert_eq!(shown(world.key("ats", Kind::Candidate, "c2").await), told(None, None, None));
        assert_eq!(got.read.unreadable, 1);
        let streams: Vec<&str> = got.rows.iter().map(|rows| match rows {
            renmen_store::insight::Rows::People(_) => "people",
            renmen_store::insight::Rows::Groups(_) => "groups",
            _ => "other",
        }).collect();
        assert_eq!(streams, ["people", "groups"]);
        let gender = GroupsAsk { attributes: vec!["gender".into()], ..groups };
        assert_eq!(world.stream(&ask(&[]), Some(&gender)).await.unwrap().read.rows, 3, "only what is asked for, of three people");
        assert!(rows_of!(world.got(&[Need::People]).await, Groups).is_empty());
    }
}
