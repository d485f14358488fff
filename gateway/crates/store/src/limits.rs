//! How much one call may bring, and the texts that both backends can keep.
//!
//! These are walls behind the walls: the plugin host and sync have smaller, configurable limits and quarantine a record
//! that breaks them. What comes this far and is still too large is refused whole, with its place.

use crate::{PageCommit, RecordWrite, StoreError};

/// Records of one page, `unchanged` included.
pub const PAGE_RECORDS_MAX: usize = 100_000;
/// Exchanges of one page: the number shares a 64-bit id with the page.
pub const EXCHANGES_MAX: u32 = 1 << 20;
/// Bytes of a vendor's id: it must fit the index of both backends.
pub const EXTERNAL_ID_BYTES_MAX: usize = 1_024;
/// Bytes of a pointer into an exchange.
pub const POINTER_BYTES_MAX: usize = 4_096;
/// Bytes of a cursor.
pub const CURSOR_BYTES_MAX: usize = 64 << 10;
/// Rows of one answer; more is cut to this.
pub const LIST_LIMIT_MAX: u32 = 1_000;

/// Refuses a page that no backend could keep.
pub(crate) fn check_page(page: &PageCommit) -> Result<(), StoreError> {
    let count = page.records.len() + page.unchanged.len() + page.quarantine.len();
    if count > PAGE_RECORDS_MAX {
        return Err(bad(&format!("the page has {count} records; at most {PAGE_RECORDS_MAX} go into one commit")));
    }
    for exchange in &page.exchanges {
        if exchange.no >= EXCHANGES_MAX {
            return Err(bad(&format!("exchange {} of the page: at most {EXCHANGES_MAX} a page", exchange.no)));
        }
        clean("an exchange's URL", &exchange.url, usize::MAX)?;
    }
    for cursor in [&page.cursor_before, &page.cursor_after].into_iter().flatten() {
        clean("the cursor", cursor, CURSOR_BYTES_MAX)?;
    }
    page.records.iter().enumerate().try_for_each(|(at, record)| check_record(at, record))
}

/// Refuses a record that no backend could keep. `at` is its place in the page.
pub(crate) fn check_record(at: usize, record: &RecordWrite) -> Result<(), StoreError> {
    let place = |what: &str| format!("record {at} of the page: its {what}");
    if record.external_id.is_empty() {
        return Err(bad(&format!("{} is empty", place("vendor id"))));
    }
    clean(&place("vendor id"), &record.external_id, EXTERNAL_ID_BYTES_MAX)?;
    clean(&place("pointer"), &record.pointer, POINTER_BYTES_MAX)?;
    clean(&place("entity"), record.entity(), 63)?;
    if record.exchange_no >= EXCHANGES_MAX {
        return Err(bad(&format!("{} is over {EXCHANGES_MAX}", place("exchange number"))));
    }
    Ok(())
}

/// PostgreSQL keeps no NUL in a text, so neither backend does. What is quarantined is bad already and must be kept all
/// the same: its texts take U+FFFD for NUL; its bytes stay as they were.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The limit of a list, within 1 and [`LIST_LIMIT_MAX`].
pub(crate) fn list_limit(asked: u32) -> i64 {
    i64::from(asked.clamp(1, LIST_LIMIT_MAX))
}

/// Two keys with one id: with 64 random bits only a key that is put in twice.
pub(crate) fn key_is_there() -> StoreError {
    StoreError::Fault("there is a key with this id already".into())
}

fn clean(what: &str, text: &str, bytes_max: usize) -> Result<(), StoreError> {
    if text.len() > bytes_max {
        return Err(bad(&format!("{what} has {} bytes, at most {bytes_max} are kept", text.len())));
    }
    if text.contains('\0') {
        return Err(bad(&format!("{what} contains a NUL character")));
    }
    Ok(())
}

fn bad(text: &str) -> StoreError {
    StoreError::BadInput(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;

    fn record(external_id: &str, pointer: &str) -> RecordWrite {
        RecordWrite {
            external_id: external_id.into(),
            content: Content::of("employee", b"{}".to_vec()),
            updated_at_ms: None,
            exchange_no: 0,
            pointer: pointer.into(),
            deleted: None,
        }
    }

    #[test]
    fn a_vendor_id_at_the_limit_passes_and_one_byte_more_is_refused() {
        assert!(check_record(0, &record(&"x".repeat(EXTERNAL_ID_BYTES_MAX), "/0")).is_ok());
        assert!(check_record(0, &record(&"x".repeat(EXTERNAL_ID_BYTES_MAX + 1), "/0")).is_err());
        assert!(check_record(0, &record("", "/0")).is_err());
    }

    #[test]
    fn nul_is_refused_with_its_place_and_without_the_value() {
        let text = check_record(7, &record("secret\0id", "/0")).map_err(|error| error.to_string());
        assert_eq!(text, Err("bad input: record 7 of the page: its vendor id contains a NUL character".into()));
        assert!(check_record(0, &record("e1", "/\0")).is_err());
    }

    #[test]
    fn list_limits_are_cut_on_both_sides() {
        assert_eq!([list_limit(0), list_limit(7), list_limit(9_999)], [1, 7, 1_000]);
    }
}
