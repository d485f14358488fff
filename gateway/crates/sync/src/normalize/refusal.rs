//! What goes to quarantine, and the words that say why.

use renmen_plugin_host::{Envelope, Reject};
use renmen_schema::{Defect, Text, text};
use renmen_store::QuarantineWrite;

use super::envelope::Fault;
use crate::IngestLimits;

/// Defects named in a reason; the rest is counted.
const DEFECTS_SHOWN: usize = 5;
/// Characters of a reason.
const REASON_MAX: usize = 1_000;

/// An envelope that is unsound.
pub(super) fn from_envelope(envelope: Envelope, fault: Fault, limits: &IngestLimits) -> QuarantineWrite {
    QuarantineWrite {
        entity: cut(envelope.entity, 128),
        external_id: usable_id(envelope.external_id, limits),
        exchange_no: envelope.exchange,
        pointer: cut(envelope.pointer, limits.pointer_bytes_max),
        code: fault.code.to_owned(),
        reason: fault.reason,
        raw: envelope.payload,
    }
}

/// What the connector itself could not turn into a record, or the host took out of the page.
pub(crate) fn from_reject(reject: Reject, limits: &IngestLimits) -> QuarantineWrite {
    QuarantineWrite {
        entity: cut(reject.entity, 128),
        external_id: reject.external_id.and_then(|id| usable_id(id, limits)),
        exchange_no: reject.exchange,
        pointer: cut(reject.pointer, limits.pointer_bytes_max),
        code: reject.code.to_owned(),
        reason: Text::verbatim(cut(reject.reason, REASON_MAX)),
        raw: reject.raw,
    }
}

/// Code and reason of a payload that the schema refuses.
pub(super) fn describe(defects: &[Defect]) -> (String, Text) {
    let unreadable = defects.first().is_some_and(|defect| defect.code == "invalid_json");
    let left = defects.len().saturating_sub(DEFECTS_SHOWN);
    let more = if left > 0 { text!("; and {left} more", "；另有 {left} 处") } else { Text::default() };
    let shown = || defects.iter().take(DEFECTS_SHOWN).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let reason = Text::rendered(|| cut(format!("{}{more}", shown()), REASON_MAX));
    (if unreadable { "invalid_json" } else { "schema" }.to_owned(), reason)
}

/// An id that cannot be valid is dropped: it would otherwise stand for a record.
fn usable_id(id: String, limits: &IngestLimits) -> Option<String> {
    let sound = !id.trim().is_empty() && id.len() <= limits.external_id_bytes_max && !id.chars().any(char::is_control);
    sound.then_some(id)
}

/// At most so many bytes, cut at a character, without NUL: PostgreSQL keeps none in text.
fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let mut end = bytes_max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
