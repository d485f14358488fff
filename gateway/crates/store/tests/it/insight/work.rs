//! Employments, reviews and metrics: which day counts, whose they are, and in which position.

use renmen_schema::EntityKind as Kind;
use renmen_schema::code::{Direction, EndReason, ProbationOutcome, ReviewCycleKind};
use renmen_store::insight::{Need, Subject, UNKNOWN};
use serde_json::{Value, json};

use super::world::{World, ask, day, rows_of};
use crate::bed::on_both;

fn by(value: &str) -> Value {
    json!({ "external": { "value": value } })
}

fn number(value: &str) -> Value {
    json!({ "key": { "scheme": "employee_number", "value": value } })
}

fn employee(number: &str, work: Value) -> Value {
    json!({ "person": {}, "number": number, "work": work })
}

fn metric(of: (&str, Value), code: &str, end: &str, value: &str) -> Value {
    json!({
        "metric": { "code": code, "name": { "en": code }, "objective": true, "direction": "LOWER" },
        of.0: of.1, "period": { "start": "2025-01-01", "end": end }, "value": value,
    })
}

on_both! {
    async fn an_employment_counts_from_its_first_day_of_work_and_once_a_person(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("hr", Kind::Employee, "e1", employee("E1", json!({ "start_date": "2020-01-01" }))).await;
        world.put("hr", Kind::Employee, "e2", employee("E2", json!({ "hire_date": "2024-02-01", "end_date": "2024-12-31", "end_reason": { "code": "RESIGNED" } }))).await;
        world.put("hr", Kind::Employee, "e3", employee("E3", json!({ "title": "Clerk" }))).await;
        world.put("hr", Kind::Employment, "m1", json!({
            "employee": by("e1"), "status": { "code": "TERMINATED" }, "hire_date": "2024-12-01", "start_date": "2025-01-01",
            "end_date": "2025-06-30", "end_reason": { "code": "PROBATION_FAILED" }, "probation": { "outcome": { "code": "FAILED" } },
        })).await;
        world.put("hr", Kind::Employment, "m2", json!({ "employee": by("nobody"), "status": { "code": "ACTIVE" } })).await;
        let got = world.got(&[Need::Employments]).await;
        let rows = rows_of!(got, Employments);
        let person = world.key("hr", Kind::Employee, "e1").await;
        let first = rows.iter().find(|row| row.person == Some(person)).unwrap();
        assert_eq!((first.start, first.end), (Some(day("2025-01-01")), Some(day("2025-06-30"))), "not what the employee record says");
        assert_eq!((first.end_reason, first.probation), (Some(EndReason::ProbationFailed), Some(ProbationOutcome::Failed)));
        let other = world.key("hr", Kind::Employee, "e2").await;
        let second = rows.iter().find(|row| row.person == Some(other)).unwrap();
        assert_eq!((second.employment, second.start, second.end, second.probation), (other, Some(day("2024-02-01")), Some(day("2024-12-31")), None));
        assert_eq!((rows.len(), got.read.unresolved), (3, 1), "one of nobody; and one who is said to begin on no day is none");
    }

    async fn an_employment_without_its_employee_is_the_applicants(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("ats", Kind::Candidate, "c1", json!({ "person": {} })).await;
        world.put("ats", Kind::Application, "a1", json!({ "candidate": by("c1"), "job": by("j1"), "status": { "code": "HIRED" } })).await;
        let application = json!({ "external": { "connection": "ats", "value": "a1" } });
        world.put("hr", Kind::Employment, "m1", json!({ "employee": by("late"), "status": { "code": "ACTIVE" }, "source_application": application })).await;
        let rows = rows_of!(world.got(&[Need::Employments]).await, Employments);
        assert_eq!(rows[0].person, Some(world.key("ats", Kind::Candidate, "c1").await));
        world.put("hr", Kind::Employee, "late", employee("E1", json!({}))).await;
        let rows = rows_of!(world.got(&[Need::Employments]).await, Employments);
        assert_eq!(rows[0].person, Some(world.key("hr", Kind::Employee, "late").await), "whom it names counts first");
    }

    async fn a_review_counts_when_it_is_settled_and_by_others(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("hr", Kind::Employee, "e1", employee("E1", json!({}))).await;
        let review = |more: Value| {
            let mut body = json!({
                "cycle": { "kind": { "code": "ANNUAL" }, "period": { "start": "2025-01-01", "end": "2025-12-31" } },
                "reviewee": by("e1"), "rating": { "value": "3", "min": "1", "max": "5", "scale": "STARS" },
            });
            more.as_object().unwrap().iter().for_each(|(field, value)| body[field] = value.clone());
            body
        };
        let cases = [
            ("plain", json!({}), true),
            ("compared", json!({ "calibrated": true, "relation": { "code": "MANAGER" } }), true),
            ("open", json!({ "calibrated": false }), false),
            ("ended", json!({ "calibrated": false, "completed_at": "2026-01-05T00:00:00.000Z" }), true),
            ("own", json!({ "relation": { "code": "SELF" } }), false),
            ("no day", json!({ "cycle": { "kind": { "code": "PROBATION" } }, "completed_at": "2026-01-05T17:00:00.000Z" }), true),
        ];
        for (id, more, _) in &cases {
            world.put("hr", Kind::PerformanceReview, id, review(more.clone())).await;
        }
        let mut unrated = review(json!({}));
        unrated.as_object_mut().unwrap().remove("rating");
        world.put("hr", Kind::PerformanceReview, "unrated", unrated).await;
        let rows = rows_of!(world.got(&[Need::Reviews]).await, Reviews);
        for (id, _, counts) in &cases {
            let key = world.key("hr", Kind::PerformanceReview, id).await;
            assert_eq!(rows.iter().any(|row| row.review == key), *counts, "{id}");
        }
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| row.rating == 500_000 && row.person.is_some()));
        let probation = rows.iter().find(|row| row.cycle == ReviewCycleKind::Probation).unwrap();
        assert_eq!(probation.until, Some(day("2026-01-06")), "the day in China on which it was settled");
        // One that is settled later counts from then on; one that is opened again does not.
        world.put("hr", Kind::PerformanceReview, "open", review(json!({ "calibrated": true }))).await;
        world.put("hr", Kind::PerformanceReview, "compared", review(json!({ "calibrated": false }))).await;
        let rows = rows_of!(world.got(&[Need::Reviews]).await, Reviews);
        let key = world.key("hr", Kind::PerformanceReview, "open").await;
        assert!(rows.len() == 4 && rows.iter().any(|row| row.review == key));
    }

    async fn a_metric_is_of_a_person_a_unit_or_a_position_by_any_kind_of_reference(bed: &Bed) {
        let mut world = World::of(bed);
        // The figures come first, of another connection.
        world.put("pms", Kind::PerformanceMetric, "by number", metric(("employee", number("E1")), "sales", "2025-03-31", "100.5")).await;
        world.put("pms", Kind::PerformanceMetric, "of nobody", metric(("employee", number("E9")), "sales", "2025-03-31", "1")).await;
        world.put("pms", Kind::PerformanceMetric, "of a unit", metric(("org_unit", json!({ "external": { "connection": "hr", "value": "u1" } })), "sales", "2025-03-31", "7")).await;
        world.put("pms", Kind::PerformanceMetric, "of a position", metric(("position", json!({ "external": { "connection": "hr", "value": "p1" } })), "errors", "2025-03-31", "-2")).await;
        world.put("pms", Kind::PerformanceMetric, "of no position", metric(("position", by("p1")), "errors", "2025-03-31", "3")).await;
        world.put("hr", Kind::Employee, "e1", employee("E1", json!({ "job": by("p1"), "org_unit": by("u1") }))).await;
        world.put("hr", Kind::Job, "p1", json!({ "kind": { "code": "POSITION" }, "title": { "en": "Clerk" } })).await;
        world.put("hr", Kind::OrgUnit, "u1", json!({ "name": { "en": "Shop" }, "kind": { "code": "DEPARTMENT" } })).await;
        let by_id = json!({ "id": world.id("hr", Kind::Employee, "e1").await });
        world.put("pms", Kind::PerformanceMetric, "by id", metric(("employee", by_id), "sales", "2025-06-30", "0.000001")).await;
        let elsewhere = json!({ "external": { "connection": "hr", "value": "e1" } });
        world.put("pms", Kind::PerformanceMetric, "by external id", metric(("employee", elsewhere), "sales", "2025-06-30", "5")).await;

        let got = world.got(&[Need::Metrics]).await;
        let rows = rows_of!(got, Metrics);
        let (person, position, unit) = (
            world.key("hr", Kind::Employee, "e1").await,
            world.key("hr", Kind::Job, "p1").await,
            world.key("hr", Kind::OrgUnit, "u1").await,
        );
        let expected = [
            ("by number", Subject::Person(Some(person)), "sales", "100.5", Some(position), Some(unit)),
            ("of nobody", Subject::Person(None), "sales", "1", None, None),
            ("of a unit", Subject::Unit(unit), "sales", "7", None, None),
            ("of a position", Subject::Position(position), "errors", "-2", None, None),
            ("of no position", Subject::Position(UNKNOWN), "errors", "3", None, None),
            ("by id", Subject::Person(Some(person)), "sales", "0.000001", Some(position), Some(unit)),
            ("by external id", Subject::Person(Some(person)), "sales", "5", Some(position), Some(unit)),
        ];
        assert_eq!((rows.len(), got.read.unresolved), (expected.len(), 2));
        for (id, subject, code, value, position, unit) in expected {
            let key = world.key("pms", Kind::PerformanceMetric, id).await;
            let row = rows.iter().find(|row| row.metric == key).unwrap();
            assert_eq!((row.subject, got.name(row.code), row.value.to_string().as_str()), (subject, code, value), "{id}");
            assert_eq!((row.position, row.unit, row.objective, row.direction), (position, unit, true, Some(Direction::Lower)), "{id}");
        }
        let only = renmen_store::insight::Ask { metrics: Some(vec!["errors".into()]), ..ask(&[Need::Metrics]) };
        assert_eq!(world.stream(&only, None).await.unwrap().read.rows, 2);
    }

    async fn the_position_of_a_figure_is_the_one_held_on_its_last_day(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("hr", Kind::Employee, "e1", employee("E1", json!({ "job": by("now") }))).await;
        for job in ["now", "first", "second"] {
            world.put("hr", Kind::Job, job, json!({ "kind": { "code": "POSITION" }, "title": { "en": job } })).await;
        }
        let assignment = |job: &str, from: &str, to: Option<&str>| {
            let mut body = json!({ "employee": by("e1"), "position": by(job), "validity": { "valid_from": from } });
            to.into_iter().for_each(|to| body["validity"]["valid_to"] = json!(to));
            body
        };
        world.put("hr", Kind::Assignment, "x1", assignment("first", "2024-01-01", Some("2024-12-31"))).await;
        world.put("hr", Kind::Assignment, "x2", assignment("second", "2025-01-01", None)).await;
        for end in ["2023-12-31", "2024-12-31", "2025-01-01"] {
            let mut body = metric(("employee", number("E1")), "sales", end, "1");
            body["period"]["start"] = json!("2023-01-01");
            world.put("pms", Kind::PerformanceMetric, end, body).await;
        }
        let held = async |world: &World, end: &str| {
            let rows = rows_of!(world.got(&[Need::Metrics]).await, Metrics);
            rows.iter().find(|row| row.until == day(end)).unwrap().position
        };
        assert_eq!(held(&world, "2023-12-31").await, None, "before the first one");
        assert_eq!(held(&world, "2024-12-31").await, Some(world.key("hr", Kind::Job, "first").await));
        assert_eq!(held(&world, "2025-01-01").await, Some(world.key("hr", Kind::Job, "second").await));
        world.gone("hr", Kind::Assignment, "x1").await;
        world.gone("hr", Kind::Assignment, "x2").await;
        assert_eq!(held(&world, "2024-12-31").await, Some(world.key("hr", Kind::Job, "now").await), "without history, what is so now");
    }
}
