//! The numbers of the requirements once more, over records as connectors bring them: committed, read by the store, asked, kept.

use std::sync::Arc;

use renmen_analysis::{Analysis, Answer, Ask, QuestionName, Settings, StoredRows};
use renmen_insight::Purpose;
use renmen_insight::figure::Why;
use renmen_schema::code::LegalBasis;
use renmen_store::InsightStore;
use serde_json::{Value, json};

use crate::bed::{Bed, name, tenant};

const PURPOSE: &str = "interview_performance_analysis";

pub(crate) fn settings() -> Settings {
    let basis = vec![LegalBasis::HrManagement];
    Settings {
        purpose: Purpose { name: PURPOSE.into(), without_consent: basis.clone() },
        audit_purpose: Purpose { name: "bias_audit".into(), without_consent: basis },
        offset_minutes: 480,
        vendors: vec![name("interviews")],
        ..Settings::default()
    }
}

pub(crate) fn analysis(bed: &Bed, settings: Settings) -> Arc<Analysis> {
    let rows = StoredRows::new(Arc::clone(&bed.store) as Arc<dyn InsightStore>, 1_000_000);
    bed.analysis(Arc::new(rows), settings)
}

pub(crate) async fn ask(analysis: &Analysis, question: QuestionName, said: &[(&str, &str)]) -> Answer {
    analysis.ask(&tenant(), &Ask::read(question, said.iter().copied()).unwrap()).await.unwrap()
}

fn to(value: &str) -> Value {
    json!({ "external": { "value": value } })
}

pub(crate) fn hiring(value: &str) -> Value {
    json!({ "external": { "connection": "hiring", "value": value } })
}

/// A policy under which interviews and performance may be joined; without one they may not.
pub(crate) fn policy() -> Value {
    json!({ "purpose": [PURPOSE, "bias_audit"], "legal_basis": { "code": "HR_MANAGEMENT" } })
}

pub(crate) const JOB: &str = "j-1";

pub(crate) async fn job(bed: &Bed) -> String {
    let job = json!({ "kind": { "code": "REQUISITION" }, "title": { "en": "Sales" } });
    bed.commit("hiring", &[("job", JOB, job)]).await[0].to_string()
}

/// Candidates with their applications for the job, made in February 2026.
pub(crate) async fn applied(
    bed: &Bed,
    count: u32,
    candidate: impl Fn(u32) -> Value,
    status: impl Fn(u32) -> &'static str,
) {
    let ids: Vec<(String, String)> = (0..count).map(|n| (format!("c-{n}"), format!("a-{n}"))).collect();
    let mut records = Vec::new();
    for (n, (c, a)) in (0..).zip(&ids) {
        records.push(("candidate", c.as_str(), candidate(n)));
        let mut application = json!({
            "candidate": to(c), "job": to(JOB), "status": { "code": status(n) }, "applied_at": "2026-02-10T02:00:00.000Z",
        });
        if let Some(policy) = candidate(n).get("data_policy") {
            application["data_policy"] = policy.clone();
        }
        records.push(("application", a.as_str(), application));
    }
    bed.commit("hiring", &records).await;
}

fn somebody(_: u32) -> Value {
    json!({ "person": {}, "data_policy": policy() })
}

#[tokio::test]
async fn of_100_invited_40_finish_r31_r32() {
    let bed = Bed::new().await;
    let job = job(&bed).await;
    applied(&bed, 100, somebody, |_| "ACTIVE").await;
    let mut steps = Vec::new();
    for n in 0..100_u32 {
        let mut step = |code: &str, minute: u32, attrs: Value| {
            let at = format!("2026-02-11T02:{minute:02}:00.000Z");
            let mut body =
                json!({ "subject": { "application": hiring(&format!("a-{n}")) }, "node": { "code": code }, "at": at });
            if !attrs.is_null() {
                body["attrs"] = attrs;
            }
            steps.push((format!("{n}-{code}"), body));
        };
        step("INVITE_SENT", 0, Value::Null);
        step("INVITE_OPENED", 5, Value::Null);
        if n < 50 {
            step("CONFIRMED", 8, json!({ "clicks": 3, "wait_ms": 121_000 + n * 1_000 }));
            step("STARTED", 10, Value::Null);
        }
        if n < 40 {
            step("ANSWER_SUBMITTED", 20, Value::Null);
            step("COMPLETED", 30, Value::Null);
        }
    }
    let records: Vec<_> = steps.iter().map(|(id, body)| ("process_node", id.as_str(), body.clone())).collect();
    for piece in records.chunks(300) {
        bed.commit("interviews", piece).await;
    }
    let analysis = analysis(&bed, settings());
    let said = [("from", "2026-01-01"), ("to", "2026-03-31"), ("position", job.as_str())];
    let answer = ask(&analysis, QuestionName::Funnel, &said).await;
    let conversion = answer.figure("conversion").unwrap();
    assert_eq!((conversion.value, conversion.n), (Some(0.4), 100));
    let worst = answer.findings.iter().find(|one| one.code == "LOSES_MOST").unwrap();
    assert_eq!((worst.about.as_deref(), worst.value.as_deref()), (Some("INVITE_OPENED>CONFIRMED"), Some("50")));
    assert_eq!(answer.figure("INVITE_OPENED>CONFIRMED/clicks").unwrap().value, Some(3.0));
    assert!(answer.figure("INVITE_OPENED>CONFIRMED/wait_ms").unwrap().value.unwrap() > 120_000.0);
    // The ids behind the figures lead to the applications, and the kept answer has them as its lineage.
    let named = conversion.sources[0].ids[0];
    assert_eq!(bed.store.record(&tenant(), named).await.unwrap().unwrap().entity, "application");
    let kept = analysis.keep(&tenant(), &Ask::read(QuestionName::Funnel, said).unwrap()).await.unwrap();
    let causes = bed.store.causes(&tenant(), kept.ids[0], 1).await.unwrap();
    assert!(causes.iter().any(|cause| cause.record == named), "{} causes", causes.len());
}

/// Who has an interview by a model and a final round by a person; what their scores say about it is given.
pub(crate) async fn interviewed(bed: &Bed, count: u32, policy_of: impl Fn(u32) -> Value) {
    let mut records = Vec::new();
    let score = |value: f64| json!({ "value": format!("{:.4}", value.clamp(0.0, 1.0) * 100.0), "min": "0", "max": "100", "scale": "RAW" });
    for n in 0..count {
        let outcome = (f64::from(n) + 0.5) / f64::from(count);
        let (a, b) = ((f64::from(n) * 2.399_963).sin(), (f64::from(n) * 1.618_034 + 1.0).cos());
        let mixed = |share: f64, wave: f64| share * outcome + (1.0 - share) * (wave + 1.0) / 2.0;
        for (round, kind, overall) in [(0, "AI", mixed(0.7, a)), (2, "HUMAN", outcome)] {
            let id = format!("i-{n}-{round}");
            let interview = json!({
                "application": hiring(&format!("a-{n}")), "kind": kind, "status": { "code": "COMPLETED" }, "round": round, "data_policy": policy_of(n),
                "ended_at": { "utc": "2026-02-12T02:00:00.000Z" },
            });
            records.push(("interview", id.clone(), interview));
            records.push((
                "interview_result",
                format!("r-{n}-{round}"),
                json!({ "interview": to(&id), "overall": score(overall) }),
            ));
        }
        let interview = to(&format!("i-{n}-0"));
        for (dimension, value) in [("communication", mixed(0.7, a)), ("expression", mixed(0.0, b))] {
            let body = json!({ "interview": interview, "dimension": { "en": dimension }, "score": score(value) });
            records.push(("dimension_score", format!("s-{n}-{dimension}"), body));
        }
    }
    for piece in records.chunks(300) {
        let piece: Vec<_> = piece.iter().map(|(kind, id, body)| (*kind, id.as_str(), body.clone())).collect();
        bed.commit("interviews", &piece).await;
    }
}

#[tokio::test]
async fn what_predicts_the_final_round_and_who_may_not_be_joined_r44_r45_r42_r75() {
    let bed = Bed::new().await;
    job(&bed).await;
    // Of 210 people ten are only kept for another purpose.
    let kept = |n: u32| if n < 200 { policy() } else { json!({ "purpose": ["RECRUITMENT"] }) };
    applied(&bed, 210, |n| json!({ "person": {}, "data_policy": kept(n) }), |_| "ACTIVE").await;
    interviewed(&bed, 210, kept).await;
    let analysis = analysis(&bed, settings());
    let said = [("outcome", "final_round"), ("from", "2026-01-01"), ("to", "2026-03-31")];
    let answer = ask(&analysis, QuestionName::Predict, &said).await;
    let people = answer.findings.iter().find(|one| one.code == "PEOPLE").and_then(|one| one.n);
    assert_eq!((people, answer.count_left_out(Why::OtherPurpose)), (Some(200), 10), "{:?}", answer.left_out);
    let verdict =
        |about: &str| answer.findings.iter().find(|one| one.about.as_deref() == Some(about)).unwrap().code.clone();
    assert_eq!(verdict("dimension:communication"), "PREDICTS");
    assert_eq!(verdict("dimension:expression"), "NOT_PREDICTIVE");
    let figure = answer.figure("dimension:communication/final_round/pearson").unwrap();
    assert!(figure.n == 200 && figure.sources.iter().all(|source| !source.ids.is_empty()), "{figure:?}");
    // For a purpose that no one agreed to there are no people at all.
    let strict = Settings { purpose: Purpose { name: "marketing".into(), without_consent: Vec::new() }, ..settings() };
    let answer = ask(&self::analysis(&bed, strict), QuestionName::Predict, &said).await;
    assert_eq!(answer.count_left_out(Why::OtherPurpose), 210, "{:?}", answer.left_out);
    assert!(answer.figures.is_empty());
}

#[tokio::test]
async fn offers_refused_for_pay_flow_back_into_the_report_of_their_band_r56() {
    let bed = Bed::new().await;
    job(&bed).await;
    applied(&bed, 60, somebody, |_| "ACTIVE").await;
    let band = json!({
        "key": { "level": "middle" }, "range": { "min": "10000", "max": "13000", "currency": "CNY", "per": "MONTH" },
        "status": "ACTIVE", "visibility": "INTERNAL",
    });
    let band = bed.commit("payroll", &[("pay_band", "b-1", band)]).await[0];
    let linked = json!({
        "kind": { "code": "REQUISITION" }, "title": { "en": "Sales" },
        "pay_band": { "external": { "connection": "payroll", "value": "b-1" } },
    });
    bed.commit("hiring", &[("job", JOB, linked)]).await;
    let mut offers = Vec::new();
    for n in 0..60_u32 {
        let refused = n < 30;
        let mut offer = json!({
            "application": to(&format!("a-{n}")), "status": { "code": if refused { "DECLINED" } else { "ACCEPTED" } },
            "band_position": if refused { "0.2" } else { "0.7" }, "closed_at": "2026-02-20T02:00:00.000Z",
        });
        if refused {
            offer["decline_reasons"] = json!([{ "code": "PAY_TOO_LOW" }]);
        }
        offers.push((format!("o-{n}"), offer));
    }
    let records: Vec<_> = offers.iter().map(|(id, body)| ("offer", id.as_str(), body.clone())).collect();
    bed.commit("hiring", &records).await;
    let analysis = analysis(&bed, settings());
    let answer = ask(&analysis, QuestionName::Refusals, &[("from", "2026-01-01")]).await;
    let told = answer.findings.iter().find(|one| one.record == Some(band)).unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!((told.code.as_ref(), told.value.as_deref(), told.n), ("FLAGGED", Some("30"), Some(60)));
    assert_eq!(answer.figure(&format!("{band}/refused_for_pay")).unwrap().value, Some(0.5));
    assert_eq!(answer.figure(&format!("{band}/refused_at")).unwrap().value, Some(0.2));
}

#[tokio::test]
async fn performance_by_position_window_and_quantile_objective_only_r11_r12() {
    let bed = Bed::new().await;
    let job = job(&bed).await;
    let mut records = Vec::new();
    for n in 0..40_u32 {
        let id = format!("e-{n}");
        let employee = json!({ "person": {}, "work": { "job": hiring(JOB), "hire_date": "2024-01-01" } });
        records.push(("employee", id.clone(), employee));
        for (code, objective) in [("sales", true), ("attitude", false)] {
            let metric = json!({
                "metric": { "code": code, "name": { "en": code }, "objective": objective },
                "employee": to(&id), "period": { "start": "2026-01-01", "end": "2026-01-31" }, "value": (n + 1).to_string(),
            });
            records.push(("performance_metric", format!("{code}-{n}"), metric));
        }
    }
    let records: Vec<_> = records.iter().map(|(kind, id, body)| (*kind, id.as_str(), body.clone())).collect();
    bed.commit("hr", &records).await;
    let analysis = analysis(&bed, settings());
    let said = [
        ("from", "2026-01-01"),
        ("to", "2026-01-31"),
        ("position", job.as_str()),
        ("quantile", "0.5,0.9"),
        ("objective", "true"),
    ];
    let answer = ask(&analysis, QuestionName::Performance, &said).await;
    let figure =
        |name: &str| answer.figure(&format!("people/{job}/{name}")).unwrap_or_else(|| panic!("{name}: {answer:?}"));
    assert_eq!((figure("sales/quantile:0.5").value, figure("sales/quantile:0.5").n), (Some(20.5), 40));
    assert!((figure("sales/quantile:0.9").value.unwrap() - 36.1).abs() < 1e-9);
    assert_eq!((answer.figures.len(), answer.count_left_out(Why::Subjective)), (2, 40));
    // Another month has nothing, and says so.
    let later = ask(&analysis, QuestionName::Performance, &[("from", "2026-02-01"), ("position", job.as_str())]).await;
    assert_eq!((later.figures.len(), later.count_left_out(Why::OutsideWindow)), (0, 80));
}

#[tokio::test]
async fn a_ratio_under_0_80_is_flagged_and_a_small_group_stands_apart_r71() {
    let bed = Bed::new().await;
    job(&bed).await;
    let person = |n: u32| {
        let gender = match n {
            0..200 => Some("MALE"),
            200..400 => Some("FEMALE"),
            400..407 => Some("NON_BINARY"),
            _ => None,
        };
        let mut person = somebody(n);
        if let Some(gender) = gender {
            person["person"]["gender"] = json!({ "code": gender });
        }
        person
    };
    let status = |n: u32| match n {
        0..100 | 200..279 | 407.. => "HIRED",
        _ => "REJECTED",
    };
    applied(&bed, 420, person, status).await;
    let analysis = analysis(&bed, settings());
    let answer = ask(&analysis, QuestionName::Fairness, &[("from", "2026-01-01"), ("to", "2026-03-31")]).await;
    let of = |code: &str| {
        answer.findings.iter().find(|one| one.code == code).unwrap_or_else(|| panic!("{code}: {answer:?}"))
    };
    assert_eq!(
        (of("FLAGGED").about.as_deref(), of("FLAGGED").value.as_deref()),
        (Some("selection/gender=FEMALE"), Some("0.79"))
    );
    let audit = Ask::read(QuestionName::Fairness, [("from", "2026-01-01"), ("to", "2026-03-31")]).unwrap();
    let kept = analysis.keep(&tenant(), &audit).await.unwrap();
    let rows = bed.records("bias_audit").await;
    assert_eq!((rows.len(), kept.ids.len(), bed.records("insight").await.len()), (2, 2, 0), "audits are no insights");
}
