//! The numbers that the requirements give as examples, asked as the API asks them.

use renmen_analysis::{Answer, Ask, QuestionName, Settings, csv, json};
use renmen_insight::Row;
use renmen_insight::figure::Why;
use renmen_schema::code::InterviewKind;

use crate::bed::{Bed, tenant};
use crate::rows::{MadeUp, application, group, hundred, interview, left_out, person, result, score};

async fn ask(rows: Vec<Row<'static>>, question: QuestionName, said: &[(&str, &str)]) -> Answer {
    let bed = Bed::new().await;
    let analysis = bed.analysis(MadeUp::new(rows), Settings { offset_minutes: 480, ..Settings::default() });
    analysis.ask(&tenant(), &Ask::read(question, said.iter().copied()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn of_100_invited_40_finish_and_the_node_that_loses_most_is_named_r31() {
    let answer = ask(hundred(), QuestionName::Funnel, &[("from", "2026-01-01"), ("to", "2026-03-31")]).await;
    let conversion = answer.figure("conversion").unwrap();
    assert_eq!((conversion.value, conversion.n, conversion.method.as_str()), (Some(0.4), 100, "share_wilson"));
    assert_eq!((conversion.sources[0].n, conversion.sources[0].ids.len()), (100, 20));
    let worst = answer.findings.iter().find(|one| one.code == "LOSES_MOST").unwrap();
    assert_eq!(worst.about.as_deref(), Some("INVITE_OPENED>CONFIRMED"));
    assert_eq!((worst.value.as_deref(), worst.n), (Some("50"), Some(100)));
    let wait = answer.figure("INVITE_OPENED>CONFIRMED/wait_ms").unwrap();
    assert!(wait.value.unwrap() > 120_000.0);
    assert_eq!(answer.figure("INVITE_OPENED>CONFIRMED/clicks").unwrap().value, Some(3.0));
    let shown = json(&answer);
    assert_eq!((shown["window"]["end"].as_str(), shown["question"].as_str()), (Some("2026-03-31"), Some("funnel")));
    let text = csv(&answer);
    assert!(
        text.lines().any(
            |line| line.starts_with("conversion,0.4,") && line.contains(",100,2026-01-01,2026-03-31,share_wilson,")
        ),
        "{text}"
    );
    // Outside the period there is nothing, and that is counted.
    let later = ask(hundred(), QuestionName::Funnel, &[("from", "2026-03-01")]).await;
    assert_eq!((later.figure("conversion").unwrap().n, later.count_left_out(Why::OutsideWindow)), (0, 100));
}

/// Scores that say much, and little, about the final round.
fn predictions() -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for n in 0..200_u64 {
        let outcome = (n as f64 + 0.5) / 200.0;
        // Two waves that have nothing to do with each other, nor with the outcome.
        let (a, b) = ((n as f64 * 2.399_963).sin(), (n as f64 * 1.618_034 + 1.0).cos());
        let mixed = |share: f64, wave: f64| (share * outcome + (1.0 - share) * (wave + 1.0) / 2.0).clamp(0.0, 1.0);
        rows.extend([person(n), interview(n, InterviewKind::Ai, 0), interview(n, InterviewKind::Human, 2)]);
        rows.extend([result(n, 2, outcome), result(n, 0, mixed(0.7, a))]);
        rows.extend([score(n, "communication", mixed(0.7, a)), score(n, "expression", mixed(0.0, b))]);
    }
    rows
}

#[tokio::test]
async fn what_predicts_and_what_does_not_is_named_and_who_may_not_be_joined_is_counted_r44_r42() {
    let mut rows = predictions();
    // Five who were interviewed, and five with whom the question has nothing to do.
    rows.extend((200..210).map(|n| left_out(n, Why::NoConsent)));
    rows.extend((200..205).map(|n| interview(n, InterviewKind::Ai, 0)));
    let answer = ask(rows, QuestionName::Predict, &[("outcome", "final_round")]).await;
    let said = |code: &str| -> Vec<&str> {
        answer.findings.iter().filter(|one| one.code == code).filter_map(|one| one.about.as_deref()).collect()
    };
    assert!(said("PREDICTS").contains(&"dimension:communication"), "{:?}", answer.findings);
    assert_eq!(said("NOT_PREDICTIVE"), ["dimension:expression"]);
    assert_eq!(answer.count_left_out(Why::NoConsent), 5);
    assert_eq!(answer.tests, Some(3));
    let figure = answer.figure("dimension:communication/final_round/pearson").unwrap();
    assert!(figure.n == 200 && figure.interval.is_some() && figure.p.is_some());
    assert!(figure.sources.iter().all(|source| !source.ids.is_empty()), "{figure:?}");
}

#[tokio::test]
async fn groups_are_read_for_the_audit_alone_and_a_ratio_under_0_80_is_flagged_r71() {
    let mut rows = Vec::new();
    for n in 0..420 {
        let (value, selected) = match n {
            0..200 => (Some("MALE"), n < 100),
            200..400 => (Some("FEMALE"), n < 279),
            400..407 => (Some("NON_BINARY"), false),
            _ => (None, true),
        };
        rows.extend([person(n), group(n, value), application(n, Some(selected))]);
    }
    let bed = Bed::new().await;
    let made_up = MadeUp::new(rows);
    let analysis = bed.analysis(made_up.clone(), Settings::default());
    let audit = Ask::read(QuestionName::Fairness, [("from", "2026-01-01"), ("to", "2026-03-31")]).unwrap();
    let answer = analysis.ask(&tenant(), &audit).await.unwrap();
    let of = |code: &str| answer.findings.iter().find(|one| one.code == code).unwrap();
    assert_eq!(of("FLAGGED").about.as_deref(), Some("selection/gender=FEMALE"));
    assert_eq!((of("FLAGGED").value.as_deref(), of("FLAGGED").n), (Some("0.79"), Some(200)));
    assert_eq!(of("SMALL").about.as_deref(), Some("selection/gender=NON_BINARY"));
    assert_eq!(of("UNKNOWN").n, Some(13));
    let selection = answer.records.iter().find(|one| one.about == "selection/gender").unwrap();
    assert_eq!(selection.body["impact_ratio"], "0.79");
    let wanted = made_up.wanted.lock().pop().unwrap();
    assert_eq!(wanted.attributes, Some(vec!["gender".to_owned()]));
    assert_eq!(wanted.purpose.name, "bias_audit");
    for question in QuestionName::ALL.iter().filter(|one| !one.is_about_one() && !one.is_for_audits_only()) {
        let _ = analysis.ask(&tenant(), &Ask::of(*question)).await;
    }
    assert!(made_up.wanted.lock().iter().all(|wanted| wanted.attributes.is_none()), "only the audit asks for groups");
}

#[tokio::test]
async fn an_answer_that_is_kept_twice_is_one_record_with_one_revision() {
    let bed = Bed::new().await;
    let made_up = MadeUp::new(hundred());
    let analysis = bed.analysis(made_up.clone(), Settings::default());
    let ask = Ask::read(QuestionName::Funnel, [("from", "2026-01-01"), ("to", "2026-03-31")]).unwrap();
    let first = analysis.keep(&tenant(), &ask).await.unwrap();
    bed.clock.advance(3_600_000);
    let second = analysis.keep(&tenant(), &ask).await.unwrap();
    assert_eq!(first.ids, second.ids);
    let rows = bed.records("insight").await;
    assert_eq!((rows.len(), rows[0].revision, rows[0].connection.as_str()), (1, 1, "renmen"));
    // Another period is another record; other rows are another revision of the same.
    let other = Ask::read(QuestionName::Funnel, [("from", "2026-02-01"), ("to", "2026-03-31")]).unwrap();
    analysis.keep(&tenant(), &other).await.unwrap();
    made_up.put(
        hundred().into_iter().filter(|row| !matches!(row, Row::Step(step) if step.application.0 % 2 == 0)).collect(),
    );
    analysis.keep(&tenant(), &ask).await.unwrap();
    let rows = bed.records("insight").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.iter().find(|row| row.id == first.ids[0]).unwrap().revision, 2);
}

/// Interviews before and after a day, whose scores say little about the final round before and much after.
pub(crate) fn around(day: &str) -> Vec<Row<'static>> {
    let begin = crate::rows::at(&format!("{day}T02:00:00Z")).epoch_ms();
    let mut rows = Vec::new();
    for n in 0..160_u64 {
        let outcome = ((n * 37) % 160) as f64 / 160.0;
        let noise = ((n * 61) % 160) as f64 / 160.0;
        let after = n >= 80;
        let told = if after { 0.8 * outcome + 0.2 * noise } else { noise };
        let at = begin + if after { 1 + (n as i64 - 80) / 4 } else { -1 - (n as i64) / 4 } * 86_400_000;
        let held = |row: Row<'static>| match row {
            Row::Interview(row) => Row::Interview(renmen_insight::model::InterviewRow {
                at: renmen_schema::types::Instant::from_epoch_ms(at).ok(),
                ..row
            }),
            other => other,
        };
        rows.push(person(n));
        rows.push(held(interview(n, InterviewKind::Ai, 0)));
        rows.push(held(interview(n, InterviewKind::Human, 2)));
        rows.extend([result(n, 2, outcome), result(n, 0, told)]);
    }
    rows
}
