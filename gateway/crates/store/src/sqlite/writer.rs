//! The one thread that writes. Work comes to it through a channel; each piece is one transaction, and its answer is sent
//! when the transaction is durable as `synchronous` promises.

use std::sync::Arc;
use std::thread::JoinHandle;

use renmen_schema::id::TenantId;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::condition::Condition;
use super::lock::ProcessLock;
use crate::heads::Heads;
use crate::sql::PROVE_WRITE;
use crate::{StoreError, failpoint};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Pieces of work that may wait; the next caller waits outside.
const WAITING_MAX: usize = 16;

/// The door to the thread. Dropping it waits until the thread has done what was asked and closed the file.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    heads: Arc<Heads>,
    condition: Condition,
    holds_paused_clock: bool,
}

impl Writer {
    /// Takes the connection and the lock: both end with the thread, in this order.
    pub(super) fn start(
        mut connection: Connection,
        lock: ProcessLock,
        (heads, condition): (Arc<Heads>, Condition),
        holds_paused_clock: bool,
    ) -> Result<Self, StoreError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                while let Some(job) = waiting.blocking_recv() {
                    job(&mut connection);
                }
                // So that the next process finds a small log; a failure is made good by its recovery.
                let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
                drop(connection);
                drop(lock);
            })
            .map_err(|error| StoreError::Unavailable(format!("no thread for the writer: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), heads, condition, holds_paused_clock })
    }

    /// Runs work in one transaction; an error of it rolls everything back.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let condition = self.condition.clone();
        self.ask(move |connection| {
            let result = in_transaction(connection, work);
            condition.note(&result, true);
            result
        })
        .await
    }

    /// Runs work that may move a tenant's feed; `last_seq` says where that ends then. Those who wait for it are told although the caller
    /// may have gone away.
    pub(super) async fn commit<T, F>(
        &self,
        tenant: &TenantId,
        last_seq: impl FnOnce(&T) -> i64 + Send + 'static,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (heads, condition, tenant) = (Arc::clone(&self.heads), self.condition.clone(), tenant.clone());
        self.ask(move |connection| {
            let result = in_transaction(connection, work);
            condition.note(&result, true);
            if let Ok(done) = &result {
                heads.raise(&tenant, last_seq(done));
            }
            result
        })
        .await
    }

    /// Can it write? Only asked after something could not be written.
    pub(super) async fn prove(&self) -> Result<(), StoreError> {
        self.run(|connection| Ok(connection.execute(PROVE_WRITE, []).map(drop)?)).await
    }

    /// Runs work that has its own transaction, if any.
    pub(super) async fn run_group<F>(&self, work: F) -> Result<(), StoreError>
    where
        F: FnOnce(&mut Connection) + Send + 'static,
    {
        self.ask(move |connection| {
            work(connection);
            Ok(())
        })
        .await
    }

    /// Reads with the writer's connection. For look-ups that come between its commits: what it wrote is still in its cache,
    /// whereas every commit empties those of the readers.
    pub(super) async fn look<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.ask(move |connection| {
            let transaction = connection.transaction()?;
            work(&transaction)
        })
        .await
    }

    async fn ask<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let ended = || StoreError::Fault("the store's writer has ended".into());
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have stopped waiting: the work is done all the same.
            let _ = answer.send(work(connection));
        });
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        if self.holds_paused_clock {
            let jobs = jobs.clone();
            let asked = move || jobs.blocking_send(job).ok().and_then(|()| answered.blocking_recv().ok());
            return tokio::task::spawn_blocking(asked).await.ok().flatten().ok_or_else(ended)?;
        }
        jobs.send(job).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(super) fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    failpoint::reach("before_commit");
    transaction.commit()?;
    failpoint::reach("after_commit");
    Ok(result)
}
