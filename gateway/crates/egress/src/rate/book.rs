//! Every pace in use: a connection that is made again, for other secrets or another version of its plugin, goes on at its pace and does
//! not begin with a fresh burst.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::Rate;

use super::{Pace, SharedRate};
use crate::EgressError;

/// The paces of the process. Each lives as long as its connection.
#[derive(Default)]
pub(crate) struct PaceBook(Mutex<BTreeMap<(TenantId, ConnectionName), Kept>>);

struct Kept {
    rate: Rate,
    wait_max: Duration,
    pace: Weak<Pace>,
}

impl PaceBook {
    /// The pace of a connection: the one that it has, where its rate is the same.
    ///
    /// # Errors
    /// As [`Pace::new`].
    pub(crate) fn open(
        &self,
        key: (TenantId, ConnectionName),
        (rate, wait_max): (Rate, Duration),
        with: Option<&Arc<dyn SharedRate>>,
    ) -> Result<Arc<Pace>, EgressError> {
        let mut book = self.0.lock();
        let known = book.get(&key).filter(|kept| (kept.rate, kept.wait_max) == (rate, wait_max));
        if let Some(pace) = known.and_then(|kept| kept.pace.upgrade()) {
            return Ok(pace);
        }
        let pace = Arc::new(match with {
            Some(with) => Pace::shared(rate, wait_max, Arc::clone(with), key.clone())?,
            None => Pace::new(rate, wait_max)?,
        });
        book.insert(key, Kept { rate, wait_max, pace: Arc::downgrade(&pace) });
        Ok(pace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_made_again_has_no_fresh_burst_and_another_rate_begins_its_own() {
        let book = PaceBook::default();
        let key = || (TenantId::new("acme").unwrap(), ConnectionName::new("erp").unwrap());
        let slow = (Rate { requests: 1, per_ms: 60_000, burst: None }, Duration::from_secs(1));
        let first = book.open(key(), slow, None).unwrap();
        first.wait().await.unwrap();
        let again = book.open(key(), slow, None).unwrap();
        assert!(again.wait().await.is_err(), "its minute is not over");
        let quick = (Rate { requests: 60, per_ms: 60_000, burst: None }, Duration::from_secs(1));
        assert!(book.open(key(), quick, None).unwrap().wait().await.is_ok());
        drop((first, again));
        assert!(
            book.open(key(), slow, None).unwrap().wait().await.is_ok(),
            "of a connection that was gone nothing is kept"
        );
    }
}
