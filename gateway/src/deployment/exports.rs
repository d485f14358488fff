//! `[exports]`: put together with where their files go, made by hand and at their times. Of several gateways on one database one makes them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use renmen_config::{Export, ExportTo, Schedule};
use renmen_egress::{Egress, LogLimits, ObjectStore};
use renmen_export::{Directory, ExportError, Exported, Format, Limits, Target, Terms, export};
use renmen_receiver::access::{ReceiverGrant, ReceiverLimits, connection_spec};
use renmen_schema::id::ConnectionName;
use renmen_schema::text;
use renmen_seat::Seat;
use renmen_store::{LeaseStore, Store};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Deployment, Running, now_ms};
use crate::exit::Usage;

/// What the exports are called among the work that one gateway does at a time.
const WORK: &str = "export";
/// How often it is looked whether one is due.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after one that failed.
const AGAIN_MS: i64 = 5 * 60_000;
/// Bytes of a request beyond the file.
const HEAD_BYTES: u64 = 64 << 10;

impl Deployment {
    /// Makes an export now. `stop` is asked now and then.
    pub(crate) async fn export(
        &self,
        egress: &Arc<Egress>,
        store: &dyn Store,
        (name, said): (&ConnectionName, &Export),
        stop: &(dyn Fn() -> bool + Sync),
    ) -> anyhow::Result<Exported> {
        let terms = terms(said)?;
        let target = self.export_target(egress, name, said)?;
        let data_dir = self.data_dir()?;
        let scratch = tempfile::Builder::new().prefix("export-").tempdir_in(data_dir).context("a folder for files")?;
        let limits = Limits {
            group_rows: said.group_rows as usize,
            group_bytes: usize::try_from(said.group_bytes).unwrap_or(usize::MAX),
            file_bytes: said.file_bytes,
        };
        let done = export(store, &said.tenant, &terms, (&*target, scratch.path()), limits, stop).await?;
        let gone = target.tidy(said.keep as usize).await?;
        let (rows, files) = (done.manifest.entities.iter().map(|one| one.rows).sum::<u64>(), done.manifest.files.len());
        tracing::info!(export = %name, snapshot = done.manifest.snapshot, is_new = done.is_new, rows, files, gone, "Export made");
        Ok(done)
    }

    fn export_target(
        &self,
        egress: &Arc<Egress>,
        name: &ConnectionName,
        said: &Export,
    ) -> anyhow::Result<Box<dyn Target>> {
        let (endpoint, region, bucket, prefix) = match &said.to {
            ExportTo::Directory(path) => return Ok(Box::new(Directory::new(path))),
            ExportTo::Bucket { endpoint, region, bucket, prefix } => (endpoint, region, bucket, prefix),
        };
        let limits = ReceiverLimits {
            request_timeout: said.timeout,
            response_bytes_max: 1 << 20,
            request_bytes_max: said.file_bytes.saturating_mul(2).saturating_add(HEAD_BYTES),
            parallel_max: 1,
            rate: None,
            logs: LogLimits::default(),
        };
        let grant = ReceiverGrant { plaintext: said.grant.plaintext, addresses: said.grant.addresses.clone() };
        let spec =
            connection_spec((&said.tenant, name), &[endpoint], &grant, &limits, std::collections::BTreeMap::new());
        let connection = egress.connect(spec.context(text!("its endpoint", "其地址"))?)?;
        let slot = said.slots.values().next().context(text!("the slot `key` is empty", "凭据槽 `key` 为空"))?;
        let vault = self.vault()?;
        let secret =
            self.secret(vault.as_ref(), &said.tenant, slot).with_context(|| text!("slot `key`", "凭据槽 `key`"))?;
        let store = ObjectStore::new(connection, (Url::parse(endpoint)?, bucket, prefix, region), &secret)?;
        Ok(Box::new(Bucket(store)))
    }
}

/// What an export is made by.
fn terms(said: &Export) -> anyhow::Result<Terms> {
    let format = if said.format == "csv" { Format::Csv } else { Format::Parquet };
    let terms = Terms::new(&said.entities, format, said.classes.iter().copied());
    terms.map_err(|bad| Usage(bad.0).into())
}

/// A storage. Its own rules say how long it keeps what.
struct Bucket(ObjectStore);

fn failed(name: &str) -> impl Fn(renmen_egress::EgressError) -> ExportError {
    let name = name.to_owned();
    move |error| ExportError::Target { name: name.clone(), why: error.to_string() }
}

#[async_trait]
impl Target for Bucket {
    async fn put(&self, name: &str, file: &Path) -> Result<(), ExportError> {
        let bytes = tokio::fs::read(file).await;
        let bytes = bytes.map_err(|error| ExportError::File { path: file.to_path_buf(), error })?;
        self.0.put(name, Bytes::from(bytes)).await.map_err(failed(name))
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError> {
        Ok(self.0.get(name).await.map_err(failed(name))?.map(|bytes| bytes.to_vec()))
    }

    async fn tidy(&self, _keep: usize) -> Result<u64, ExportError> {
        Ok(0)
    }
}

/// One export with its times.
struct Timed {
    name: ConnectionName,
    said: Export,
    schedule: renmen_sync::Schedule,
    /// When the last one began, in this process.
    last_ms: Option<i64>,
    /// Not before, after one that failed.
    not_before_ms: i64,
}

/// Makes exports at their times, until cancelled. One with an interval is made at the start too: where nothing changed since its last
/// snapshot, that writes nothing.
pub(crate) async fn export_at_times(running: Arc<Running>, cancel: CancellationToken) {
    let current = running.current();
    let config = &current.deployment.config;
    let mut timed: Vec<Timed> = config.exports.iter().filter(|(_, one)| one.enabled).filter_map(timed_of).collect();
    if timed.is_empty() {
        return;
    }
    let gateway = current.deployment.gateway_name().map(str::to_owned).unwrap_or_default();
    let seat = Arc::new(Seat::of(
        Arc::clone(&running.store) as Arc<dyn LeaseStore>,
        Arc::new(renmen_interview::SystemClock),
        (config.gateway.tenant.clone(), WORK.to_owned()),
        gateway,
        config.interview.takeover_after,
    ));
    let sitting = {
        let (seat, cancel) = (Arc::clone(&seat), cancel.clone());
        tokio::spawn(async move { seat.run(cancel).await })
    };
    while !cancel.is_cancelled() {
        seat.wait(TICK).await;
        if seat.holds_on() {
            for one in &mut timed {
                one.turn(&running, &seat, &cancel).await;
            }
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
    let _ = sitting.await;
    seat.leave().await;
}

fn timed_of((name, said): (&ConnectionName, &Export)) -> Option<Timed> {
    let schedule = match &said.schedule {
        Schedule::Manual => return None,
        Schedule::Every(interval) => renmen_sync::Schedule::every(*interval).ok()?,
        Schedule::Cron { expr, zone } => renmen_sync::Schedule::cron(expr, zone).ok()?,
    };
    // A time of the day counts from now on.
    let last_ms = matches!(said.schedule, Schedule::Cron { .. }).then(now_ms);
    Some(Timed { name: name.clone(), said: said.clone(), schedule, last_ms, not_before_ms: 0 })
}

impl Timed {
    async fn turn(&mut self, running: &Running, seat: &Seat, cancel: &CancellationToken) {
        let now = now_ms();
        let due = self.schedule.due_ms(self.last_ms, now).is_some_and(|due| due <= now);
        if !due || now < self.not_before_ms {
            return;
        }
        let current = running.current();
        let stop = || cancel.is_cancelled() || !seat.holds();
        let made = current.deployment.export(running.egress(), &*running.store, (&self.name, &self.said), &stop).await;
        let end = match &made {
            Ok(done) if done.is_new => "made",
            Ok(_) => "unchanged",
            Err(error) => {
                tracing::warn!(export = %self.name, error = %format!("{error:#}"), "Export failed; it is tried again in five minutes");
                self.not_before_ms = now + AGAIN_MS;
                "failed"
            }
        };
        metrics::counter!("renmen_exports_total", "export" => self.name.to_string(), "end" => end).increment(1);
        if made.is_ok() {
            self.last_ms = Some(now);
        }
    }
}
