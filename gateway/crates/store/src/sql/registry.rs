//! How often each registry was changed that gateways keep in memory.

use super::{Session, number, values};
use crate::{RegistryVersions, StoreError};

const ENDPOINTS: &str = "endpoints";
const FLOWS: &str = "flows";
const KEYS: &str = "keys";

pub(crate) async fn versions(session: &impl Session) -> Result<RegistryVersions, StoreError> {
    let rows =
        session.all("SELECT kind, version FROM registry_version", &[], |row| Ok((row.text(0)?, row.int(1)?))).await?;
    let of = |wanted: &str| rows.iter().find(|(kind, _)| kind == wanted).map_or(0, |(_, version)| *version);
    Ok(RegistryVersions { endpoints: of(ENDPOINTS), flows: of(FLOWS), keys: of(KEYS) })
}

pub(crate) async fn endpoints_changed(session: &impl Session) -> Result<(), StoreError> {
    changed(session, ENDPOINTS).await
}

pub(crate) async fn flows_changed(session: &impl Session) -> Result<(), StoreError> {
    changed(session, FLOWS).await
}

pub(crate) async fn keys_changed(session: &impl Session) -> Result<(), StoreError> {
    changed(session, KEYS).await
}

/// In the transaction of the change itself.
async fn changed(session: &impl Session, kind: &str) -> Result<(), StoreError> {
    let sql = "UPDATE registry_version SET version = version + 1 WHERE kind = $1 RETURNING version";
    number(session, sql, values![kind]).await.map(drop)
}
