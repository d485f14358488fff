//! The opaque cursor of a record list: where it goes on, and of which query.

use crate::StoreError;

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Position {
    /// After this vendor id of this scope.
    Key {
        /// Row of `scope`.
        scope: i64,
        external_id: String,
    },
    /// After this change, up to the one that was the last when the list began.
    Change {
        /// Exclusive.
        after: i64,
        /// Inclusive.
        until: i64,
    },
}

const BY_KEY: u8 = 1;
const BY_CHANGE: u8 = 2;

/// Writes a position of the query with this fingerprint.
pub(crate) fn write(query: [u8; 8], position: &Position) -> String {
    let mut bytes = Vec::with_capacity(32);
    match position {
        Position::Key { scope, external_id } => {
            bytes.push(BY_KEY);
            bytes.extend(query);
            bytes.extend(scope.to_be_bytes());
            bytes.extend(external_id.as_bytes());
        }
        Position::Change { after, until } => {
            bytes.push(BY_CHANGE);
            bytes.extend(query);
            bytes.extend(after.to_be_bytes());
            bytes.extend(until.to_be_bytes());
        }
    }
    hex::encode(bytes)
}

/// Reads what [`write`] wrote, for the same query.
pub(crate) fn read(query: [u8; 8], token: &str) -> Result<Position, StoreError> {
    let none = || StoreError::BadInput("the list's cursor is not one of ours: begin again without it".into());
    if token.len() > 2 * (17 + crate::EXTERNAL_ID_BYTES_MAX) {
        return Err(none());
    }
    let bytes = hex::decode(token).map_err(|_| none())?;
    let (tag, rest) = bytes.split_first().ok_or_else(none)?;
    let (of_query, rest) = rest.split_first_chunk::<8>().ok_or_else(none)?;
    let (first, rest) = rest.split_first_chunk::<8>().ok_or_else(none)?;
    if *of_query != query {
        return Err(StoreError::BadInput(
            "the list's cursor belongs to a query with other filters: begin again without it".into(),
        ));
    }
    let first = i64::from_be_bytes(*first);
    match *tag {
        BY_KEY => {
            let external_id = std::str::from_utf8(rest).map_err(|_| none())?.to_owned();
            if external_id.contains('\0') { Err(none()) } else { Ok(Position::Key { scope: first, external_id }) }
        }
        BY_CHANGE => {
            let until = rest.try_into().map(i64::from_be_bytes).map_err(|_| none())?;
            Ok(Position::Change { after: first, until })
        }
        _ => Err(none()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn a_position_comes_back(scope in any::<i64>(), external_id in "[^\0]{0,40}", until in any::<i64>()) {
            for position in [Position::Key { scope, external_id }, Position::Change { after: scope, until }] {
                prop_assert_eq!(read([1; 8], &write([1; 8], &position)).unwrap(), position);
            }
        }

        #[test]
        fn any_text_is_a_position_or_an_error(text in ".{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read([1; 8], &text);
            let _ = read([1; 8], &hex::encode(bytes));
        }
    }

    #[test]
    fn a_cursor_of_another_query_is_refused() {
        let token = write([1; 8], &Position::Change { after: 1, until: 2 });
        assert!(read([2; 8], &token).unwrap_err().to_string().contains("other filters"));
        assert!(read([1; 8], &token[..20]).is_err());
    }
}
