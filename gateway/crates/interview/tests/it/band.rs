//! The band match over a store that changes.

use renmen_interview::{Asked, BandAsk, BandDesk, BandOptions, InterviewError, Unknown, Verdict};
use renmen_schema::code::{BandVisibility, InterviewMode, InterviewStatus, OrderStatus};
use renmen_schema::entity::{Application, Interview, InterviewOrder, PayBand};
use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::types::{Coded, ExternalId, Money, PayInterval, Ref};
use renmen_store::{AuthoredCommit, LinkWrite, Parent, RecordRow};
use tokio_util::sync::CancellationToken;

use crate::bed::{survey, tenant, until, vendor};
use crate::pay::{Pay, at_hr, band, beside, interview, job, named, open, options};
use crate::vendor::application_of;

fn int(id: &str) -> Asked<'_> {
    Asked::Interview(id)
}

fn text(row: &RecordRow) -> String {
    String::from_utf8(row.body.clone()).unwrap()
}

fn of<E>(connection: &ConnectionName, external_id: &str) -> Ref<E> {
    Ref::by(ExternalId { connection: Some(connection.clone()), ..ExternalId::of(external_id) })
}

/// Asks another desk, one that runs next to the test's own.
async fn ask_at(desk: &BandDesk, interview: &str, amount: &str) -> Result<Verdict, InterviewError> {
    let (connection, expected) = (&vendor(), Money::new(amount, "CNY").unwrap());
    let ask = BandAsk { connection, about: int(interview), expected, per: PayInterval::Month };
    desk.ask(&tenant(), "key", ask).await
}

fn is_full(said: &Result<Verdict, InterviewError>, of: &str) -> bool {
    matches!(said, Err(InterviewError::TooMany { limit, .. }) if *limit == of)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_the_answer_follows_the_feed_and_every_question_is_a_step_of_its_interview() {
    let pay = Pay::new(band("8000", "10000"), 2, options()).await;
    let first = pay.bed.find("pay_band", Some("b1")).await.remove(0);
    assert_eq!(pay.ask(int("int-0"), "9500").await.unwrap(), Verdict::In);
    assert_eq!(pay.ask(int("int-0"), "13000").await.unwrap(), Verdict::Out);
    let replace = async |band: PayBand| pay.bed.put_through(&named("payroll"), &[("b1".into(), band)]).await;
    let said = async || pay.ask(int("int-1"), "13000").await.unwrap();
    replace(band("12000", "15000")).await;
    until(async || (said().await == Verdict::In).then_some(())).await;
    replace(PayBand { visibility: BandVisibility::Internal, ..band("12000", "15000") }).await;
    until(async || (said().await == Verdict::Unknown(Unknown::NoBand)).then_some(())).await;

    let (bed, _) = pay.stopped().await;
    let steps = bed.find("process_node", None).await;
    let of_first: Vec<_> = steps.iter().filter(|row| text(row).contains("int-0")).collect();
    assert_eq!((of_first.len(), steps.len()), (2, 3), "a question that is repeated leaves no step of its own");
    for row in &steps {
        assert_eq!(row.connection.as_str(), "renmen");
        let text = text(row);
        assert!(text.contains(r#""node":{"code":"BAND_MATCHED"}"#), "{text}");
        for amount in ["9500", "13000", "8000", "10000", "15000"] {
            assert!(!text.contains(&format!("\"{amount}")), "an amount in {text}");
        }
    }
    let causes = bed.store.causes(&tenant(), of_first[0].id, 1).await.unwrap();
    assert_eq!((causes[0].record, causes[0].revision), (first.id, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_not_this_connections_or_over_is_not_asked_about_and_leaves_no_step() {
    let pay = Pay::new(band("8000", "10000"), 0, BandOptions { asks_per_minute: 13, ..options() }).await;
    pay.bed.put_through(&named("hr"), &[("app-1".into(), application_of("cand-1", "job-1"))]).await;
    pay.bed.put_through(&survey(), &[("theirs".into(), interview("app-1", InterviewStatus::InProgress))]).await;
    for (id, status) in [
        ("to-come", InterviewStatus::Scheduled),
        ("confirmed", InterviewStatus::Confirmed),
        ("under-way", InterviewStatus::InProgress),
        ("cut-off", InterviewStatus::Interrupted),
        ("done", InterviewStatus::Completed),
        ("missed", InterviewStatus::NoShow),
        ("called-off", InterviewStatus::Cancelled),
        ("too-late", InterviewStatus::Expired),
    ] {
        pay.bed.put(id, &interview("app-1", status)).await;
    }
    for open in ["to-come", "confirmed", "under-way", "cut-off"] {
        assert_eq!(pay.ask(int(open), "9500").await.unwrap(), Verdict::In, "{open}");
    }
    for over in ["done", "missed", "called-off", "too-late"] {
        assert!(matches!(pay.ask(int(over), "9500").await, Err(InterviewError::Refused { .. })), "{over}");
    }
    // Another connection's interview, an id that is not an interview's, and an order that does not exist: one answer.
    for id in ["theirs", "made-up", "b1", "app-1"] {
        assert!(matches!(pay.ask(int(id), "9500").await, Err(InterviewError::NotFound("interview"))), "{id}");
    }
    assert!(matches!(pay.ask(Asked::Order("under-way"), "9500").await, Err(InterviewError::NotFound("order"))));
    // A caller that makes interviews up has no more tries for it.
    assert!(is_full(&pay.ask(int("made-up"), "9500").await, "caller"));

    let (bed, _) = pay.stopped().await;
    assert_eq!(bed.find("process_node", None).await.len(), 4, "one step for each question that was answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_asked_about_before_its_interview_and_its_questions_are_steps_of_what_there_is() {
    let pay = Pay::new(band("8000", "10000"), 1, options()).await;
    let order = |status| InterviewOrder::new(at_hr("app-0"), Coded::new(InterviewMode::AsyncVideo), Coded::new(status));
    pay.bed.put("ord-1", &order(OrderStatus::Invited)).await;
    pay.bed.put("ord-2", &order(OrderStatus::Cancelled)).await;
    let elsewhere = [("ord-3".to_owned(), order(OrderStatus::Invited))];
    pay.bed.put_through(&survey(), &elsewhere).await;
    assert_eq!(pay.ask(Asked::Order("ord-1"), "9500").await.unwrap(), Verdict::In);
    assert!(matches!(pay.ask(Asked::Order("ord-2"), "9500").await, Err(InterviewError::Refused { .. })));
    for not_there in ["ord-3", "ord-4"] {
        assert!(matches!(pay.ask(Asked::Order(not_there), "9500").await, Err(InterviewError::NotFound("order"))));
    }
    let of_order = Interview { order: Some(Ref::external("ord-1")), ..interview("app-0", InterviewStatus::InProgress) };
    let row = pay.bed.put("int-x", &of_order).await;
    let mut link = AuthoredCommit::of(tenant(), StreamName::new("links").unwrap(), 1);
    let parent = Parent { connection: vendor(), entity: "interview_order".into(), external_id: "ord-1".into() };
    link.links.push(LinkWrite { child: row.id, parents: vec![parent] });
    pay.bed.store.author(link).await.unwrap();
    assert_eq!(pay.ask(Asked::Order("ord-1"), "9600").await.unwrap(), Verdict::In);
    let (bed, _) = pay.stopped().await;
    let steps: Vec<String> = bed.find("process_node", None).await.iter().map(text).collect();
    let on = |what: &str| steps.iter().filter(|step| step.contains(what)).count();
    assert_eq!((steps.len(), on(r#""application":"#), on("int-x")), (2, 1, 1), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_says_what_it_does_not_know_of_a_job() {
    let pay = Pay::new(band("8000", "10000"), 1, options()).await;
    let hr = named("hr");
    pay.bed.put_through(&hr, &[("job-2".into(), job("销售"))]).await;
    pay.bed.put_through(&hr, &[("app-2".into(), application_of("cand-2", "job-2"))]).await;
    pay.bed.put_through(&hr, &[("app-3".into(), application_of("cand-3", "job-none"))]).await;
    for (id, application) in [("no-band", "app-2"), ("no-job", "app-3"), ("no-application", "app-none")] {
        pay.bed.put(id, &interview(application, InterviewStatus::InProgress)).await;
    }
    for (id, why) in [("no-band", Unknown::NoBand), ("no-job", Unknown::NoJob), ("no-application", Unknown::NoJob)] {
        assert_eq!(pay.ask(int(id), "9500").await.unwrap(), Verdict::Unknown(why), "{id}");
    }
    let unit = async |amount, currency, per| pay.ask_through(&vendor(), int("int-0"), (amount, currency, per)).await;
    let mismatch = Verdict::Unknown(Unknown::UnitMismatch);
    assert_eq!(unit("9500", "USD", PayInterval::Month).await.unwrap(), mismatch);
    assert_eq!(unit("9500", "CNY", PayInterval::Year).await.unwrap(), mismatch);
    // The job comes, and the same question is answered.
    pay.bed.put_through(&hr, &[("job-none".into(), job("研发"))]).await;
    assert_eq!(pay.ask(int("no-job"), "9500").await.unwrap(), Verdict::In);
    assert!(matches!(
        pay.ask(int("int-0"), "-1").await,
        Err(InterviewError::BadInput { field: "expected.amount", .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_cannot_choose_the_job_that_its_interview_is_for() {
    let pay = Pay::new(band("8000", "10000"), 1, options()).await;
    // Applications of the vendor's own, one of them for the HR system's job and one for a job of its own making.
    let foreign = Application { job: of(&named("hr"), "job-1"), ..application_of("cand-x", "-") };
    pay.bed.put("own-app", &foreign).await;
    pay.bed.put("own-job", &job("研发")).await;
    pay.bed
        .put_through(
            &named("hr"),
            &[("app-x".into(), Application { job: of(&vendor(), "own-job"), ..application_of("c", "-") })],
        )
        .await;
    let own = Interview { application: Ref::external("own-app"), ..interview("-", InterviewStatus::InProgress) };
    pay.bed.put("int-own", &own).await;
    pay.bed.put("int-x", &interview("app-x", InterviewStatus::InProgress)).await;
    for id in ["int-own", "int-x"] {
        assert_eq!(pay.ask(int(id), "9500").await.unwrap(), Verdict::Unknown(Unknown::NoJob), "{id}");
    }
    let (bed, options) = pay.stopped().await;
    let (desk, _work) = open(&bed, &BandOptions { counted: beside("vendor"), ..options }).await;
    assert_eq!(ask_at(&desk, "int-x", "9500").await.unwrap(), Verdict::In, "the operator listed it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interviews_candidates_and_bands_are_limited_together_and_a_restart_forgets_nothing() {
    let limits = BandOptions { asks_per_candidate: 5, asks_per_band: 8, ..options() };
    let pay = Pay::new(band("8000", "10000"), 3, limits).await;
    let again = interview("app-0", InterviewStatus::InProgress);
    pay.bed.put("again", &again).await;
    pay.bed.put_through(&survey(), &[("beside".into(), again)]).await;
    for amount in ["9000", "9500", "9900"] {
        assert_eq!(pay.ask(int("int-0"), amount).await.unwrap(), Verdict::In);
    }
    assert!(is_full(&pay.ask(int("int-0"), "9600").await, "interview"));
    assert_eq!(pay.ask(int("int-0"), "9500.00").await.unwrap(), Verdict::In, "answered before");
    assert_eq!(pay.ask(int("again"), "9600").await.unwrap(), Verdict::In);
    let through_another =
        async |amount| pay.ask_through(&survey(), int("beside"), (amount, "CNY", PayInterval::Month)).await;
    assert_eq!(through_another("9600").await.unwrap(), Verdict::In);
    assert!(is_full(&through_another("9700").await, "candidate"), "whichever connection asks");
    assert!(is_full(&pay.ask(int("again"), "9700").await, "candidate"));
    for interview in ["int-1", "int-2"] {
        for amount in ["9000", "9100"] {
            assert_eq!(pay.ask(int(interview), amount).await.unwrap(), Verdict::In);
        }
    }
    // Three of `int-0`, one of `again`, two of each of the others.
    assert!(is_full(&pay.ask(int("int-2"), "9200").await, "band"));

    let pay = pay.restarted().await;
    assert!(is_full(&pay.ask(int("int-0"), "9600").await, "interview"));
    assert!(is_full(&pay.ask(int("again"), "9700").await, "candidate"));
    assert!(is_full(&pay.ask(int("int-1"), "9200").await, "band"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_gateway_of_the_same_store_answered_counts_here_too() {
    let pay = Pay::new(band("8000", "10000"), 2, options()).await;
    let (beside, work) = open(&pay.bed, &pay.options).await;
    let cancel = CancellationToken::new();
    let working = tokio::spawn(work.run(cancel.clone()));
    for amount in ["9000", "9500", "9900"] {
        assert_eq!(pay.ask(int("int-0"), amount).await.unwrap(), Verdict::In);
    }
    until(async || (pay.bed.find("process_node", None).await.len() == 3).then_some(())).await;
    pay.bed.put_through(&named("payroll"), &[("b1".into(), band("8000", "13000"))]).await;
    until(async || (ask_at(&beside, "int-1", "13000").await.unwrap() == Verdict::In).then_some(())).await;
    assert!(is_full(&ask_at(&beside, "int-0", "9100").await, "interview"));
    // The same amount is new to this one: it does not know what was asked, only how often.
    assert!(is_full(&ask_at(&beside, "int-0", "9000").await, "interview"));
    cancel.cancel();
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_answers_no_new_question_and_repeats_those_that_it_answered() {
    let pay = Pay::new(band("8000", "10000"), 5, options()).await;
    let (desk, _work) = open(&pay.bed, &BandOptions { waiting_max: 4, ..options() }).await;
    let ask = async |interview: &str| ask_at(&desk, interview, "9500").await;
    for n in 0..4 {
        assert_eq!(ask(&format!("int-{n}")).await.unwrap(), Verdict::In);
    }
    // Nothing writes: four wait, and the fifth question is not answered.
    assert!(matches!(ask("int-4").await, Err(InterviewError::Overloaded)));
    assert_eq!(ask("int-0").await.unwrap(), Verdict::In);
}
