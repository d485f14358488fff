//! Adjust instructions: who may do what about them, what is refused before it is sent, and how they follow their
//! deliveries and the vendor's own word, whichever is heard first, and even if the gateway was restarted in between.

use renmen_interview::{
    AdjustAct, AdjustActKind, AdjustOptions, Adjusted, Clock as _, InterviewError, LoopOptions, ProposeAsk, Sources,
    act_on_adjustment, propose_adjustment,
};
use renmen_schema::code::AdjustmentStatus;
use renmen_schema::entity::{AdjustOp, AdjustmentTarget, ModelAdjustment};
use renmen_schema::id::RecordId;
use renmen_schema::types::Ref;
use renmen_store::ContentHash;
use renmen_store::outbox::{AttemptEnd, Claim, DeliveryState, HandMade, NewDelivery, ReceiptKept, Settle};
use serde_json::{Value, json};

use crate::bed::{Bed, tenant, vendor};
use crate::vendor::{Looped, MINUTE};

fn options() -> AdjustOptions {
    let sources = Sources { vendors: [vendor()].into(), ..Sources::default() };
    AdjustOptions { sources, ..AdjustOptions::default() }
}

async fn looped() -> Looped {
    let sources = options().sources;
    Looped::with(Bed::new().await, LoopOptions { sources, ..LoopOptions::default() }).await
}

/// From one weight to another, as the model is at a version.
fn weight(from: u16, to: u16, version: u32) -> Value {
    json!({
        "target": { "vendor_connection": "vendor", "position": { "external": { "value": "pos-1" } }, "profile_version": version },
        "ops": [{ "op": "SET_WEIGHT", "competency": { "external": { "value": "comp-1" } }, "from_bp": from, "to_bp": to }],
    })
}

async fn propose(looped: &Looped, instruction: Value) -> Result<Adjusted, InterviewError> {
    propose_keyed(looped, instruction, "r", None).await
}

async fn propose_keyed(
    looped: &Looped,
    instruction: Value,
    reason: &str,
    key: Option<&str>,
) -> Result<Adjusted, InterviewError> {
    let ask = ProposeAsk {
        instruction,
        person: "Li Na".into(),
        reason: reason.into(),
        idempotency_key: key.map(str::to_owned),
    };
    propose_adjustment(&*looped.bed.store, &tenant(), &options(), &ask, looped.bed.clock.now_ms()).await
}

async fn act(looped: &Looped, id: RecordId, kind: AdjustActKind, person: &str) -> Result<Adjusted, InterviewError> {
    act_with(looped, &options(), id, kind, person).await
}

async fn act_with(
    looped: &Looped,
    options: &AdjustOptions,
    id: RecordId,
    kind: AdjustActKind,
    person: &str,
) -> Result<Adjusted, InterviewError> {
    looped.bed.clock.advance(1_000);
    let act = AdjustAct { kind, person: person.into(), reason: "r".into() };
    act_on_adjustment(&*looped.bed.store, &tenant(), options, (id, &act), looped.bed.clock.now_ms()).await
}

/// Proposed by one, approved by another.
async fn approved(looped: &Looped, instruction: Value) -> RecordId {
    let id = propose(looped, instruction).await.unwrap().row.id;
    act(looped, id, AdjustActKind::Approve, "Wang Wei").await.unwrap();
    id
}

async fn body(looped: &Looped, id: RecordId) -> Value {
    let row = looped.bed.store.record(&tenant(), id).await.unwrap().unwrap();
    serde_json::from_slice(&row.body).unwrap()
}

async fn status(looped: &Looped, id: RecordId) -> String {
    body(looped, id).await["status"].as_str().unwrap().to_owned()
}

/// What a flow does: a delivery to the vendor for the change that the record stands at.
async fn send(looped: &Looped, id: RecordId, key: &str) -> i64 {
    let (store, now_ms) = (&looped.bed.store, looped.bed.clock.now_ms());
    let change = store.last_change(&tenant(), id).await.unwrap().unwrap().change;
    let hash = ContentHash::of(format!("{id}{key}").as_bytes()).0;
    let delivery = NewDelivery {
        seq: change.seq,
        record: id,
        connection: vendor(),
        action: "adjust".into(),
        key: hash,
        lane: hash,
        not_before_ms: now_ms,
        deadline_ms: None,
        state: DeliveryState::Pending,
        input: b"{}".to_vec(),
        input_hash: hash,
        hops: 0,
        caused_by: None,
        error: None,
    };
    let by_hand = "{}".to_owned();
    store.make_by_hand(HandMade { tenant: tenant(), flow: None, delivery, by_hand, now_ms }).await.unwrap().0
}

/// An attempt, or what was learnt of one later.
async fn end(looped: &Looped, end: AttemptEnd) {
    looped.bed.clock.advance(MINUTE);
    let (store, now_ms) = (&looped.bed.store, looped.bed.clock.now_ms());
    let claim = Claim { tenant: tenant(), connection: vendor(), limit: 1, now_ms, lease_ms: MINUTE };
    let claimed = store.claim(claim).await.unwrap().remove(0);
    let settle = Settle { delivery: claimed.delivery.id, token: claimed.token, end, notice: None, now_ms };
    assert_eq!(store.settle(vec![settle]).await.unwrap(), [true]);
}

fn receipt(detail: &Value) -> ReceiptKept {
    ReceiptKept { reference: Some("adj-1".into()), detail: detail.to_string() }
}

fn taken() -> AttemptEnd {
    AttemptEnd::Unconfirmed { receipt: receipt(&json!({ "status": "accepted" })), ask_at_ms: 0 }
}

fn applied(version: u32) -> AttemptEnd {
    AttemptEnd::Delivered(receipt(&json!({ "confirmed": { "version": version } })))
}

fn dead(error: &str) -> AttemptEnd {
    AttemptEnd::Dead { error: error.into() }
}

/// The vendor's own record.
async fn says(looped: &Looped, status: AdjustmentStatus, version: Option<u32>) {
    looped.bed.clock.advance(1_000);
    let mut said = ModelAdjustment::new(AdjustmentTarget::new("self".into(), 3), status);
    said.applied_version = version;
    said.ops = vec![AdjustOp {
        competency: Some(Ref::external("comp-1")),
        from_bp: Some(1_000),
        to_bp: Some(3_000),
        ..AdjustOp::new("SET_WEIGHT".into())
    }];
    looped.bed.put("adj-1", &said).await;
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, InterviewError>, told: &str) {
    match result {
        Err(InterviewError::Refused { en: why, .. }) => assert!(why.contains(told), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_one_person_proposes_and_another_one_approves_or_rejects() {
    let looped = looped().await;
    let id = propose(&looped, weight(1_000, 3_000, 3)).await.unwrap().row.id;
    is_refused(act(&looped, id, AdjustActKind::Approve, "Li Na").await, "another person's key");
    let own = AdjustOptions { self_approval: true, ..options() };
    let other = propose(&looped, weight(2_000, 2_500, 3)).await.unwrap().row.id;
    act_with(&looped, &own, other, AdjustActKind::Approve, "Li Na").await.unwrap();
    assert!(act(&looped, id, AdjustActKind::Approve, "Wang Wei").await.unwrap().is_new);
    assert!(!act(&looped, id, AdjustActKind::Approve, "Wang Wei").await.unwrap().is_new, "twice is once");
    is_refused(act(&looped, id, AdjustActKind::Approve, "Chen Yu").await, "is APPROVED");
    is_refused(act(&looped, id, AdjustActKind::Reject, "Chen Yu").await, "only what is PROPOSED");
    is_refused(act(&looped, id, AdjustActKind::Revert { version: None }, "Chen Yu").await, "only what is APPLIED");
    let kept = body(&looped, id).await;
    assert_eq!((&kept["requested_by"], &kept["approved_by"]), (&json!("Li Na"), &json!("Wang Wei")));
    let acts: Vec<_> = kept["acts"].as_array().unwrap().iter().map(|act| (&act["to"], &act["by"])).collect();
    assert_eq!(acts, [(&json!("PROPOSED"), &json!("Li Na")), (&json!("APPROVED"), &json!("Wang Wei"))]);
    assert_eq!(kept["ops"][0]["competency"]["external"]["connection"], "vendor", "an id alone is the vendor's");

    let no = propose(&looped, weight(1_000, 3_000, 3)).await.unwrap().row.id;
    act(&looped, no, AdjustActKind::Reject, "Li Na").await.unwrap();
    is_refused(act(&looped, no, AdjustActKind::Approve, "Wang Wei").await, "is REJECTED");
    looped.catch_up().await;
    assert_eq!((status(&looped, id).await.as_str(), status(&looped, no).await.as_str()), ("APPROVED", "REJECTED"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instruction_that_cannot_be_carried_out_is_refused_and_the_same_one_again_is_one() {
    let looped = looped().await;
    let with = |pointer: &str, value: Value| {
        let mut changed = weight(1_000, 3_000, 3);
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let op = weight(1_000, 3_000, 3)["ops"][0].clone();
    for (bad, told) in [
        (json!([]), "`target`"),
        (json!({ "ops": [] }), "target"),
        (with("/target/vendor_connection", json!("hr")), "interview.vendors"),
        (with("/ops", json!([])), "1 to 50"),
        (with("/ops", json!([op, op])), "no two"),
        (with("/ops/0/to_bp", json!(1_000)), "another weight"),
        (with("/ops/0/to_bp", json!(10_001)), "to_bp"),
        (with("/ops/0/op", json!("DANCE")), "SET_WEIGHT"),
        (with("/ops/0", json!({ "op": "ADD_SIGNAL" })), "signal"),
        (with("/ops/0/competency", json!({ "id": "00000000-0000-7000-8000-000000000000" })), "record that is there"),
        (json!({ "target": {}, "ops": [], "status": "APPLIED" }), "`status` is not one"),
    ] {
        let error = propose(&looped, bad.clone()).await.unwrap_err();
        assert!(matches!(error, InterviewError::BadInput { .. }), "{bad}: {error}");
        assert!(error.to_string().contains(told), "{bad}: {error}");
    }
    let feed = json!({ "op": "ADD_SIGNAL", "signal": { "value": "feed-retention" } });
    let first = propose_keyed(&looped, with("/ops/0", feed.clone()), "r", Some("k")).await.unwrap();
    let again = propose_keyed(&looped, with("/ops/0", feed), "r", Some("k")).await.unwrap();
    assert_eq!((first.is_new, again.is_new, first.row.id), (true, false, again.row.id));
    is_refused(propose_keyed(&looped, weight(1_000, 3_000, 3), "r", Some("k")).await, "give each its own");
    let signal = body(&looped, first.row.id).await["ops"][0]["signal"].clone();
    assert_eq!(signal, json!({ "connection": "vendor", "value": "feed-retention" }), "R51");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_an_instruction_follows_its_delivery_and_the_vendors_word_in_any_order() {
    let looped = looped().await;
    // Taken, accepted, applied.
    let id = approved(&looped, weight(1_000, 3_000, 3)).await;
    send(&looped, id, "1").await;
    end(&looped, taken()).await;
    looped.catch_up().await;
    assert_eq!(status(&looped, id).await, "SENT");
    says(&looped, AdjustmentStatus::Accepted, None).await;
    looped.catch_up().await;
    assert_eq!(status(&looped, id).await, "ACCEPTED");
    end(&looped, applied(4)).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!(
        (&kept["status"], &kept["vendor_receipt"], &kept["applied_version"]),
        (&json!("APPLIED"), &json!("adj-1"), &json!(4))
    );
    // What is known already changes nothing.
    let revision = looped.bed.store.record(&tenant(), id).await.unwrap().unwrap().revision;
    says(&looped, AdjustmentStatus::Applied, Some(4)).await;
    looped.catch_up().await;
    assert_eq!(looped.bed.store.record(&tenant(), id).await.unwrap().unwrap().revision, revision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_the_vendors_word_that_comes_before_the_receipt_counts_and_so_does_one_that_comes_after_a_restart() {
    let looped = looped().await;
    let id = approved(&looped, weight(1_000, 3_000, 3)).await;
    send(&looped, id, "1").await;
    says(&looped, AdjustmentStatus::Applied, Some(4)).await;
    looped.catch_up().await;
    assert_eq!(status(&looped, id).await, "APPROVED", "it is not known yet whose word it is");
    end(&looped, taken()).await;
    // Stopped before anything of it was written down.
    let sources = options().sources;
    let looped = looped.reopened_with(LoopOptions { sources: sources.clone(), ..LoopOptions::default() }).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], &kept["applied_version"]), (&json!("APPLIED"), &json!(4)));
    // The vendor takes it back by itself, and the gateway learns of it after another start.
    says(&looped, AdjustmentStatus::Reverted, Some(5)).await;
    let looped = looped.reopened_with(LoopOptions { sources, ..LoopOptions::default() }).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], &kept["applied_version"]), (&json!("REVERTED"), &json!(5)));
    is_refused(act(&looped, id, AdjustActKind::Revert { version: None }, "Li Na").await, "is REVERTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r50_a_conflict_at_the_vendor_ends_rejected_with_its_code_and_a_replay_is_followed_too() {
    let looped = looped().await;
    let id = approved(&looped, weight(1_000, 3_000, 3)).await;
    let delivery = send(&looped, id, "1").await;
    end(&looped, dead("invalid-input: another weight [weight_conflict]")).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], &kept["refusal"]), (&json!("REJECTED"), &json!("weight_conflict")));
    let now_ms = looped.bed.clock.now_ms();
    assert!(looped.bed.store.replay_delivery(&tenant(), delivery, None, now_ms).await.unwrap());
    end(&looped, applied(4)).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], kept.get("refusal")), (&json!("APPLIED"), None));
    // A vendor that takes one and rejects it afterwards.
    let other = approved(&looped, weight(3_000, 3_500, 4)).await;
    send(&looped, other, "1").await;
    end(
        &looped,
        AttemptEnd::Unconfirmed {
            receipt: ReceiptKept { reference: Some("adj-2".into()), detail: "{}".into() },
            ask_at_ms: 0,
        },
    )
    .await;
    looped.catch_up().await;
    let no = ModelAdjustment::new(AdjustmentTarget::new("self".into(), 4), AdjustmentStatus::Rejected);
    looped.bed.put("adj-2", &no).await;
    looped.catch_up().await;
    let kept = body(&looped, other).await;
    assert_eq!((&kept["status"], &kept["refusal"]), (&json!("REJECTED"), &json!("rejected")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r50_what_starts_from_a_weight_that_is_known_to_be_another_is_refused_before_it_is_sent() {
    let looped = looped().await;
    let first = approved(&looped, weight(1_000, 3_000, 3)).await;
    let second = propose(&looped, weight(1_000, 2_000, 3)).await.unwrap().row.id;
    send(&looped, first, "1").await;
    end(&looped, applied(4)).await;
    looped.catch_up().await;
    is_refused(act(&looped, second, AdjustActKind::Approve, "Wang Wei").await, "has version 4");
    is_refused(propose(&looped, weight(1_000, 2_000, 3)).await, "has version 4");
    is_refused(propose(&looped, weight(1_000, 2_000, 4)).await, "the weight is 3000");
    // Another position's model, and a version that is not known here, are left to the vendor to judge.
    let mut other = weight(1_000, 2_000, 3);
    other["target"]["position"]["external"]["value"] = json!("pos-2");
    propose(&looped, other).await.unwrap();
    propose(&looped, weight(1_000, 2_000, 5)).await.unwrap();
    propose(&looped, weight(3_000, 2_000, 4)).await.unwrap();

    // Taken back, the weight is what it was.
    act(&looped, first, AdjustActKind::Revert { version: None }, "Li Na").await.unwrap();
    send(&looped, first, "back").await;
    end(&looped, applied(5)).await;
    looped.catch_up().await;
    assert_eq!(status(&looped, first).await, "REVERTED");
    is_refused(propose(&looped, weight(3_000, 2_000, 5)).await, "the weight is 1000");
    propose(&looped, weight(1_000, 2_000, 5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_what_was_applied_is_taken_back_and_a_vendor_that_refuses_that_leaves_it_applied() {
    let looped = looped().await;
    let id = approved(&looped, weight(1_000, 3_000, 3)).await;
    send(&looped, id, "1").await;
    end(&looped, applied(4)).await;
    looped.catch_up().await;
    act(&looped, id, AdjustActKind::Revert { version: None }, "Chen Yu").await.unwrap();
    assert_eq!(body(&looped, id).await["revert_version"], 4, "from the version that it made");
    send(&looped, id, "back-1").await;
    end(&looped, dead("invalid-input: another version [version_conflict]")).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], &kept["refusal"]), (&json!("APPLIED"), &json!("version_conflict")));
    // Once more, from the version that the model has by now.
    let again = act(&looped, id, AdjustActKind::Revert { version: Some(6) }, "Chen Yu").await.unwrap();
    assert!(again.is_new);
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], &kept["revert_version"], kept.get("refusal")), (&json!("REVERTING"), &json!(6), None));
    send(&looped, id, "back-2").await;
    end(&looped, applied(7)).await;
    looped.catch_up().await;
    let kept = body(&looped, id).await;
    assert_eq!((&kept["status"], &kept["applied_version"]), (&json!("REVERTED"), &json!(7)));
    // An old word of the vendor's does not bring it back.
    says(&looped, AdjustmentStatus::Applied, Some(4)).await;
    looped.catch_up().await;
    assert_eq!(status(&looped, id).await, "REVERTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instruction_that_waits_too_long_is_named_with_what_it_waits_for() {
    let sources = options().sources;
    let options = LoopOptions { sources, adjust_wait_ms: 10 * MINUTE, ..LoopOptions::default() };
    let looped = Looped::with(Bed::new().await, options).await;
    let named = async || {
        looped.catch_up().await;
        looped.desk.progress(&tenant()).unwrap().first_adjustments_waiting
    };
    let id = propose(&looped, weight(1_000, 3_000, 3)).await.unwrap().row.id;
    looped.bed.clock.advance(10 * MINUTE);
    assert_eq!(named().await, []);
    looped.bed.clock.advance(1);
    let waiting = named().await;
    assert_eq!((waiting.len(), waiting[0].id), (1, id));
    assert!(waiting[0].reason().contains("approve or reject"));
    act(&looped, id, AdjustActKind::Approve, "Wang Wei").await.unwrap();
    assert_eq!(named().await, [], "it waits for something else since");
    looped.bed.clock.advance(11 * MINUTE);
    assert!(named().await[0].reason().contains("a flow that carries it"));
    send(&looped, id, "1").await;
    end(&looped, applied(4)).await;
    assert_eq!(named().await, []);
}
