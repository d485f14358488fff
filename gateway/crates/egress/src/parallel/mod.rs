//! How many requests of one connection are under way: at most its `parallel_max`. Where several gateways send to one vendor they count
//! together (`shared`); a connection that is made again goes on with the requests that the one before has under way.

mod shared;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::EgressError;
pub(crate) use shared::{AGAIN, PATIENCE};
pub use shared::{PlacesGrant, PlacesWanted, SharedPlaces};
use shared::{SharedGate, SharedPlace};

/// The places of one connection's requests.
pub(crate) struct Parallel(Gate);

enum Gate {
    /// This process alone sends.
    Own(Arc<Semaphore>),
    Shared(Arc<SharedGate>),
}

/// A request that is under way; given back when dropped.
pub(crate) enum RequestPlace {
    Own { _permit: OwnedSemaphorePermit },
    Shared { _place: SharedPlace },
}

impl Parallel {
    fn new(most: u32, with: Option<&Arc<dyn SharedPlaces>>, whose: (TenantId, ConnectionName)) -> Self {
        Self(match with {
            Some(with) => Gate::Shared(SharedGate::new(Arc::clone(with), whose, most)),
            None => Gate::Own(Arc::new(Semaphore::new(most as usize))),
        })
    }

    /// Waits for a place, first come, first served.
    ///
    /// # Errors
    /// [`EgressError::Unavailable`] where it is not known how many others have.
    pub(crate) async fn enter(&self) -> Result<RequestPlace, EgressError> {
        match &self.0 {
            Gate::Own(places) => {
                let closed = |_| EgressError::Unavailable("the connection is closed".into());
                let permit = Arc::clone(places).acquire_owned().await.map_err(closed)?;
                Ok(RequestPlace::Own { _permit: permit })
            }
            Gate::Shared(gate) => Ok(RequestPlace::Shared { _place: gate.enter().await? }),
        }
    }
}

/// The places of the process's connections. Each lives as long as its connection.
#[derive(Default)]
pub(crate) struct ParallelBook(Mutex<BTreeMap<(TenantId, ConnectionName), Kept>>);

struct Kept {
    most: u32,
    places: Weak<Parallel>,
}

impl ParallelBook {
    /// The places of a connection: those that it has, where their number is the same.
    pub(crate) fn open(
        &self,
        key: (TenantId, ConnectionName),
        most: u32,
        with: Option<&Arc<dyn SharedPlaces>>,
    ) -> Arc<Parallel> {
        let most = most.max(1);
        let mut book = self.0.lock();
        let known = book.get(&key).filter(|kept| kept.most == most).and_then(|kept| kept.places.upgrade());
        if let Some(known) = known {
            return known;
        }
        let places = Arc::new(Parallel::new(most, with, key.clone()));
        book.insert(key, Kept { most, places: Arc::downgrade(&places) });
        places
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_is_made_again_has_no_fresh_places_and_another_number_begins_its_own() {
        let book = ParallelBook::default();
        let key = || (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap());
        let first = book.open(key(), 1, None);
        let _under_way = first.enter().await.unwrap();
        let again = book.open(key(), 1, None);
        assert!(again.enter().now_or_never().is_none(), "its request is under way");
        assert!(book.open(key(), 2, None).enter().now_or_never().is_some());
        assert!(book.open(key(), 0, None).enter().now_or_never().is_some(), "there is always one");
    }
}
