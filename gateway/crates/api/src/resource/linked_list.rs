//! Lists that are read from what their records belong to: decisions of an interview, versions of a position's profile.

use renmen_schema::EntityKind;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::{LinkedQuery, Parent, RecordQuery, RecordRow};

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Records read from the store at once.
pub(super) const PIECE: u32 = 1000;
/// Pieces that one request reads: what is beyond is reached by the cursor.
pub(super) const PIECES_MAX: usize = 20;
/// How a cursor among linked records begins; the store's own begin otherwise.
const LINKED: &str = "00";

/// What is read from what.
pub(super) struct From {
    pub(super) parent: Parent,
    /// Through which connections the records came.
    pub(super) connections: Vec<ConnectionName>,
    pub(super) kind: EntityKind,
}

/// The record itself, as references name it.
pub(super) fn key_of(row: &RecordRow) -> Parent {
    Parent { connection: row.connection.clone(), entity: row.entity.clone(), external_id: row.external_id.clone() }
}

/// A page of what belongs to a record, and the cursor behind it.
pub(super) async fn read(
    state: &AppState,
    tenant: &TenantId,
    from: From,
    query: &RecordQuery,
    wanted: impl Fn(&RecordRow) -> bool,
) -> Result<(Vec<RecordRow>, Option<String>), Problem> {
    let mut asked = LinkedQuery {
        parent: from.parent,
        connections: from.connections,
        entities: vec![from.kind.name().to_owned()],
        after: query.after.as_deref().map(place).transpose()?,
        limit: PIECE,
    };
    let (mut found, mut bytes) = (Vec::new(), 0);
    for _ in 0..PIECES_MAX {
        let rows = state.store.linked(tenant, &asked).await?;
        let whole = rows.len() < PIECE as usize;
        for row in rows {
            let fits = fits_list(&row, query) && wanted(&row);
            if fits && !found.is_empty() && bytes + row.body.len() > state.options.page_bytes_max {
                return Ok((found, asked.after.map(cursor)));
            }
            asked.after = Some(row.id);
            if fits {
                bytes += row.body.len();
                found.push(row);
            }
            if found.len() >= query.limit as usize {
                return Ok((found, asked.after.map(cursor)));
            }
        }
        if whole {
            return Ok((found, None));
        }
    }
    Ok((found, asked.after.map(cursor)))
}

/// Do the parameters of every list let it through? What is linked is live.
fn fits_list(row: &RecordRow, query: &RecordQuery) -> bool {
    query.deleted != Some(true)
        && query.updated_since_ms.is_none_or(|since| row.recorded_at_ms >= since)
        && query.connection.as_ref().is_none_or(|connection| *connection == row.connection)
        && query.external_id.as_ref().is_none_or(|id| *id == row.external_id)
}

fn cursor(after: RecordId) -> String {
    format!("{LINKED}{}", hex::encode(after.0.as_bytes()))
}

fn place(cursor: &str) -> Result<RecordId, Problem> {
    let bytes = cursor.strip_prefix(LINKED).and_then(|digits| hex::decode(digits).ok());
    let text = bytes.filter(|bytes| bytes.len() == 16).map(hex::encode);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::new(ProblemCode::InvalidCursor).detail(
            "use the `next_cursor` of a previous response with the same filters, or start without a cursor",
            "请使用同一列表、相同过滤条件返回的 `next_cursor`，或不带游标重新开始",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_among_linked_records_comes_back_and_nothing_else_is_one() {
        let id: RecordId = "018bcfe5-6800-7000-8000-000000000001".parse().unwrap();
        assert_eq!(place(&cursor(id)).unwrap(), id);
        assert!(cursor(id).len() >= 34);
        for other in ["", "00", "01018bcfe56800700080000000000000001", "00zz", &format!("{}00", cursor(id))] {
            assert_eq!(place(other).unwrap_err().code, ProblemCode::InvalidCursor, "{other}");
        }
    }
}
