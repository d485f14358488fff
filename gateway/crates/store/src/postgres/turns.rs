//! The turns in which the commits of this process move a tenant's feed. They would wait for each other at the feed's row anyway, and
//! each would hold a connection meanwhile: of one busy tenant that can be all of them, and then nothing could be read any more.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use tokio::sync::OwnedMutexGuard;

/// One turn at a time for each tenant, first come, first served.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the turn; it ends when the answer is dropped.
    pub(super) async fn take(&self, tenant: &TenantId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock();
            match turns.get(tenant) {
                Some(turn) => Arc::clone(turn),
                None => Arc::clone(turns.entry(tenant.clone()).or_default()),
            }
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn commits_of_a_tenant_take_turns_and_those_of_two_do_not() {
        let turns = Turns::default();
        let (acme, globex) = (TenantId::new("acme").unwrap(), TenantId::new("globex").unwrap());
        let first = turns.take(&acme).now_or_never().unwrap();
        assert!(turns.take(&globex).now_or_never().is_some());
        let mut second = Box::pin(turns.take(&acme));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.as_mut().now_or_never().is_some());
    }
}
