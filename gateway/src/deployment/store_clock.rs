//! The time of day as the gateways on one database agree on it: the database's, asked now and then, and counted on by the steady clock of this
//! machine between. So a machine whose clock is off, or steps, makes no delivery late and none early.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_flow::{Clock, SystemClock};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{BUILT_IN_CONNECTION, MESSAGES_STREAM, Store, StoreError, StreamKey};
use tokio::time::Instant;

/// How often the database is asked. A steady clock that stood still (the machine slept) is put right within this.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// An answer that took longer says too little.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct StoreClock {
    /// What the database said, and when by the steady clock. None: not asked yet.
    anchor: Mutex<Option<(i64, Instant)>>,
}

impl StoreClock {
    /// The clock for work on this store: where one process holds it, that process's.
    pub(super) async fn of(store: &Arc<dyn Store>) -> (Arc<dyn Clock>, Option<Arc<Self>>) {
        if !store.is_shared() {
            return (Arc::new(SystemClock), None);
        }
        let own = Arc::new(Self { anchor: Mutex::default() });
        if let Err(error) = own.ask(store).await {
            tracing::debug!(%error, "Failed to ask the database for the time; the machine's counts until it answers");
        }
        (Arc::clone(&own) as Arc<dyn Clock>, Some(own))
    }

    /// Goes on for as long as it is polled.
    pub(super) async fn keep(&self, store: &Arc<dyn Store>) {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if let Err(error) = self.ask(store).await {
                tracing::debug!(%error, "Failed to ask the database for the time; counting on");
            }
        }
    }

    async fn ask(&self, store: &Arc<dyn Store>) -> Result<(), StoreError> {
        let asked = Instant::now();
        // Any stream's stand begins with the time.
        let now_ms = store.stream_stand(&any_stream()?, SystemClock.now_ms()).await?.now_ms;
        if asked.elapsed() <= ANSWER_MAX || self.anchor.lock().is_none() {
            *self.anchor.lock() = Some((now_ms, Instant::now()));
        }
        Ok(())
    }
}

fn any_stream() -> Result<StreamKey, StoreError> {
    let unfit = |_| StoreError::Fault("a built-in name is not valid".into());
    Ok(StreamKey {
        tenant: TenantId::new("default").map_err(unfit)?,
        connection: ConnectionName::new(BUILT_IN_CONNECTION).map_err(unfit)?,
        stream: StreamName::new(MESSAGES_STREAM).map_err(unfit)?,
    })
}

impl Clock for StoreClock {
    fn now_ms(&self) -> i64 {
        match *self.anchor.lock() {
            Some((at_ms, asked)) => {
                at_ms.saturating_add(i64::try_from(asked.elapsed().as_millis()).unwrap_or(i64::MAX))
            }
            None => SystemClock.now_ms(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_what_the_database_said_whatever_the_machine_says() {
        let clock = StoreClock { anchor: Mutex::default() };
        assert!((clock.now_ms() - SystemClock.now_ms()).abs() < 60_000, "nothing was said yet");
        *clock.anchor.lock() = Instant::now().checked_sub(Duration::from_millis(250)).map(|asked| (1_000, asked));
        let told = clock.now_ms();
        assert!((1_250..600_000).contains(&told), "{told}");
        assert!(clock.now_ms() >= told);
        assert!(any_stream().is_ok());
    }
}
