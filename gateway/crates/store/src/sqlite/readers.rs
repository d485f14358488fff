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
    condition: Condition,
}

impl Readers {
    pub(super) fn open(path: &Path, options: &StoreOptions, condition: Condition) -> Result<Self, StoreError> {
        let idle = (0..options.readers).map(|_| connect::reader(path, options)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(idle.len())),
            idle: Arc::new(Mutex::new(idle)),
            timeout: Duration::from_millis(options.read_timeout_ms),
            condition,
        })
    }

    /// Runs a read on a blocking thread. Given up after the timeout, and when the caller goes away.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let late = || StoreError::Unavailable(format!("a read took longer than {} ms", self.timeout.as_millis()));
        let read = async {
            let gone = || StoreError::Fault("the store's readers have ended".into());
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
        tokio::time::timeout(self.timeout, read).await.map_err(|_| late())?
    }
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
