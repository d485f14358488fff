//! Reading what belongs to a record, page after page: whose children are read is decided by [`Sources`] before the store is asked.

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::{LinkedQuery, Parent, RecordRow, Store, StoreError};

use crate::sources::Sources;

/// Rows read at once.
const PAGE: u32 = 500;

/// What every reading of children needs.
#[derive(Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a TenantId,
    pub(crate) sources: &'a Sources,
    /// Of one kind of one record.
    pub(crate) children_max: usize,
}

impl Shelf<'_> {
    /// Shows the children of these entities and connections in the order of their first commit, for as long as `visit` wants more.
    /// False: there are more than `children_max`, and what is beyond was not shown.
    pub(crate) async fn each(
        &self,
        parent: &Parent,
        connections: Vec<ConnectionName>,
        entities: &[&str],
        mut visit: impl FnMut(RecordRow) -> bool + Send,
    ) -> Result<bool, StoreError> {
        let mut query = LinkedQuery {
            parent: parent.clone(),
            connections,
            entities: entities.iter().map(|name| (*name).to_owned()).collect(),
            after: None,
            limit: PAGE,
        };
        let mut seen = 0;
        loop {
            let rows = self.store.linked(self.tenant, &query).await?;
            let last: Option<RecordId> = rows.last().map(|row| row.id).filter(|_| rows.len() >= PAGE as usize);
            for row in rows {
                if seen == self.children_max {
                    return Ok(false);
                }
                seen += 1;
                if !visit(row) {
                    return Ok(true);
                }
            }
            if last.is_none() {
                return Ok(true);
            }
            query.after = last;
        }
    }
}
