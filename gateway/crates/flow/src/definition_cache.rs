//! The flows that run: what the store keeps of them, parsed and checked once a version and once a set of destinations.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use renmen_store::outbox::FlowRow;
use renmen_store::{Store, StoreError};

use crate::catalogue::Catalogue;
use crate::definition::{Defect, Definition};

/// A definition, or what is wrong with it by now.
type Checked = Result<Arc<Definition>, Arc<Vec<Defect>>>;

/// A flow with its definition.
#[derive(Clone)]
pub(crate) struct CachedFlow {
    pub(crate) row: FlowRow,
    pub(crate) definition: Checked,
}

/// What was checked, and against which destinations. They are compared by identity: a check that began before they changed and ended
/// after it is not taken for one of those that are there now.
struct Kept {
    version: i64,
    catalogue: Arc<Catalogue>,
    checked: Checked,
}

/// Definitions by flow.
#[derive(Default)]
pub(crate) struct DefinitionCache(Mutex<BTreeMap<i64, Kept>>);

impl DefinitionCache {
    /// A tenant's flows as they stand now.
    pub(crate) async fn flows(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        catalogue: &Arc<Catalogue>,
    ) -> Result<Vec<CachedFlow>, StoreError> {
        let rows = store.flows(tenant).await?;
        Ok(rows.into_iter().map(|row| CachedFlow { definition: self.of_row(&row, catalogue), row }).collect())
    }

    /// The definition of a row. One that was good when it was kept may name a connection that is gone by now: then it sends
    /// nothing, and says so, while the others go on.
    pub(crate) fn of_row(&self, row: &FlowRow, catalogue: &Arc<Catalogue>) -> Checked {
        if let Some(kept) = self.0.lock().get(&row.id)
            && kept.version == row.version
            && Arc::ptr_eq(&kept.catalogue, catalogue)
        {
            return kept.checked.clone();
        }
        let checked = check(row, catalogue).map(Arc::new).map_err(Arc::new);
        if checked.is_err() {
            tracing::error!(flow = %row.name, version = row.version, "Flow disabled: its definition is no longer valid");
        }
        let kept = Kept { version: row.version, catalogue: Arc::clone(catalogue), checked: checked.clone() };
        self.0.lock().insert(row.id, kept);
        checked
    }
}

fn check(row: &FlowRow, catalogue: &Catalogue) -> Result<Definition, Vec<Defect>> {
    let source = serde_json::from_str(&row.definition).map_err(|_| {
        vec![Defect {
            key: String::new(),
            at: None,
            message: text!("it is not JSON", "不是 JSON"),
            help: Text::default(),
        }]
    })?;
    let definition = Definition::parse(&source)?;
    let defects = if definition.enabled { definition.check(catalogue) } else { Vec::new() };
    if defects.is_empty() { Ok(definition) } else { Err(defects) }
}
