//! What must hold for an envelope before anybody looks into its payload.

use renmen_plugin_host::Envelope;

use crate::IngestLimits;

/// Why an envelope is refused. The text holds no value of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, reason: String) -> Self {
        Self { code, reason }
    }
}

/// The code of what the operator did not grant: not the connector's fault, so it does not count against a page.
pub(crate) const NOT_GRANTED: &str = "entity_not_granted";

/// The last millisecond of the year 9999: later times cannot be written as RFC 3339.
const TIME_MAX_MS: i64 = 253_402_300_799_999;

/// Checks everything but the entity and the payload's content. `exchanges` is how many the page has.
pub(super) fn examine(envelope: &Envelope, exchanges: usize, limits: &IngestLimits) -> Result<(), Fault> {
    external_id(&envelope.external_id, limits)?;
    let length = envelope.payload.len();
    if length > limits.record_bytes_max {
        let max = limits.record_bytes_max;
        return Err(Fault::new(
            "record_bytes_max",
            format!("the payload has {length} bytes, record_bytes_max allows {max}"),
        ));
    }
    let length = envelope.pointer.len();
    if length > limits.pointer_bytes_max {
        let max = limits.pointer_bytes_max;
        return Err(Fault::new(
            "pointer_bytes_max",
            format!("the pointer has {length} bytes, pointer_bytes_max allows {max}"),
        ));
    }
    if envelope.pointer.contains('\0') {
        return Err(Fault::new("bad_pointer", "the pointer holds a NUL character".to_owned()));
    }
    if exchanges > 0 && envelope.exchange as usize >= exchanges {
        let no = envelope.exchange;
        return Err(Fault::new(
            "bad_exchange",
            format!("it names exchange {no}, the page has {exchanges}, numbered from 0"),
        ));
    }
    if envelope.updated_at_ms.is_some_and(|at| !(0..=TIME_MAX_MS).contains(&at)) {
        return Err(Fault::new("bad_updated_at", "updated-at-ms lies outside the years 1970 to 9999".to_owned()));
    }
    Ok(())
}

fn external_id(id: &str, limits: &IngestLimits) -> Result<(), Fault> {
    if id.trim().is_empty() {
        return Err(Fault::new("missing_external_id", "the external id is empty".to_owned()));
    }
    let max = limits.external_id_bytes_max;
    if id.len() > max {
        let length = id.len();
        return Err(Fault::new(
            "external_id_bytes_max",
            format!("the external id has {length} bytes, external_id_bytes_max allows {max}"),
        ));
    }
    if id.chars().any(char::is_control) {
        return Err(Fault::new("bad_external_id", "the external id holds a control character".to_owned()));
    }
    Ok(())
}
