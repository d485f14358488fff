//! Workable through the gateway, by a connector without code.

use renmen_tests::office;
use renmen_tests::workable::{self, Account};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn account(candidates: usize) -> (office::Shared<Account>, Trial) {
    let account = office::open(Account::of(candidates));
    let url = serve(office::router(account.clone())).await;
    let slots = [("key", workable::TOKEN), ("webhook", workable::TOKEN)];
    let config = format!("{{ base_url = \"{url}/spi/v3\" }}");
    (account, Trial::new("workable", &config, &slots, &["jobs", "candidates", "offers"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_pages_changes_and_offers_come_in_and_a_job_that_is_no_longer_listed_is_gone() {
    let (account, trial) = account(230).await;
    // The first request is told to wait for the next interval.
    account.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("jobs").await, [2, 0, 0]);
    assert_eq!(trial.counts("candidates").await, [460, 0, 0], "each a candidate and an application");
    assert_eq!(trial.counts("candidates").await, [0, 0, 0]);
    assert!(account.lock().unwrap().count("GET", "/spi/v3/candidates") >= 3, "three pages");
    {
        let mut office = account.lock().unwrap();
        let one = office.vendor.candidate_mut("c-7");
        one["disqualified"] = json!(true);
        one["disqualification_reason"] = json!("Not a fit");
        one["updated_at"] = json!("2026-02-03T00:00:00Z");
        office.vendor.candidates.push(workable::candidate(231, "2026-02-03T00:00:00Z"));
    }
    assert_eq!(trial.counts("candidates").await, [2, 1, 0]);
    assert_eq!(trial.bodies("applications").await["c-7"]["outcome"]["reasons"][0]["raw"], "Not a fit");

    for (n, kind) in [(8, "offer"), (9, "offer")] {
        let mut office = account.lock().unwrap();
        office.vendor.candidate_mut(&format!("c-{n}"))["stage_kind"] = json!(kind);
    }
    account.lock().unwrap().vendor.offers.push(("c-8".to_owned(), workable::offer("c-8", 20_000, "month")));
    assert_eq!(trial.counts("offers").await, [1, 0, 0], "the other one has no offer yet");
    let offer = &trial.bodies("offers").await["c-8"];
    assert_eq!(
        offer["pay"][0]["rate"],
        json!({ "money": { "amount": "20000", "currency": "CNY" }, "per": "MONTH" }),
        "{offer}"
    );
    account.lock().unwrap().vendor.jobs.pop();
    assert_eq!(trial.counts("jobs").await, [0, 0, 1]);
    trial.keeps(&[workable::TOKEN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_a_missing_scope_and_a_throttle_that_lasts_end_the_run_with_their_reason() {
    let (account, trial) = account(3).await;
    account.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("candidates").await, "rate-limited");
    account.lock().unwrap().busy = 0;
    let trial = trial.secret("key", "another-token");
    assert_eq!(trial.failure("candidates").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_events_are_proved_and_read_again_and_a_comment_is_written_once() {
    let (account, trial) = account(3).await;
    trial.counts("jobs").await;
    trial.counts("candidates").await;
    let gateway = trial.serve().await;
    {
        let mut office = account.lock().unwrap();
        let one = office.vendor.candidate_mut("c-2");
        (one["stage"], one["stage_kind"]) = (json!("Interview"), json!("interview"));
    }
    // What the event says is older than what is read.
    let (body, signature) =
        workable::event("evt-1", "candidate_moved", &workable::candidate(2, "2026-02-01T00:00:00Z"));
    let signed = |signature: &str| [("x-workable-signature", signature.to_owned())];
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&signed(&signature), &body).await.0, 200);
    }
    let moved = gateway.until("applications", "c-2", "/stage/kind/code", json!("INTERVIEW")).await;
    assert_eq!(moved["stage"]["name"]["und"], "Interview");
    assert_eq!(gateway.inbox().await, 1, "the same event twice is one");
    let forged = body.replace("c-2", "c-3");
    assert_eq!(gateway.deliver(&signed(&signature), &forged).await.0, 401);
    assert_eq!(gateway.deliver(&[], &body).await.0, 401);
    // Gone at the vendor: what is read again is not there.
    account.lock().unwrap().vendor.candidates.retain(|candidate| candidate["id"] != "c-3");
    let (body, signature) =
        workable::event("evt-2", "candidate_moved", &workable::candidate(3, "2026-02-01T00:00:00Z"));
    assert_eq!(gateway.deliver(&signed(&signature), &body).await.0, 200);
    gateway.until_gone("candidates", "c-3").await;

    let comment = json!({ "candidate": "c-1", "member": "member-1", "text": "Talked to on Monday" });
    let done = gateway.act("candidates", "c-1", "candidate.comment", comment.clone(), "first").await;
    assert_eq!(done["state"], "delivered", "{done}");
    let again = gateway.act("candidates", "c-1", "candidate.comment", comment.clone(), "first").await;
    assert_eq!(again["id"], done["id"], "the same key is the same delivery");
    // Another key: the comment is found there, and its id is the receipt.
    let found = gateway.act("candidates", "c-1", "candidate.comment", comment.clone(), "second").await;
    assert_eq!((&found["state"], &found["receipt"]["reference"]), (&json!("delivered"), &json!("act-1")), "{found}");
    let mut refused = comment;
    (refused["member"], refused["text"]) = (json!("unknown-member"), json!("Other"));
    let refused = gateway.act("candidates", "c-1", "candidate.comment", refused, "third").await;
    assert_eq!(refused["state"], "dead", "{refused}");
    assert_eq!(account.lock().unwrap().count("POST", "/spi/v3/candidates/c-1/comments"), 2, "one taken, one refused");
}
