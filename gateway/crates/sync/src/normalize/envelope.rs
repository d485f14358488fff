//! What must hold for an envelope before anybody looks into its payload.

use renmen_plugin_host::Envelope;
use renmen_schema::{Text, text};

use crate::IngestLimits;

/// Why an envelope is refused. The text holds no value of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) reason: Text,
}

impl Fault {
    pub(super) fn new(code: &'static str, reason: Text) -> Self {
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
            text!(
                "the payload has {length} bytes, record_bytes_max allows {max}",
                "内容有 {length} 字节，record_bytes_max 允许 {max}"
            ),
        ));
    }
    let length = envelope.pointer.len();
    if length > limits.pointer_bytes_max {
        let max = limits.pointer_bytes_max;
        return Err(Fault::new(
            "pointer_bytes_max",
            text!(
                "the pointer has {length} bytes, pointer_bytes_max allows {max}",
                "指针有 {length} 字节，pointer_bytes_max 允许 {max}"
            ),
        ));
    }
    if envelope.pointer.contains('\0') {
        return Err(Fault::new("bad_pointer", text!("the pointer holds a NUL character", "指针含有 NUL 字符")));
    }
    if exchanges > 0 && envelope.exchange as usize >= exchanges {
        let no = envelope.exchange;
        return Err(Fault::new(
            "bad_exchange",
            text!(
                "it names exchange {no}, the page has {exchanges}, numbered from 0",
                "它指向请求 {no}，而该页有 {exchanges} 次请求，从 0 编号"
            ),
        ));
    }
    if envelope.updated_at_ms.is_some_and(|at| !(0..=TIME_MAX_MS).contains(&at)) {
        return Err(Fault::new(
            "bad_updated_at",
            text!("updated-at-ms lies outside the years 1970 to 9999", "updated-at-ms 不在 1970 到 9999 年之间"),
        ));
    }
    Ok(())
}

fn external_id(id: &str, limits: &IngestLimits) -> Result<(), Fault> {
    if id.trim().is_empty() {
        return Err(Fault::new("missing_external_id", text!("the external id is empty", "外部编号为空")));
    }
    let max = limits.external_id_bytes_max;
    if id.len() > max {
        let length = id.len();
        return Err(Fault::new(
            "external_id_bytes_max",
            text!(
                "the external id has {length} bytes, external_id_bytes_max allows {max}",
                "外部编号有 {length} 字节，external_id_bytes_max 允许 {max}"
            ),
        ));
    }
    if id.chars().any(char::is_control) {
        return Err(Fault::new(
            "bad_external_id",
            text!("the external id holds a control character", "外部编号含有控制字符"),
        ));
    }
    Ok(())
}
