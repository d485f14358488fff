//! Where refresh tokens are kept that change with each use: the places of egress, filled from outside.

use std::collections::HashMap;

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_vault::Secret;

/// Which slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SlotOf {
    /// The tenant that owns the connection.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionName,
    /// The slot.
    pub slot: SlotName,
}

impl SlotOf {
    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        let fits = "a name of a test";
        Self {
            tenant: TenantId::new("acme").expect(fits),
            connection: ConnectionName::new("erp").expect(fits),
            slot: SlotName::new("app").expect(fits),
        }
    }
}

/// Where refresh tokens are kept that change with each use.
#[async_trait::async_trait]
pub trait RefreshTokens: Send + Sync {
    /// Takes the slot for one exchange: nothing else uses its refresh token until what is given back is dropped, in other processes of the
    /// gateway neither.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    async fn hold(&self, slot: &SlotOf) -> Result<Box<dyn HeldRefresh>, String>;
}

/// A slot's refresh token, held.
#[async_trait::async_trait]
pub trait HeldRefresh: Send + Sync {
    /// What was kept last.
    ///
    /// # Errors
    /// Why it cannot be read, for people.
    async fn kept(&self) -> Result<Option<Secret>, String>;

    /// Keeps another one; once this is done it survives the end of the process.
    ///
    /// # Errors
    /// Why it cannot be written, for people.
    async fn keep(&self, secret: &Secret) -> Result<(), String>;
}

/// Refresh tokens that could not be kept yet: the only copies that there are.
#[derive(Default)]
pub(crate) struct Unkept(Mutex<HashMap<SlotOf, Secret>>);

impl Unkept {
    pub(super) fn get(&self, slot: &SlotOf) -> Option<Secret> {
        self.0.lock().get(slot).cloned()
    }

    pub(super) fn put(&self, slot: SlotOf, kept: Secret) {
        self.0.lock().insert(slot, kept);
    }

    pub(super) fn remove(&self, slot: &SlotOf) {
        self.0.lock().remove(slot);
    }
}
