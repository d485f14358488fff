//! Refresh tokens that are kept for as long as the process lives: for trials, where there is no vault.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_vault::Secret;
use tokio::sync::OwnedMutexGuard;

use super::keeper::{HeldRefresh, RefreshTokens, SlotOf};

type Place = Arc<tokio::sync::Mutex<()>>;

/// Keeps refresh tokens in memory. A vendor that ends the old one with each use has the operator sign in again after the process ended; it says
/// so in the log.
#[derive(Default)]
pub struct RefreshInMemory {
    kept: Arc<Mutex<HashMap<SlotOf, Secret>>>,
    places: Mutex<HashMap<SlotOf, Place>>,
}

struct HeldInMemory {
    slot: SlotOf,
    kept: Arc<Mutex<HashMap<SlotOf, Secret>>>,
    _place: OwnedMutexGuard<()>,
}

#[async_trait::async_trait]
impl RefreshTokens for RefreshInMemory {
    async fn hold(&self, slot: &SlotOf) -> Result<Box<dyn HeldRefresh>, String> {
        let place = Arc::clone(self.places.lock().entry(slot.clone()).or_default());
        let place = place.lock_owned().await;
        Ok(Box::new(HeldInMemory { slot: slot.clone(), kept: Arc::clone(&self.kept), _place: place }))
    }
}

#[async_trait::async_trait]
impl HeldRefresh for HeldInMemory {
    async fn kept(&self) -> Result<Option<Secret>, String> {
        Ok(self.kept.lock().get(&self.slot).cloned())
    }

    async fn keep(&self, secret: &Secret) -> Result<(), String> {
        self.kept.lock().insert(self.slot.clone(), secret.clone());
        tracing::warn!(
            slot = %self.slot.slot,
            "The vendor gave another refresh token: it is kept until this command ends, and the slot's own may be of no use any more"
        );
        Ok(())
    }
}

impl std::fmt::Debug for RefreshInMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshInMemory").finish_non_exhaustive()
    }
}
