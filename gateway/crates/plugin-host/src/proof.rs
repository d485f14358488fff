//! Before a connector hears of a delivery: the proof that its manifest asks for. What a proof is, egress knows.

use bytes::Bytes;
use renmen_egress::{EgressError, Incoming, Proved};
use renmen_schema::manifest::ProofManifest;

use crate::call::Call;
use crate::delivery::{Answer, Delivery, Door, ReceivedDelivery};
use crate::failure::CallError;
use crate::plugin::Plugin;
use crate::usage::Usage;
use renmen_schema::FailureKind;

/// A bigger body is hashed and opened on a thread for such work.
const LONG_BYTES: usize = 64 << 10;

/// Proves and opens a delivery. One that needs no proof is let through with nothing opened.
pub(crate) async fn prove(plugin: &Plugin, call: &Call, delivery: &Delivery) -> Result<Proved, CallError> {
    let proof = plugin.manifest().webhook.as_ref().and_then(|webhook| webhook.proof.as_ref());
    let Some(proof) = proof.filter(|_| delivery.door == Door::Request) else {
        return Ok(Proved::Delivery { opened: None });
    };
    let proved = if delivery.body.len() <= LONG_BYTES {
        of(proof, call, delivery)
    } else {
        let (proof, call, delivery) = (proof.clone(), call.clone(), delivery.clone());
        let work = tokio::task::spawn_blocking(move || of(&proof, &call, &delivery));
        work.await.unwrap_or_else(|_| Err(EgressError::BadRequest("the proof of a delivery was interrupted".into())))
    };
    proved.map_err(told)
}

fn of(proof: &ProofManifest, call: &Call, delivery: &Delivery) -> Result<Proved, EgressError> {
    let incoming = Incoming {
        path_and_query: &delivery.path_and_query,
        headers: &delivery.headers,
        body: &delivery.body,
        received_at_ms: delivery.received_at_ms,
        window_ms: u64::try_from(delivery.window.as_millis()).unwrap_or(u64::MAX),
    };
    call.egress.seal().prove(proof, call.egress.config(), &incoming)
}

/// The outcome of a question that the host answered by itself.
pub(crate) fn answered(answer: Vec<u8>) -> ReceivedDelivery {
    ReceivedDelivery {
        answer: Answer { status: 200, headers: vec![json()], body: Bytes::from(answer) },
        delivery_id: None,
        records: Vec::new(),
        rejects: Vec::new(),
        refresh: Vec::new(),
        question: true,
        memory: None,
        exchanges: Vec::new(),
        usage: Usage::default(),
    }
}

/// The header of an answer that the host made.
pub(crate) fn json() -> (String, String) {
    ("content-type".to_owned(), "application/json".to_owned())
}

fn told(error: EgressError) -> CallError {
    let proved = matches!(error, EgressError::Unopened(_));
    let (kind, message) = match error {
        EgressError::Unopened(message) => (FailureKind::InvalidInput, message),
        EgressError::Auth(message) => (FailureKind::AuthRequired, message),
        EgressError::NotGranted(message) => (FailureKind::NotGranted, message),
        other => (FailureKind::BadConfig, other.to_string()),
    };
    CallError::Failure { kind, code: None, message, retry_after_ms: None, proved, usage: Usage::default() }
}
