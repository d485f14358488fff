//! A gateway that is running while a command runs, and how the command finds it.
//!
//! With SQLite, one process writes the store. A command that has to write while a gateway holds the store asks that
//! gateway through its own API instead. The gateway leaves its address in the data directory, with an owner's key that
//! it keeps in its memory and not in the store. Only the owner of the file can read it, as with the store next to it,
//! so it opens nothing that was closed; and the key ends with the process.
//!
//! With PostgreSQL, commands write while the gateways are running. What only the process itself can do, such as reading
//! its configuration again, is asked in the same way.

mod address;
mod client;

pub(crate) use address::Address;
pub(crate) use client::{Question, RunningGateway, segment};

use std::sync::Arc;

use renmen_schema::{Text, text};
use renmen_store::{Store, StoreError};

use crate::deployment::Deployment;
use crate::exit::Usage;

/// Where a command writes.
pub(crate) enum Writing {
    /// The store, which no other process holds.
    Store(Arc<dyn Store>),
    /// The gateway that holds it.
    Gateway(RunningGateway),
}

/// Opens the store to write, or finds the gateway that holds it.
///
/// # Errors
/// [`StoreError::Busy`] when it is held by a process that does not say where it is.
pub(crate) async fn writing(deployment: &Deployment) -> anyhow::Result<Writing> {
    let busy = match deployment.store().await {
        Ok(store) => return Ok(Writing::Store(store)),
        Err(error) => error,
    };
    if !matches!(busy.downcast_ref(), Some(StoreError::Busy(_))) {
        return Err(busy);
    }
    let Some(address) = Address::find(&deployment.config)? else { return Err(busy) };
    match RunningGateway::reach(address).await {
        Ok(gateway) => Ok(Writing::Gateway(gateway)),
        // A file that a killed gateway left behind: who holds the store now is another command, such as a sync.
        Err(_) => Err(busy),
    }
}

/// For what a running gateway cannot be asked: the store to write, or what to do.
///
/// # Errors
/// [`StoreError::Busy`] with what to do about it.
pub(crate) async fn store_alone(deployment: &Deployment, what: Text) -> anyhow::Result<Arc<dyn Store>> {
    deployment.store().await.map_err(|error| match error.downcast_ref() {
        Some(StoreError::Busy(_)) => error.context(Usage(text!(
            "{what} cannot be done by a running gateway: stop it, run this again, and start it",
            "运行中的网关无法{what}：请先停止网关，再次执行，然后启动"
        ))),
        _ => error,
    })
}
