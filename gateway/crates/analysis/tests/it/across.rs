//! From the interview of a candidate to what the employee did later: two records of two systems that agree only in a mobile number and
//! a name. People are found, rows follow, and the questions join what neither system could.

use std::sync::Arc;

use renmen_analysis::QuestionName;
use renmen_insight::figure::Why;
use renmen_people::{People, PeopleOptions};
use renmen_schema::entity::{ModelAdjustment, PositionProfile};
use renmen_store::Store;
use serde_json::{Value, json};

use crate::bed::{Bed, tenant};
use crate::stored::{JOB, analysis, applied, ask, hiring, interviewed, job, policy, settings};

const HIRED: u32 = 200;
/// Candidates who were interviewed and never hired.
const ONLY_CANDIDATES: u32 = 10;
const SAID: [(&str, &str); 2] = [("from", "2026-01-01"), ("to", "2026-03-31")];

fn person(n: u32) -> Value {
    json!({
        "names": { "formatted": format!("Given{n} Family{n}") },
        "phones": [{ "number": format!("1390000{n:04}"), "e164": format!("+861390000{n:04}"), "kind": "MOBILE" }],
    })
}

/// Employees in one system, and their sales in another, which knows them by their number alone. Sales follow the final round.
async fn hired(bed: &Bed) {
    let (mut employees, mut metrics) = (Vec::new(), Vec::new());
    for n in 0..HIRED {
        let employee = json!({
            "number": format!("E{n:05}"), "person": person(n), "data_policy": policy(),
            "work": { "job": hiring(JOB), "hire_date": "2026-03-01" },
        });
        employees.push(("employee", format!("u-{n}"), employee));
        let metric = json!({
            "metric": { "code": "sales", "name": { "en": "Sales" }, "objective": true },
            "employee": { "key": { "scheme": "employee_number", "value": format!("E{n:05}") } },
            "period": { "start": "2026-03-01", "end": "2026-03-31" }, "value": (1_000 + n).to_string(),
        });
        metrics.push(("performance_metric", format!("sales-{n}"), metric));
    }
    for (connection, records) in [("hr", employees), ("erp", metrics)] {
        let records: Vec<_> = records.iter().map(|(kind, id, body)| (*kind, id.as_str(), body.clone())).collect();
        bed.commit(connection, &records).await;
    }
}

async fn found(bed: &Bed) {
    let (store, clock) = (Arc::clone(&bed.store) as Arc<dyn Store>, Arc::clone(&bed.clock) as _);
    let (_, work) = People::open(store, clock, &[tenant()], PeopleOptions::default());
    work.catch_up().await.unwrap();
}

async fn world() -> (Bed, String) {
    let bed = Bed::new().await;
    let job = job(&bed).await;
    let all = HIRED + ONLY_CANDIDATES;
    applied(&bed, all, |n| json!({ "person": person(n), "data_policy": policy() }), |_| "HIRED").await;
    interviewed(&bed, all, |_| policy()).await;
    hired(&bed).await;
    (bed, job)
}

#[tokio::test]
async fn what_was_seen_in_the_interview_is_held_against_what_was_sold_later_r43_r12_r13() {
    let (bed, job) = world().await;
    let analysis = analysis(&bed, settings());
    let said = [SAID[0], SAID[1], ("outcome", "metric:sales")];
    let people = |answer: &renmen_analysis::Answer| {
        answer.findings.iter().find(|one| one.code == "PEOPLE").and_then(|one| one.n)
    };
    // Before people are found, a candidate and an employee are two: no score stands next to a sale.
    let apart = ask(&analysis, QuestionName::Predict, &said).await;
    assert!(apart.figures.iter().all(|figure| figure.n == 0), "{apart:?}");
    found(&bed).await;
    let answer = ask(&analysis, QuestionName::Predict, &said).await;
    let figure = |name: &str| answer.figure(name).unwrap_or_else(|| panic!("{name}: {answer:?}"));
    assert_eq!(figure("dimension:communication/metric:sales/pearson").n, u64::from(HIRED));
    assert_eq!((people(&answer), answer.count_left_out(Why::NoConsent)), (Some(u64::from(HIRED + ONLY_CANDIDATES)), 0));
    let verdict =
        |about: &str| answer.findings.iter().find(|one| one.about.as_deref() == Some(about)).unwrap().code.clone();
    assert_eq!(verdict("dimension:communication"), "PREDICTS");
    assert_eq!(verdict("dimension:expression"), "NOT_PREDICTIVE");

    // The best tenth by what they sold: what they had in their interviews makes a draft, whose weights are a whole.
    let said = [SAID[0], SAID[1], ("position", job.as_str()), ("metric", "sales")];
    let draft = ask(&analysis, QuestionName::Profile, &said).await;
    let profile: PositionProfile = serde_json::from_value(draft.records[0].body.clone()).unwrap();
    let weights: Vec<u16> = profile.competencies.iter().map(|one| one.weight.bp).collect();
    assert!(profile.complete && weights.iter().map(|bp| u32::from(*bp)).sum::<u32>() == 10_000, "{profile:?}");
    assert!(profile.published_at.is_none() && !profile.derived_from.is_empty(), "a draft, with what it was made from");
    let weighs = |name: &str| {
        let told = draft.findings.iter().find(|one| one.about.as_deref() == Some(name)).unwrap();
        (told.code.clone(), told.n)
    };
    assert_eq!(weighs("communication").0, "WEIGHT");
}

#[tokio::test]
async fn weights_that_performance_contradicts_are_proposed_anew_and_still_make_a_whole_r45_r13() {
    let (bed, job) = world().await;
    found(&bed).await;
    let weighed = |name: &str, bp: u16| json!({ "competency": hiring(name), "weight": { "bp": bp } });
    let profile = json!({
        "position": hiring(JOB), "version": 1, "complete": true, "published_at": "2026-01-05T02:00:00.000Z",
        "competencies": [weighed("communication", 1_500), weighed("expression", 8_500)],
    });
    let analysis = analysis(&bed, settings());
    let said = [
        SAID[0],
        SAID[1],
        ("position", job.as_str()),
        ("outcome", "metric:sales"),
        ("vendor", "interviews"),
        ("version", "3"),
    ];
    let unread = renmen_analysis::Ask::read(QuestionName::Reweigh, said).unwrap();
    let refused = analysis.ask(&tenant(), &unread).await.unwrap_err();
    assert!(refused.to_string().contains("no published profile"), "{refused}");
    bed.commit("hiring", &[("position_profile", "p-1", profile)]).await;
    let answer = ask(&analysis, QuestionName::Reweigh, &said).await;
    let moved = |name: &str| {
        let told = answer.findings.iter().find(|one| one.code == "SET_WEIGHT" && one.about.as_deref() == Some(name));
        let (from, to) = told.and_then(|one| one.value.as_deref()).unwrap().split_once('>').unwrap();
        (from.parse::<u16>().unwrap(), to.parse::<u16>().unwrap())
    };
    let (up, down) = (moved("communication"), moved("expression"));
    assert_eq!((up.0, down.0, up.1 + down.1), (1_500, 8_500, 10_000));
    assert!(up.1 > up.0, "{up:?}");
    let proposal: ModelAdjustment = serde_json::from_value(answer.records[0].body.clone()).unwrap();
    assert_eq!(proposal.target.vendor_connection, "interviews");
}
