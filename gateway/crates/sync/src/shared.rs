//! What every part of the engine works with: the store, the connections, the options, and how each stream is doing.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::Store;

use crate::health::Book;
use crate::{ConnectionRuntime, SyncError, SyncOptions};

/// See the module.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) connections: BTreeMap<(TenantId, ConnectionName), Arc<ConnectionRuntime>>,
    pub(crate) options: SyncOptions,
    pub(crate) book: Arc<Book>,
}

impl Shared {
    pub(crate) fn connection(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
    ) -> Result<&Arc<ConnectionRuntime>, SyncError> {
        let key = (tenant.clone(), name.clone());
        self.connections.get(&key).ok_or_else(|| SyncError::UnknownConnection(name.clone()))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.options.clock.now_ms()
    }
}
