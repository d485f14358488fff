//! What is asked by itself: each time once, whichever gateway does it, whenever it is killed and however its clock steps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use renmen_analysis::{AnalysisWork, Ask, Every, Plan, QuestionName, Settings};
use renmen_insight::Why;
use renmen_schema::code::AuditMeasure;
use renmen_schema::entity::{BiasAudit, Insight};
use serde_json::json;

use crate::bed::{Bed, tenant};
use crate::rows::{MadeUp, Mood, application, at, hundred, left_out};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn plan(name: &str, question: QuestionName, every: Every) -> Plan {
    Plan { name: name.to_owned(), tenant: None, ask: Ask::of(question), every, window_days: Some(90) }
}

fn settings(gateway: &str, plans: Vec<Plan>) -> Settings {
    let ask_within = Duration::from_millis(1_500);
    Settings { plans, gateway: gateway.to_owned(), offset_minutes: 480, ask_within, ..Settings::default() }
}

fn work(bed: &Bed, rows: &Arc<MadeUp>, gateway: &str, plans: Vec<Plan>) -> AnalysisWork {
    AnalysisWork::new(&bed.analysis(rows.clone(), settings(gateway, plans)), &[tenant()])
}

#[tokio::test]
async fn a_time_is_answered_once_and_missed_times_are_made_up_by_one() {
    let bed = Bed::new().await;
    let rows = MadeUp::new(hundred());
    let plans = vec![plan("weekly", QuestionName::Funnel, Every::Days(7))];
    let work = work(&bed, &rows, "one", plans.clone());
    for _ in 0..3 {
        work.turn().await.unwrap();
    }
    let kept = bed.records("insight").await;
    assert_eq!(kept.len(), 1);
    let body: Insight = serde_json::from_slice(&kept[0].body).unwrap();
    let window = body.scope.window.unwrap();
    // 2026-03-02 was a Monday in China: the time began then, and asks over the 90 days before.
    assert_eq!((window.start.to_string().as_str(), window.end.to_string().as_str()), ("2025-12-02", "2026-03-01"));
    assert_eq!(body.made_at, Some(at("2026-03-01T16:00:00Z")));
    let schedule = work.schedules().remove(&tenant()).unwrap();
    assert_eq!(schedule.standings()[0].answered.as_deref(), Some("2026-03-02"));

    // Three weeks without a gateway: one answer, the newest. Another gateway takes up where this one was.
    drop(work);
    bed.clock.advance(22 * DAY);
    bed.clock.pass(Duration::from_secs(60));
    let other = self::work(&bed, &rows, "two", plans.clone());
    for _ in 0..3 {
        other.turn().await.unwrap();
        bed.clock.pass(Duration::from_secs(20));
    }
    assert_eq!(bed.records("insight").await.len(), 2);
    // A clock that steps back asks nothing again.
    bed.clock.advance(-30 * DAY);
    other.turn().await.unwrap();
    assert_eq!(bed.records("insight").await.len(), 2);
}

#[tokio::test]
async fn of_who_was_never_interviewed_nothing_is_asked_in_time_and_nothing_is_kept() {
    // Nothing yet, and the staff of a company that interviews no one: they were not asked for their consent, and need not be.
    let staff = (0..30).map(|n| left_out(n, Why::NoConsent)).collect();
    for rows in [Vec::new(), staff] {
        let bed = Bed::new().await;
        let rows = MadeUp::new(rows);
        let questions = [QuestionName::Funnel, QuestionName::Alert, QuestionName::Fairness, QuestionName::Review];
        let plans = questions.map(|question| plan(question.as_str(), question, Every::Days(7)));
        let work = work(&bed, &rows, "one", plans.into());
        work.turn().await.unwrap();
        for entity in ["insight", "bias_audit"] {
            assert!(bed.records(entity).await.is_empty(), "{entity}");
        }
        let schedule = work.schedules().remove(&tenant()).unwrap();
        assert!(
            schedule.standings().iter().all(|plan| plan.answered.as_deref() == Some("2026-03-02")),
            "each has its time"
        );
    }
}

#[tokio::test]
async fn an_audit_that_had_to_leave_out_every_applicant_is_kept_and_says_so() {
    let bed = Bed::new().await;
    let mut rows: Vec<_> = (0..30).map(|n| left_out(n, Why::NoConsent)).collect();
    rows.extend((0..4).map(|n| application(n, Some(n == 0))));
    let plans = vec![plan("groups", QuestionName::Fairness, Every::Days(7))];
    let work = work(&bed, &MadeUp::new(rows), "one", plans);
    work.turn().await.unwrap();
    let audits = bed.records("bias_audit").await;
    let selection: BiasAudit = audits
        .iter()
        .map(|row| serde_json::from_slice::<BiasAudit>(&row.body).unwrap())
        .find(|audit| audit.measure == Some(AuditMeasure::Selection))
        .unwrap();
    let told: Vec<(&str, u64)> = selection.left_out.iter().map(|one| (one.reason.as_str(), one.n)).collect();
    assert_eq!(told, [("no_consent", 4)], "of the other 26 nothing was left out");
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_tried_again_and_keeps_no_other_waiting() {
    let bed = Bed::new().await;
    let rows = MadeUp::new(hundred());
    let plans = vec![
        plan("first", QuestionName::Funnel, Every::Days(7)),
        plan("second", QuestionName::Channels, Every::Days(7)),
    ];
    let work = work(&bed, &rows, "one", plans);
    let schedule = work.schedules().remove(&tenant()).unwrap();
    rows.mood(Mood::Hangs);
    work.turn().await.unwrap();
    let standings = schedule.standings();
    assert!(standings.iter().all(|one| one.failing_since_ms.is_some() && one.due.as_deref() == Some("2026-03-02")));
    assert!(standings[1].why.as_ref().unwrap().to_string().contains("insight.ask_within"));
    assert_eq!(bed.records("insight").await.len(), 0);
    rows.mood(Mood::Good);
    let before = rows.readings.load(Ordering::SeqCst);
    work.turn().await.unwrap();
    assert_eq!(rows.readings.load(Ordering::SeqCst), before, "not at once");
    bed.clock.advance(HOUR);
    work.turn().await.unwrap();
    assert_eq!(bed.records("insight").await.len(), 2);
    assert!(schedule.standings().iter().all(|one| one.failing_since_ms.is_none() && one.due.is_none()));
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Two gateways, steps of the clock, readings that break, gateways that are killed in the middle: what is kept is one record,
/// of one revision, for each time that was ever the newest while a gateway worked and answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_any_course_each_time_has_one_record_and_the_place_only_rises() {
    for seed in 0..12 {
        let bed = Bed::new().await;
        let rows = MadeUp::new(hundred());
        let mut dice = Dice(seed);
        let plans = vec![
            plan("daily", QuestionName::Funnel, Every::Days(1)),
            plan("weekly", QuestionName::Friction, Every::Days(7)),
        ];
        let mut gateways = [work(&bed, &rows, "one", plans.clone()), work(&bed, &rows, "two", plans.clone())];
        let mut model: BTreeMap<&str, i64> = BTreeMap::new();
        let mut answered = 0;
        for _ in 0..40 {
            match dice.roll(6) {
                0 => bed.clock.advance(i64::try_from(dice.roll(3)).unwrap() * DAY),
                1 => bed.clock.advance(-(i64::try_from(dice.roll(40)).unwrap()) * HOUR),
                2 => rows.mood([Mood::Good, Mood::Breaks][dice.roll(2) as usize]),
                _ => bed.clock.advance(HOUR),
            }
            bed.clock.pass(Duration::from_secs(dice.roll(20)));
            let which = dice.roll(2) as usize;
            // Cut off anywhere, or not at all: then another process begins in its place.
            let cut = Duration::from_millis(dice.roll(30));
            if dice.roll(3) == 0 {
                let _ = tokio::time::timeout(cut, gateways[which].turn()).await;
                gateways[which] = work(&bed, &rows, ["one", "two"][which], plans.clone());
            } else {
                gateways[which].turn().await.unwrap();
            }
            let kept = bed.records("insight").await;
            assert!(kept.iter().all(|row| row.revision == 1), "seed {seed}: a time was answered twice");
            assert!(kept.len() >= answered, "seed {seed}");
            answered = kept.len();
            for name in ["daily", "weekly"] {
                let stands = place(&bed, name).await;
                let before = model.insert(name, stands).unwrap_or(0);
                assert!(stands >= before, "seed {seed}: {name} went back from {before} to {stands}");
            }
        }
        // At rest, with a good store: everything that is due is answered, by one of them.
        rows.mood(Mood::Good);
        for _ in 0..4 {
            bed.clock.advance(HOUR);
            bed.clock.pass(Duration::from_secs(20));
            for gateway in &gateways {
                gateway.turn().await.unwrap();
            }
        }
        for schedule in gateways.iter().map(|gateway| gateway.schedules().remove(&tenant()).unwrap()) {
            assert!(
                schedule.standings().iter().all(|one| one.due.is_none()),
                "seed {seed}: {:?}",
                schedule.standings()
            );
        }
        let questions: Vec<_> = bed.records("insight").await.iter().map(|row| row.external_id.clone()).collect();
        let mut once = questions.clone();
        once.dedup();
        assert_eq!(questions, once, "seed {seed}");
    }
}

async fn place(bed: &Bed, plan: &str) -> i64 {
    let key = renmen_store::StreamKey {
        tenant: tenant(),
        connection: crate::bed::name("renmen"),
        stream: renmen_schema::id::StreamName::new(&format!("insight-{plan}")).unwrap(),
    };
    bed.store.stream_state(&key).await.unwrap().cursor.map_or(0, |text| text.parse().unwrap())
}

/// An instruction that is applied gets its effect, without losing what people did about it; asked again it stays as it is.
#[tokio::test]
async fn the_review_writes_the_effect_on_the_instruction_and_only_where_it_is_applied_r52() {
    let bed = Bed::new().await;
    let rows = MadeUp::new(crate::answers::around("2026-02-01"));
    let target = json!({ "vendor_connection": "interviews", "profile_version": 3 });
    let ops =
        json!([{ "op": "SET_WEIGHT", "competency": { "external": { "value": "c" } }, "from_bp": 1500, "to_bp": 2500 }]);
    let acts = json!([{ "to": "PROPOSED", "by": "li.na", "at": "2026-01-20T02:00:00.000Z" }]);
    let body = |status: &str| {
        json!({ "target": target, "ops": ops, "acts": acts, "status": status,
                "evidence": { "metric": "pearson:final_round", "before": "0.2", "sample": 60 } })
    };
    let applied = crate::rows::at("2026-02-01T02:00:00Z").epoch_ms();
    let ids = bed.author(applied, &[("adjust/1", body("APPLIED")), ("adjust/2", body("PROPOSED"))]).await;
    let plans = vec![Plan { window_days: None, ..plan("review", QuestionName::Review, Every::Days(7)) }];
    let work = work(&bed, &rows, "one", plans);
    work.turn().await.unwrap();
    let row = bed.store.record(&tenant(), ids[0]).await.unwrap().unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&row.body).unwrap();
    let effect = &kept["effect"];
    assert_eq!((&effect["metric"], &effect["verdict"]), (&json!("pearson:final_round"), &json!("BETTER")), "{effect}");
    assert!(effect["before_sample"].as_u64() >= Some(30) && effect["sample"].as_u64() >= Some(30), "{effect}");
    assert_eq!((&kept["acts"][0]["by"], row.revision), (&json!("li.na"), 2));
    assert_eq!(
        bed.store.record(&tenant(), ids[1]).await.unwrap().unwrap().revision,
        1,
        "what was not applied has no effect"
    );
    let insight = bed.records("insight").await;
    assert_eq!(insight.len(), 1);
    work.turn().await.unwrap();
    assert_eq!(bed.store.record(&tenant(), ids[0]).await.unwrap().unwrap().revision, 2);
}
