//! An endpoint's row, read the same way from both backends.

use crate::rows::Columns;
use crate::{EndpointOff, EndpointRow, StoreError};

/// The columns in the order of [`read`].
pub(crate) const ENDPOINT_SELECT: &str =
    "SELECT tenant, name, definition, off_reason, off_url, off_since, updated_at FROM endpoint";

/// Reads what [`ENDPOINT_SELECT`] selects.
pub(crate) fn read(row: &impl Columns) -> Result<EndpointRow, StoreError> {
    let bad = |error: renmen_schema::id::BadName| StoreError::Fault(format!("an endpoint's row: {error}"));
    let off = match (row.text_or_none(3)?, row.text_or_none(4)?, row.int_or_none(5)?) {
        (Some(reason), Some(url), Some(since_ms)) => Some(EndpointOff { reason, url, since_ms }),
        _ => None,
    };
    Ok(EndpointRow {
        tenant: row.text(0)?.parse().map_err(bad)?,
        name: row.text(1)?.parse().map_err(bad)?,
        definition: row.text_or_none(2)?,
        off,
        updated_at_ms: row.int(6)?,
    })
}
