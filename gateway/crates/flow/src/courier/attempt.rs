//! One attempt: the push, and what its end means for the delivery.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use rand::Rng as _;
use renmen_clock::{Backoff, up_to_whole};
use renmen_schema::FailureKind;
use renmen_store::outbox::{AttemptEnd, Claimed, DeliveryRow, ReceiptKept};
use serde_json::{Value, json};

use crate::catalogue::DestinationEntry;
use crate::destination::{Cause, Failure, Push, Receipt, RetrySchedule};
use crate::failure_policy::AttemptPolicy;
use crate::options::millis;

/// The shortest and the longest wait before the destination is asked again whether a delivery arrived.
const ASK_MS: (i64, i64) = (5_000, 15 * 60_000);
/// Bytes of a receipt's detail that are kept.
const DETAIL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a receipt's reference that are kept.
const REFERENCE_BYTES_MAX: usize = 512;

/// Pushes, or asks whether it arrived. Ends after the place's time in any case.
pub(crate) async fn push(place: &DestinationEntry, claimed: &Claimed, now_ms: i64) -> Result<Receipt, Failure> {
    let row = &claimed.delivery;
    let (action, input) = match claimed.confirm {
        false => (row.action.clone(), Arc::from(row.input.as_slice())),
        true => {
            let confirm = place.actions.get(&row.action).and_then(|action| action.confirm.clone());
            let Some(action) = confirm else {
                // Its connector can no longer be asked.
                return Ok(Receipt { confirmed: true, ..Receipt::default() });
            };
            let kept = row.receipt.clone().unwrap_or_default();
            let detail: Value = serde_json::from_str(&kept.detail).unwrap_or_else(|_| json!({}));
            (action, json!({ "reference": kept.reference, "detail": detail }).to_string().into_bytes().into())
        }
    };
    let push = Push {
        tenant: row.tenant.clone(),
        delivery: row.id,
        cause: cause(row),
        action,
        idempotency_key: hex::encode(row.key),
        attempt: row.attempts,
        input,
        now_ms,
    };
    let pushed = AssertUnwindSafe(place.destination.push(push)).catch_unwind();
    match tokio::time::timeout(place.push_timeout, pushed).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(Failure::new(FailureKind::Internal, "the destination crashed; its log says where")),
        Err(_late) => {
            let ms = place.push_timeout.as_millis();
            Err(Failure::new(FailureKind::UpstreamUnavailable, format!("no answer within {ms} ms")))
        }
    }
}

fn cause(row: &DeliveryRow) -> Cause {
    let change = &row.change;
    Cause {
        flow: row.flow.clone(),
        flow_version: row.flow_version,
        seq: change.seq,
        kind: change.kind,
        record: change.id,
        entity: change.entity.clone(),
        connection: change.connection.to_string(),
        revision: change.revision,
        at_ms: change.at_ms,
    }
}

/// What an attempt's result means.
pub(crate) fn end(
    place: &DestinationEntry,
    policy: &AttemptPolicy,
    claimed: &Claimed,
    result: Result<Receipt, Failure>,
    now_ms: i64,
) -> AttemptEnd {
    let row = &claimed.delivery;
    match result {
        Ok(receipt) if claimed.confirm => confirmed(policy, row, &receipt, now_ms),
        Ok(receipt) => {
            let asks = place.actions.get(&row.action).is_some_and(|action| action.confirm.is_some());
            let kept = kept(receipt.clone());
            if receipt.confirmed || !asks {
                AttemptEnd::Delivered(kept)
            } else {
                AttemptEnd::Unconfirmed { receipt: kept, ask_at_ms: now_ms + ASK_MS.0 }
            }
        }
        // The destination was asked, and says that it did not arrive.
        Err(failure) if claimed.confirm && failure.kind == FailureKind::InvalidInput => {
            AttemptEnd::Dead { error: told("not_arrived", &failure) }
        }
        Err(failure) if claimed.confirm => ask_again(policy, row, Some(&failure), now_ms),
        Err(failure) => failed(place, policy, row, &failure, now_ms),
    }
}

fn confirmed(policy: &AttemptPolicy, row: &DeliveryRow, receipt: &Receipt, now_ms: i64) -> AttemptEnd {
    if !receipt.confirmed {
        return ask_again(policy, row, None, now_ms);
    }
    let first = row.receipt.clone().unwrap_or_default();
    let mut detail: Value = serde_json::from_str(&first.detail).unwrap_or_else(|_| json!({}));
    if !receipt.detail.is_empty() {
        detail["confirmed"] = Value::Object(receipt.detail.clone());
    }
    AttemptEnd::Delivered(ReceiptKept { reference: first.reference, detail: detail.to_string() })
}

fn is_out_of_patience(policy: &AttemptPolicy, row: &DeliveryRow, now_ms: i64) -> bool {
    now_ms.saturating_sub(row.not_before_ms) > millis(policy.patience)
}

/// Asks less and less often the longer the outcome stays unknown.
fn ask_again(policy: &AttemptPolicy, row: &DeliveryRow, failure: Option<&Failure>, now_ms: i64) -> AttemptEnd {
    if is_out_of_patience(policy, row, now_ms) {
        let error = "unconfirmed: whether it arrived could not be determined".to_owned();
        return AttemptEnd::Dead { error };
    }
    let age = now_ms.saturating_sub(row.not_before_ms);
    let at_ms = now_ms + (age / 2).clamp(ASK_MS.0, ASK_MS.1);
    AttemptEnd::AskAgain { at_ms, error: failure.map(|failure| told("asked", failure)) }
}

/// A record that it refers to is not here: asked again, for as long as its flow has patience.
pub(crate) fn wait_for(policy: &AttemptPolicy, row: &DeliveryRow, error: String, now_ms: i64) -> AttemptEnd {
    if is_out_of_patience(policy, row, now_ms) {
        return AttemptEnd::Dead { error: format!("{error} (for longer than its patience)") };
    }
    let at_ms = now_ms.saturating_add(wait(&policy.retries.schedule, row.attempts));
    AttemptEnd::Retry { at_ms, error, counted: false }
}

fn failed(
    place: &DestinationEntry,
    policy: &AttemptPolicy,
    row: &DeliveryRow,
    failure: &Failure,
    now_ms: i64,
) -> AttemptEnd {
    let error = told(failure.kind.name(), failure);
    if !failure.passes() {
        return AttemptEnd::Dead { error };
    }
    let retries = place.destination.retries().unwrap_or_else(|| policy.retries.clone());
    let waits = !matches!(failure.kind, FailureKind::Internal | FailureKind::UpstreamChanged);
    // What is the destination's trouble says nothing of this delivery: it has its time, not its attempts.
    let counted = matches!(retries.schedule, RetrySchedule::Steps(_)) || !waits;
    if counted && row.failures + 1 >= retries.attempts_max {
        return AttemptEnd::Dead {
            error: format!("{error} (attempt {} of {})", row.failures + 1, retries.attempts_max),
        };
    }
    if !counted && is_out_of_patience(policy, row, now_ms) {
        return AttemptEnd::Dead { error: format!("{error} (for longer than its patience)") };
    }
    let wait_ms = wait(&retries.schedule, row.attempts).max(asked(failure));
    AttemptEnd::Retry { at_ms: now_ms.saturating_add(wait_ms), error, counted }
}

fn asked(failure: &Failure) -> i64 {
    i64::try_from(failure.retry_after_ms.unwrap_or(0)).unwrap_or(i64::MAX).min(86_400_000)
}

fn wait(schedule: &RetrySchedule, attempts: u32) -> i64 {
    let mut rng = rand::rng();
    match schedule {
        RetrySchedule::Backoff { base, max } => {
            let whole = Backoff { first: *base, longest: *max }.wait(attempts);
            millis(up_to_whole(whole, rng.random()))
        }
        RetrySchedule::Steps(steps) => {
            let at = (attempts.saturating_sub(1) as usize).min(steps.len().saturating_sub(1));
            let step = steps.get(at).map_or(60_000, |step| millis(*step));
            rng.random_range(step - step / 10..=step + step / 10)
        }
    }
}

/// `code: message [vendor's code]`.
fn told(code: &str, failure: &Failure) -> String {
    let message: String = failure.message.chars().take(1_000).collect();
    match &failure.code {
        Some(theirs) => format!("{code}: {message} [{}]", theirs.chars().take(100).collect::<String>()),
        None => format!("{code}: {message}"),
    }
}

fn kept(receipt: Receipt) -> ReceiptKept {
    let mut detail = Value::Object(receipt.detail).to_string();
    if detail.len() > DETAIL_BYTES_MAX {
        detail =
            json!({ "omitted": format!("{} bytes; at most {DETAIL_BYTES_MAX} are kept", detail.len()) }).to_string();
    }
    ReceiptKept { reference: receipt.reference.filter(|text| text.len() <= REFERENCE_BYTES_MAX), detail }
}
