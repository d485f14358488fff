//! Applications, steps, interviews, results, scores, answers and offers.

use renmen_schema::EntityKind as Kind;
use renmen_schema::code::{
    ApplicationStatus, InterviewKind, NodeCode, OfferStatus, OutcomeReason, SourceChannel, StageKind,
};
use renmen_store::insight::{Need, UNKNOWN};
use serde_json::{Value, json};

use super::world::{Got, World, rows_of};
use crate::bed::on_both;

fn by(value: &str) -> Value {
    json!({ "external": { "value": value } })
}

fn in_connection(connection: &str, value: &str) -> Value {
    json!({ "external": { "connection": connection, "value": value } })
}

fn percent(value: &str) -> Value {
    json!({ "value": value, "min": "0", "max": "100", "scale": "PERCENT" })
}

fn application(candidate: Value, job: &str) -> Value {
    json!({ "candidate": candidate, "job": by(job), "status": { "code": "ACTIVE" } })
}

fn interview(application: &str, status: &str) -> Value {
    json!({ "application": by(application), "kind": "AI", "status": { "code": status } })
}

/// A candidate with an application and an interview of one name.
async fn applicant(world: &mut World, name: &str) {
    world.put("ats", Kind::Job, "j1", json!({ "kind": { "code": "JOB" }, "title": { "en": "Clerk" } })).await;
    world.put("ats", Kind::Candidate, name, json!({ "person": {} })).await;
    world.put("ats", Kind::Application, name, application(by(name), "j1")).await;
    world.put("ats", Kind::Interview, name, interview(name, "COMPLETED")).await;
}

on_both! {
    async fn an_application_says_who_where_how_and_how_it_ended(bed: &Bed) {
        let mut world = World::of(bed);
        world.put("ats", Kind::Application, "a1", json!({
            "candidate": by("c1"), "job": by("j1"), "status": { "code": "REJECTED" },
            "stage": { "name": { "en": "Talk" }, "kind": { "code": "INTERVIEW" } },
            "stage_history": [
                { "stage": { "name": { "en": "In" }, "kind": { "code": "APPLIED" } }, "entered_at": "2025-03-01T01:00:00.000Z" },
                { "stage": { "name": { "en": "Talk" }, "kind": { "code": "INTERVIEW" } }, "entered_at": "2025-03-02T01:00:00.000Z" },
            ],
            "source": { "channel": { "code": "CAMPUS" } }, "applied_at": "2025-03-01T01:00:00.000Z",
            "outcome": { "code": { "code": "REJECTED" }, "reasons": [{ "code": "BELOW_PASS_LINE" }, { "code": "OTHER", "raw": "x" }] },
        })).await;
        let early = rows_of!(world.got(&[Need::Applications]).await, Applications);
        assert_eq!((early[0].person, early[0].job), (None, None), "whom and what it names came not yet");
        applicant(&mut world, "c1").await;
        let got = world.got(&[Need::Applications]).await;
        let rows = rows_of!(got, Applications);
        let row = rows.iter().find(|row| row.status == ApplicationStatus::Rejected).unwrap();
        assert_eq!(row.application, world.key("ats", Kind::Application, "a1").await);
        assert_eq!(row.person, Some(world.key("ats", Kind::Candidate, "c1").await));
        assert_eq!(row.job, Some(world.key("ats", Kind::Job, "j1").await));
        assert_eq!(row.channel, Some(SourceChannel::Campus));
        assert_eq!(row.applied_at.unwrap().to_string(), "2025-03-01T01:00:00.000Z");
        assert_eq!(row.reasons, [OutcomeReason::BelowPassLine, OutcomeReason::Other]);
        assert_eq!(row.stages, [StageKind::Applied, StageKind::Interview]);
        assert!(row.reached(StageKind::Interview) && !row.reached(StageKind::Offer));
        let moved = |stage| row.selected(Some(stage));
        assert_eq!([moved(StageKind::Applied), moved(StageKind::Screening), moved(StageKind::Interview)], [Some(true), Some(true), Some(false)]);
        let open = rows.iter().find(|row| row.status == ApplicationStatus::Active).unwrap();
        assert_eq!((open.selected(None), open.selected(Some(StageKind::Interview)), open.channel), (None, None, None));
    }

    async fn a_step_counts_under_the_application_whatever_it_is_a_step_of(bed: &Bed) {
        let mut world = World::of(bed);
        applicant(&mut world, "c1").await;
        world.put("ats", Kind::InterviewAnswer, "w1", json!({
            "interview": by("c1"), "question": { "text": { "en": "Why?" }, "kind": { "code": "OPEN" } },
        })).await;
        world.put("ats", Kind::Offer, "o1", json!({ "application": by("c1"), "status": { "code": "SENT" } })).await;
        let interview_id = world.id("ats", Kind::Interview, "c1").await;
        let subjects = [
            ("application", by("c1")),
            ("interview", by("c1")),
            ("interview", json!({ "id": interview_id })),
            ("answer", by("w1")),
            ("offer", by("o1")),
            ("answer", by("nowhere")),
            ("migration", by("m1")),
        ];
        for (at, (of, subject)) in subjects.into_iter().enumerate() {
            world.put("ats", Kind::ProcessNode, &format!("n{at}"), json!({
                "subject": { of: subject }, "node": { "code": "STARTED" }, "at": "2025-03-01T01:00:00.000Z",
                "attrs": { "clicks": 3, "wait_ms": 1500 },
            })).await;
        }
        let got = world.got(&[Need::Steps]).await;
        let rows = rows_of!(got, Steps);
        let application = world.key("ats", Kind::Application, "c1").await;
        let mut under = Vec::new();
        for at in 0..6 {
            let step = world.key("ats", Kind::ProcessNode, &format!("n{at}")).await;
            let row = rows.iter().find(|row| row.step == step).unwrap();
            assert_eq!((row.node, row.clicks, row.wait_ms), (NodeCode::Started, Some(3), Some(1_500)));
            under.push(row.application);
        }
        assert_eq!(under, [application, application, application, application, application, UNKNOWN]);
        assert_eq!((rows.len(), got.read.unresolved), (6, 1), "a step of a migration is none of these");
    }

    async fn an_interview_is_when_it_ended_and_one_that_did_not_take_place_is_none(bed: &Bed) {
        let mut world = World::of(bed);
        applicant(&mut world, "c1").await;
        let at = |hour: u32| json!({ "utc": format!("2025-03-01T{hour:02}:00:00.000Z") });
        let times = [("ended_at", 4), ("end", 3), ("started_at", 2), ("start", 1)];
        for (index, (_, hour)) in times.iter().enumerate() {
            let mut body = interview("c1", "COMPLETED");
            body["round"] = json!(index);
            body["kind"] = json!("HUMAN");
            for (field, hour) in &times[index..] {
                body[*field] = at(*hour);
            }
            world.put("vendor", Kind::Interview, &format!("h{hour}"), {
                body["application"] = in_connection("ats", "c1");
                body
            }).await;
        }
        for status in ["CANCELLED", "NO_SHOW", "EXPIRED"] {
            world.put("ats", Kind::Interview, status, interview("c1", status)).await;
        }
        world.put("ats", Kind::Job, "j2", json!({ "kind": { "code": "POSITION" }, "title": { "en": "Other" } })).await;
        let mut own_job = interview("c1", "SCHEDULED");
        own_job["job"] = by("j2");
        world.put("ats", Kind::Interview, "own", own_job).await;
        world.put("ats", Kind::Interview, "lost", interview("nobody", "COMPLETED")).await;

        let got = world.got(&[Need::Interviews]).await;
        let rows = rows_of!(got, Interviews);
        assert_eq!(rows.len(), 7, "c1, four of a vendor, one of another job, one without an application");
        let (person, job) = (world.key("ats", Kind::Candidate, "c1").await, world.key("ats", Kind::Job, "j1").await);
        for (index, (_, hour)) in times.iter().enumerate() {
            let key = world.key("vendor", Kind::Interview, &format!("h{hour}")).await;
            let row = rows.iter().find(|row| row.interview == key).unwrap();
            assert_eq!(row.at.unwrap().to_string(), format!("2025-03-01T{hour:02}:00:00.000Z"));
            assert_eq!((row.person, row.job, row.kind, row.round), (Some(person), Some(job), InterviewKind::Human, Some(index as u32)));
        }
        let own = world.key("ats", Kind::Interview, "own").await;
        let own = rows.iter().find(|row| row.interview == own).unwrap();
        assert_eq!((own.job, own.at), (Some(world.key("ats", Kind::Job, "j2").await), None));
        let lost = world.key("ats", Kind::Interview, "lost").await;
        let lost = rows.iter().find(|row| row.interview == lost).unwrap();
        assert_eq!((lost.application, lost.person, got.read.unresolved), (UNKNOWN, None, 1));
    }

    async fn a_score_is_a_place_on_its_scale_and_a_correction_takes_the_first_ones_place(bed: &Bed) {
        let mut world = World::of(bed);
        applicant(&mut world, "c1").await;
        world.put("ats", Kind::Competency, "k1", json!({ "name": { "en": "Logic" }, "code": "logic" })).await;
        world.put("ats", Kind::Competency, "k2", json!({ "name": { "zh-CN": "耐心", "en": "Patience" } })).await;
        let score = |competency: Option<&str>, dimension: Option<&str>, score: Value| {
            let mut body = json!({ "interview": by("c1"), "score": score });
            competency.into_iter().for_each(|of| body["competency"] = by(of));
            dimension.into_iter().for_each(|name| body["dimension"] = json!({ "und": name }));
            body
        };
        let stars = json!({ "value": "4", "min": "1", "max": "5", "scale": "STARS" });
        world.put("ats", Kind::DimensionScore, "s1", score(Some("k1"), Some("Logik"), percent("85"))).await;
        world.put("ats", Kind::DimensionScore, "s2", score(Some("k2"), None, stars)).await;
        world.put("ats", Kind::DimensionScore, "s3", score(Some("unknown"), Some("Service"), percent("0"))).await;
        world.put("ats", Kind::DimensionScore, "s4", score(Some("unknown"), None, percent("50"))).await;
        let mut of_test = score(Some("k1"), None, percent("10"));
        of_test.as_object_mut().unwrap().remove("interview");
        of_test["assessment"] = by("t1");
        world.put("ats", Kind::DimensionScore, "s5", of_test).await;
        let shown = |got: &Got| {
            let mut rows: Vec<_> =
                rows_of!(got, Scores).iter().map(|row| (got.name(row.dimension).to_owned(), row.value)).collect();
            rows.sort();
            rows
        };
        let got = world.got(&[Need::Scores]).await;
        assert_eq!(shown(&got), [("Patience".to_owned(), 750_000), ("Service".to_owned(), 0), ("logic".to_owned(), 850_000)]);
        assert_eq!(got.read.unresolved, 1, "one of a competency that is not there, without a name");
        assert!(rows_of!(got, Scores).iter().all(|row| row.interview != UNKNOWN));

        // Corrected by id from another connection, and again by external id.
        let mut second = score(Some("k1"), None, percent("60"));
        second["adjusts"] = json!({ "id": world.id("ats", Kind::DimensionScore, "s1").await });
        second["adjust_reason"] = json!({ "text": { "en": "noise" } });
        second["interview"] = in_connection("ats", "c1");
        second["competency"] = in_connection("ats", "k1");
        world.put("renmen", Kind::DimensionScore, "d1", second.clone()).await;
        let logic = |got: &Got| shown(got).iter().filter(|(name, _)| name == "logic").map(|(_, value)| *value).collect::<Vec<_>>();
        assert_eq!(logic(&world.got(&[Need::Scores]).await), [600_000]);
        second["adjusts"] = by("d1");
        second["score"] = percent("70");
        world.put("renmen", Kind::DimensionScore, "d2", second).await;
        assert_eq!(logic(&world.got(&[Need::Scores]).await), [700_000]);
        world.gone("renmen", Kind::DimensionScore, "d2").await;
        assert_eq!(logic(&world.got(&[Need::Scores]).await), [600_000], "the one before stands again");
    }

    async fn a_result_has_its_place_and_an_answer_its_question(bed: &Bed) {
        let mut world = World::of(bed);
        applicant(&mut world, "c1").await;
        world.put("ats", Kind::InterviewResult, "r1", json!({ "interview": by("c1"), "overall": percent("33.3333") })).await;
        world.put("ats", Kind::InterviewResult, "r2", json!({ "interview": by("c1") })).await;
        world.put("ats", Kind::InterviewResult, "r3", json!({ "interview": by("nowhere"), "overall": percent("1") })).await;
        let got = world.got(&[Need::Results]).await;
        let mut rows: Vec<_> = rows_of!(got, Results).iter().map(|row| (row.overall, row.interview != UNKNOWN)).collect();
        rows.sort();
        assert_eq!(rows, [(None, true), (Some(10_000), false), (Some(333_333), true)]);

        let answer = |id: Option<&str>, score: Option<&str>| {
            let mut body = json!({ "interview": by("c1"), "question": { "text": { "en": "?" }, "kind": { "code": "OPEN" } } });
            id.into_iter().for_each(|id| body["question"]["id"] = json!(id));
            score.into_iter().for_each(|score| body["score"] = percent(score));
            body
        };
        world.put("ats", Kind::InterviewAnswer, "w1", answer(Some("q1"), Some("90"))).await;
        world.put("ats", Kind::InterviewAnswer, "w2", answer(Some("q2"), Some("80"))).await;
        world.put("ats", Kind::InterviewAnswer, "w3", answer(None, Some("70"))).await;
        world.put("ats", Kind::InterviewAnswer, "w4", answer(Some("q1"), None)).await;
        world.put_raw("renmen", Kind::LibraryQuestion, "q2", "{}").await;
        let got = world.got(&[Need::Answers]).await;
        let mut rows: Vec<_> = rows_of!(got, Answers).iter().map(|row| (got.name(row.question).to_owned(), row.value)).collect();
        rows.sort();
        assert_eq!(rows, [("ats/q1".to_owned(), 900_000), ("q2".to_owned(), 800_000)]);
    }

    async fn an_offer_is_in_the_band_of_its_job_or_of_what_that_is_a_part_of(bed: &Bed) {
        let mut world = World::of(bed);
        applicant(&mut world, "c1").await;
        let range = json!({ "min": "8", "max": "10", "currency": "CNY", "per": "MONTH" });
        let band = |key: Value| json!({ "key": key, "range": range, "status": "ACTIVE", "visibility": "INTERNAL" });
        world.put("pay", Kind::PayBand, "b1", band(json!({ "job_family": "clerks" }))).await;
        world.put("pay", Kind::PayBand, "b2", band(json!({ "position": in_connection("ats", "p1"), "level": "P6" }))).await;
        let offer = json!({
            "application": by("c1"), "status": { "code": "DECLINED" }, "level": "P6", "band_position": "0.25",
            "closed_at": "2025-04-01T00:00:00.000Z", "decline_reasons": [{ "code": "PAY_TOO_LOW" }],
        });
        world.put("ats", Kind::Offer, "o1", offer).await;
        let band_of = async |world: &World| {
            let rows = rows_of!(world.got(&[Need::Offers]).await, Offers);
            assert_eq!((rows.len(), rows[0].status, rows[0].reasons.as_slice()), (1, OfferStatus::Declined, [OutcomeReason::PayTooLow].as_slice()));
            assert_eq!(rows[0].band_position.unwrap().to_string(), "0.25");
            rows[0].band
        };
        assert_eq!(band_of(&world).await, None);
        let job = |parent: Option<&str>, band: Option<&str>, kind: &str| {
            let mut body = json!({ "kind": { "code": kind }, "title": { "en": "Clerk" } });
            parent.into_iter().for_each(|of| body["parent"] = by(of));
            band.into_iter().for_each(|of| body["pay_band"] = in_connection("pay", of));
            body
        };
        world.put("ats", Kind::Job, "p1", job(None, None, "POSITION")).await;
        world.put("ats", Kind::Job, "j1", job(Some("p1"), None, "REQUISITION")).await;
        assert_eq!(band_of(&world).await, Some(world.key("pay", Kind::PayBand, "b2").await), "for the position and the level");
        world.put("ats", Kind::Job, "p1", job(None, Some("b1"), "POSITION")).await;
        assert_eq!(band_of(&world).await, Some(world.key("pay", Kind::PayBand, "b1").await), "named by the position");
        world.gone("pay", Kind::PayBand, "b1").await;
        assert_eq!(band_of(&world).await, Some(world.key("pay", Kind::PayBand, "b2").await));
    }
}
