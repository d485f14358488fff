//! The flows that run: what the store keeps of them, read once a version.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use renmen_store::outbox::FlowRow;
use renmen_store::{Store, StoreError};

use crate::catalogue::Catalogue;
use crate::definition::{Defect, Definition};

/// A flow with its definition, or with what is wrong with it by now.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) row: FlowRow,
    pub(crate) read: Result<Arc<Definition>, Arc<Vec<Defect>>>,
}

type Read = Result<Arc<Definition>, Arc<Vec<Defect>>>;

/// Definitions by flow and version.
#[derive(Default)]
pub(crate) struct Book(Mutex<BTreeMap<i64, (i64, Read)>>);

impl Book {
    /// A tenant's flows as they stand now.
    pub(crate) async fn flows(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        catalogue: &Catalogue,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = store.flows(tenant).await?;
        Ok(rows.into_iter().map(|row| Entry { read: self.read(&row, catalogue), row }).collect())
    }

    /// The definition of a row. One that was good when it was kept may name a connection that is gone by now: then it sends
    /// nothing, and says so, while the others go on.
    pub(crate) fn read(&self, row: &FlowRow, catalogue: &Catalogue) -> Read {
        if let Some((version, read)) = self.0.lock().get(&row.id)
            && *version == row.version
        {
            return read.clone();
        }
        let read = serde_json::from_str(&row.definition)
            .map_err(|_| {
                vec![Defect {
                    key: String::new(),
                    at: None,
                    message: "it is not valid JSON".into(),
                    help: String::new(),
                }]
            })
            .and_then(|value| Definition::read(&value))
            .and_then(|definition| match definition.check(catalogue) {
                defects if defects.is_empty() || !definition.enabled => Ok(Arc::new(definition)),
                defects => Err(defects),
            })
            .map_err(Arc::new);
        if read.is_err() {
            tracing::error!(flow = %row.name, version = row.version, "Flow disabled: its definition is no longer valid");
        }
        self.0.lock().insert(row.id, (row.version, read.clone()));
        read
    }

    /// Reads all of them anew: the destinations changed.
    pub(crate) fn forget(&self) {
        self.0.lock().clear();
    }
}
