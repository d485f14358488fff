//! The connections that read, in parallel with the writer and never in its way. A read sees one moment of the database.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, InterruptHandle};
use tokio::sync::Semaphore;

use super::condition::Condition;
use super::connect;
use crate::{StoreError, StoreOptions};

/// A fixed number of connections; who finds none waits for one.
#[derive(Clone)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    timeout: Duration,
    /// Reads that take long: at most half of the connections, so that the others' reads do not wait for them.
    long: Arc<Semaphore>,
    long_timeout: Duration,
    condition: Condition,
}

impl Readers {
    pub(super) fn open(path: &Path, options: &StoreOptions, condition: Condition) -> Result<Self, StoreError> {
        let idle = (0..options.readers).map(|_| connect::reader(path, options)).collect::<Result<Vec<_>, _>>()?;
        let idle_count = idle.len();
        Ok(Self {
            permits: Arc::new(Semaphore::new(idle.len())),
            idle: Arc::new(Mutex::new(idle)),
            timeout: Duration::from_millis(options.read_timeout_ms),
            long: Arc::new(Semaphore::new((idle_count / 2).max(1))),
            long_timeout: Duration::from_millis(options.insight_timeout_ms),
            condition,
        })
    }

    /// Runs a read on a blocking thread. Given up after the timeout, and when the caller goes away.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.run_within((self.timeout, self.timeout), work).await
    }

    /// The same for a read of hundreds of thousands of rows, which has a time limit of its own.
    pub(super) async fn run_long<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let began = tokio::time::Instant::now();
        let turn = tokio::time::timeout(self.long_timeout, Arc::clone(&self.long).acquire_owned()).await;
        let _turn = turn.map_err(|_| late(self.long_timeout))?.map_err(|_| gone())?;
        self.run_within((self.long_timeout.saturating_sub(began.elapsed()), self.long_timeout), work).await
    }

    /// In what is left of a time limit.
    async fn run_within<T, F>(&self, (left, limit): (Duration, Duration), work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let read = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| gone())?;
            let mut connection = self.idle.lock().pop().ok_or_else(gone)?;
            let mut interrupt = InterruptOnDrop(Some(connection.get_interrupt_handle()));
            let idle = Arc::clone(&self.idle);
            let task = tokio::task::spawn_blocking(move || {
                let result =
                    connection.transaction().map_err(StoreError::from).and_then(|transaction| work(&transaction));
                idle.lock().push(connection);
                drop(permit);
                result
            });
            let result =
                task.await.map_err(|error| StoreError::Fault(format!("a read ended without an answer: {error}")));
            interrupt.0 = None;
            let result = result?;
            self.condition.note(&result, false);
            result
        };
        tokio::time::timeout(left, read).await.map_err(|_| late(limit))?
    }
}

fn gone() -> StoreError {
    StoreError::Fault("the store's readers have ended".into())
}

fn late(limit: Duration) -> StoreError {
    StoreError::Unavailable(format!("a read took longer than {} ms", limit.as_millis()))
}

/// Stops the statement of a read that is not waited for any more.
struct InterruptOnDrop(Option<InterruptHandle>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}
