//! Deliveries that people make, and the change of a record that they are made for.

use renmen_schema::id::{RecordId, TenantId};

use super::sql::{self, feed_columns, feed_joins};
use super::{BY_HAND, FeedEntry, HandMade, flow, rows};
use crate::StoreError;
use crate::identity::{self, IdKeys};
use crate::sql::{Session, expect_number, moving, number, values};

pub(crate) async fn last_change(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    record: RecordId,
) -> Result<Option<FeedEntry>, StoreError> {
    let Some(row) = identity::row_of(record) else { return Ok(None) };
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.feed = (SELECT e.id FROM feed e WHERE e.tenant = $2) AND c.seq = (SELECT seq FROM record WHERE id = $1)
         AND s.tenant = $2"
    );
    let found = session.one(sql, values![row, tenant], |row| rows::feed_entry(row, ids)).await?;
    // A number alone is not an id of ours.
    Ok(found.filter(|entry| entry.change.id == record))
}

/// The delivery that was made with a key.
pub(crate) async fn find(session: &impl Session, key: [u8; 16]) -> Result<Option<i64>, StoreError> {
    number(session, sql::HAND_MADE, values![&key]).await
}

/// Makes one, unless there is one with its key; gives its number, and whether it was made now.
pub(crate) async fn make(session: &impl Session, made: &HandMade) -> Result<(i64, bool), StoreError> {
    moving::refuse(session, &made.tenant).await?;
    let key = made.delivery.key;
    // Two that ask at once take turns: the second finds what the first made.
    if let Some(wait) = session.dialect().wait_for_turn() {
        session.run(wait, values![&key]).await?;
    }
    if let Some(id) = find(session, key).await? {
        return Ok((id, false));
    }
    let of = match made.flow {
        Some((flow, version)) => {
            let stands = format!("{}{}", sql::HAND_FLOW_STANDS, session.dialect().for_update());
            if number(session, &stands, values![flow, version]).await?.is_none() {
                return Err(StoreError::Fenced(format!("flow {flow} changed since it was read")));
            }
            (flow, version)
        }
        None => {
            session.run(&sql::hand_flow_insert(session.dialect()), values![&made.tenant, BY_HAND, made.now_ms]).await?;
            let flow = "SELECT id FROM flow WHERE tenant = $1 AND name = $2";
            (expect_number(session, flow, values![&made.tenant, BY_HAND]).await?, 1)
        }
    };
    let new = (&made.delivery, Some(made.by_hand.as_str()));
    Ok((flow::insert(session, made.tenant.as_str(), of, new, made.now_ms).await?, true))
}
