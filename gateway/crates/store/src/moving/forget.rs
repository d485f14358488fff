//! A tenant that is gone is deleted, piece by piece, so that a gateway goes on serving the others. And which tenants there are.

use renmen_schema::id::TenantId;
use renmen_schema::text;

use super::place::{self, Asking, Kind};
use super::{MoveProgress, MoveStep, MovedTable, TellMove, tables};
use crate::rows::{self, Columns};
use crate::sql::{Session, cell, moving};
use crate::{MoveState, StoreError, StoreOptions, TenantMove, failpoint};

/// Rows that are deleted with one transaction.
const BATCH: u32 = 500;

/// Deletes what is left of a tenant that was moved away. Stopped, it goes on when it is done again.
///
/// # Errors
/// [`StoreError::Configuration`] for a tenant that is not gone.
pub async fn forget_tenant(
    options: StoreOptions,
    tenant: &TenantId,
    tell: TellMove<'_>,
) -> Result<Vec<MovedTable>, StoreError> {
    let mut place = place::beside(&options).await?;
    let place = &mut *place;
    place.begin(Kind::Write).await?;
    let asking = Asking::of(place);
    let known = moving::find(&asking, tenant).await?;
    if known.is_none_or(|known| known.state != MoveState::Gone) {
        return Err(StoreError::Configuration(text!(
            "the tenant `{tenant}` was not moved away from this database, so nothing was deleted: run `renmen tenant export`, import it \
             elsewhere, then `renmen tenant moved`",
            "租户 `{tenant}` 并未迁出此数据库，因此未删除任何内容：请运行 `renmen tenant export`，在别处导入，再运行 `renmen tenant moved`"
        )));
    }
    // What is deleted is never given out again: the tenant may come back with it.
    cell::keep_from_reuse(&asking).await?;
    place.commit().await?;
    let all = place.tables().await?;
    let mut deleted = Vec::new();
    for table in tables::to_delete(all, tenant)? {
        let mut rows = 0;
        loop {
            place.begin(Kind::Write).await?;
            let some = place.delete(&table, BATCH).await?;
            place.commit().await?;
            failpoint::reach("tenant_forgotten");
            rows += some;
            tell(MoveProgress { table: &table.name, rows, of: 0, step: MoveStep::Deleting });
            if some == 0 {
                break;
            }
        }
        deleted.push(MovedTable { name: table.name, rows, hash: String::new() });
    }
    Ok(deleted)
}

/// The tenants that a database holds something of, and those that left it.
///
/// # Errors
/// Those of opening it.
pub async fn tenants(options: StoreOptions) -> Result<Vec<(TenantId, Option<TenantMove>)>, StoreError> {
    let mut place = place::beside(&options).await?;
    place.begin(Kind::Snapshot).await?;
    let asking = Asking::of(&mut *place);
    let sql = "SELECT tenant FROM scope UNION SELECT tenant FROM stream UNION SELECT tenant FROM api_key
               UNION SELECT tenant FROM flow UNION SELECT tenant FROM endpoint UNION SELECT tenant FROM tenant_move";
    let mut names = asking.all(sql, &[], |row: &dyn Columns| rows::tenant_of(&row.text(0)?)).await?;
    names.sort();
    let moves = moving::list(&asking).await?;
    place.commit().await?;
    let with_move = |name: TenantId| {
        let found = moves.iter().find(|found| found.tenant == name).cloned();
        (name, found)
    };
    Ok(names.into_iter().map(with_move).collect())
}
