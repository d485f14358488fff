//! Work that one of several gateways does at a time.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use crate::{LeaseRow, StoreError};

/// Who does which work. A lease has no end by the clock: its holder moves its beat, and another goes on from a beat that it saw
/// stand still. So no clock that is off, or steps, gives a piece of work two holders.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// How a lease stands; none when it was never held.
    async fn lease(&self, tenant: &TenantId, name: &str) -> Result<Option<LeaseRow>, StoreError>;

    /// Takes a lease, shows that it is still held, or gives it up (no holder), if its beat is still the one that was
    /// seen; 0 where there was none. Gives the next beat, or none when another holder was first.
    async fn beat(
        &self,
        tenant: &TenantId,
        name: &str,
        holder: Option<&str>,
        seen: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError>;
}
