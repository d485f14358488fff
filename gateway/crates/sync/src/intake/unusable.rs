//! Deliveries that come from the vendor but cannot be used: text that is not JSON, an unknown shape, a cipher text that
//! does not open.
//!
//! The vendor is told that sending the same again would not help, so that it stops; the bytes wait in quarantine next
//! to the inbox row, and one line in the log says why. What is not proved never comes here: bytes of other senders are
//! not kept.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use renmen_plugin_host::{Answer, CallError, Delivery, ReceivedDelivery, Reject, Usage};

use super::{Deliveries, IntakeError, TakenIn};
use renmen_schema::FailureKind;

use crate::ConnectionRuntime;
use crate::spool::Reel;

/// What the vendor is answered.
const STATUS: u16 = 400;
/// What stands in quarantine in place of an entity.
const ENTITY: &str = "delivery";
/// Code of what waits in quarantine: its bytes are not those of a record, so they are not checked against a schema.
pub(crate) const CODE: &str = "unusable_delivery";

/// Why a delivery that was proved cannot be used; none where another try may end otherwise, or where nothing was proved.
pub(super) fn reason(error: &CallError) -> Option<String> {
    let CallError::Failure { kind, code, message, proved, usage, .. } = error else { return None };
    // Text that ends too early is cut only where a vendor was asked for it: a delivery was signed as it is.
    let cut = *kind == FailureKind::UpstreamUnavailable && usage.http_calls == 0;
    let unusable = cut || matches!(kind, FailureKind::InvalidInput | FailureKind::UpstreamChanged);
    let code = code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
    (unusable && *proved).then(|| format!("{message}{code}"))
}

impl Deliveries {
    /// Keeps the delivery as it came, and ends with [`IntakeError::Unusable`] once it is durable.
    pub(super) async fn keep_unusable(
        &self,
        connection: &Arc<ConnectionRuntime>,
        delivery: Delivery,
        why: String,
        began: Instant,
    ) -> Result<TakenIn, IntakeError> {
        if !connection.delivery_rate().admits(Instant::now()) {
            return Err(IntakeError::TooMany);
        }
        let source = connection.source();
        // In clear where it came so; an encrypted one stays as it is.
        let raw = source.receiver().map_or_else(Bytes::new, |receiver| receiver.redact(delivery.body.clone()));
        let reject = Reject {
            entity: ENTITY.to_owned(),
            external_id: None,
            exchange: 0,
            pointer: String::new(),
            reason: why.clone(),
            raw: raw.to_vec(),
            code: CODE,
        };
        let (intake, _) = self.prepared(connection, delivery, outcome(reject), Reel::default(), began).await;
        let taken = self.shared.store.take_in(intake).await?;
        if !taken.repeated {
            tracing::warn!(
                connection = %connection.name(), reason = why,
                "A delivery has a valid signature but cannot be used: it is in quarantine, and the vendor was asked not to repeat it"
            );
        }
        Err(IntakeError::Unusable(why))
    }
}

fn outcome(reject: Reject) -> ReceivedDelivery {
    ReceivedDelivery {
        answer: Answer { status: STATUS, headers: Vec::new(), body: Bytes::new() },
        delivery_id: None,
        records: Vec::new(),
        rejects: vec![reject],
        refresh: Vec::new(),
        question: false,
        exchanges: Vec::new(),
        memory: None,
        usage: Usage::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind, proved: bool, http_calls: u32) -> CallError {
        let usage = Usage { http_calls, ..Usage::default() };
        CallError::Failure { kind, code: Some("7".into()), message: "why".into(), retry_after_ms: None, proved, usage }
    }

    #[test]
    fn only_what_was_proved_and_ends_no_other_way_is_of_no_use() {
        for kind in [FailureKind::InvalidInput, FailureKind::UpstreamChanged] {
            assert_eq!(reason(&failure(kind, true, 3)).as_deref(), Some("why [7]"));
            assert_eq!(reason(&failure(kind, false, 0)), None, "anybody may have sent it");
        }
        let unavailable = FailureKind::UpstreamUnavailable;
        assert!(reason(&failure(unavailable, true, 0)).is_some(), "text that ends too early was signed so");
        assert_eq!(reason(&failure(unavailable, true, 1)), None, "a vendor that was asked may answer later");
        for other in
            [FailureKind::AuthRequired, FailureKind::BadConfig, FailureKind::RateLimited, FailureKind::Internal]
        {
            assert_eq!(reason(&failure(other, true, 0)), None, "{other}");
        }
        let crashed = CallError::Crashed { message: "why".into(), usage: Usage::default() };
        assert_eq!(reason(&crashed), None, "a mended connector may take it");
    }
}
