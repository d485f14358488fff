//! Proves a connection without writing anything: its own probe, then one page of each stream through the same checks that
//! a run makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_egress::{NoTape, Sighting, SightingPlace};
use renmen_plugin_host::{CallError, Finding, Pull};
use renmen_schema::FailureKind;
use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::PluginRef;
use renmen_turns::{Class, work};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::normalize::{self, Arrived, NOT_GRANTED};
use crate::shared::Shared;
use crate::source::Reading;
use crate::{ConnectionRuntime, RunFailure, SyncError};

/// Kinds of defects shown for a stream.
const DEFECTS_SHOWN: usize = 10;

/// What a check found.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// Which connection.
    pub connection: ConnectionName,
    /// Its plugin.
    pub plugin: PluginRef,
    /// The connector's own checks; empty when it makes none.
    pub probe: Vec<ProbeFinding>,
    /// Why the probe could not be made.
    pub probe_failure: Option<RunFailure>,
    /// One page of each stream that is declared and enabled, in the order of the names.
    pub streams: Vec<StreamCheck>,
    /// Streams of the plugin that the configuration does not name: they are not pulled.
    pub undeclared: Vec<StreamName>,
    /// What the grant refused: each refusal once, for the operator to allow or not.
    pub grant_misses: Vec<String>,
    /// Where secrets of the connection turned up, with what to write where one is probably an identifier.
    pub secrets_seen: Vec<String>,
    /// What the connection may write: of what its plugin carries, what is granted.
    pub entities: Vec<String>,
    /// Granted, and not carried by the plugin: a grant of nothing.
    pub idle_entities: Vec<String>,
}

impl CheckReport {
    /// Would a run of every stream go through?
    #[must_use]
    pub fn passed(&self) -> bool {
        self.probe_failure.is_none()
            && self.probe.iter().all(|finding| finding.ok)
            && self.streams.iter().all(|stream| stream.failure.is_none() && stream.refused == 0)
    }
}

/// One thing that the connector tried.
#[derive(Debug, Clone, Serialize)]
pub struct ProbeFinding {
    /// What was tried.
    pub name: String,
    /// Did it work?
    pub ok: bool,
    /// What was found and what to do.
    pub message: String,
}

/// The first page of one stream.
#[derive(Debug, Clone, Serialize)]
pub struct StreamCheck {
    /// The stream that was checked.
    pub stream: StreamName,
    /// Records in the page.
    pub records: u64,
    /// Records that would go to quarantine for what is wrong with them.
    pub refused: u64,
    /// Records that would go to quarantine because their entity is not granted.
    pub not_granted: u64,
    /// Why the stream is off: nothing that it carries is granted, so nothing was asked for.
    pub off: Option<String>,
    /// Why, with how often: code and the first reason of its kind.
    pub defects: Vec<DefectCount>,
    /// Records of each entity that would be taken in.
    pub entities: BTreeMap<String, u64>,
    /// True: there are more pages.
    pub has_more: bool,
    /// HTTP calls of the page.
    pub http_calls: u32,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why there is no page.
    pub failure: Option<RunFailure>,
}

/// How often one kind of defect was found.
#[derive(Debug, Clone, Serialize)]
pub struct DefectCount {
    /// Stable code.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The first one's reason; holds no value of a record.
    pub example: Text,
}

/// Proves connections: see [`Engine::checks`](crate::Engine::checks).
pub struct Checks {
    shared: Arc<Shared>,
}

impl Checks {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    /// Checks a connection. Nothing is written and no cursor moves; the vendor is asked for one page of each stream.
    ///
    /// # Errors
    /// [`SyncError::UnknownConnection`]. What does not work is in the report.
    pub async fn connection(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        cancel: &CancellationToken,
    ) -> Result<CheckReport, SyncError> {
        let connection = self.shared.connection(tenant, name)?;
        let mut report = CheckReport {
            connection: name.clone(),
            plugin: connection.plugin(),
            probe: Vec::new(),
            probe_failure: None,
            streams: Vec::new(),
            undeclared: connection.undeclared_streams().iter().cloned().collect(),
            grant_misses: Vec::new(),
            secrets_seen: Vec::new(),
            entities: connection.writes().iter().map(ToString::to_string).collect(),
            idle_entities: Vec::new(),
        };
        let source = connection.source();
        let idle = connection.entities().idle(source.manifest());
        report.idle_entities = idle.iter().map(ToString::to_string).collect();
        match source.probe(self.reading()).await {
            Ok(findings) => report.probe = findings.into_iter().map(finding).collect(),
            Err(error) => {
                note_grant(&mut report.grant_misses, &error);
                report.probe_failure = Some(RunFailure::from(&error));
            }
        }
        for (stream, plan) in connection.streams() {
            if !plan.enabled || report.undeclared.contains(stream) || cancel.is_cancelled() {
                continue;
            }
            let check = self.check_stream(&connection, stream, &mut report.grant_misses).await?;
            report.streams.push(check);
        }
        report.secrets_seen = source.sightings().iter().map(seen).collect();
        Ok(report)
    }

    fn reading(&self) -> Reading {
        Reading { tape: Arc::new(NoTape), clock_ms: self.shared.now_ms() }
    }

    async fn check_stream(
        &self,
        connection: &ConnectionRuntime,
        stream: &StreamName,
        misses: &mut Vec<String>,
    ) -> Result<StreamCheck, SyncError> {
        let source = connection.source();
        let declared = connection.declared(source.as_ref(), stream)?;
        let mut check = StreamCheck {
            stream: stream.clone(),
            records: 0,
            refused: 0,
            not_granted: 0,
            off: None,
            defects: Vec::new(),
            entities: BTreeMap::new(),
            has_more: false,
            http_calls: 0,
            took_ms: 0,
            failure: None,
        };
        if connection.is_shut(&declared) {
            check.off = Some(connection.shut(stream, &declared).to_string());
            return Ok(check);
        }
        let pull = Pull { stream: stream.clone(), cursor: None, only: Vec::new() };
        let mut page = match source.pull(self.reading(), pull).await {
            Ok(page) => page,
            Err(error) => {
                note_grant(misses, &error);
                check.failure = Some(RunFailure::from(&error));
                return Ok(check);
            }
        };
        (check.has_more, check.http_calls, check.took_ms) = (page.has_more, page.usage.http_calls, page.usage.wall_ms);
        let rules = connection.rules(&declared.entities);
        let arrived = Arrived::of(&mut page, self.shared.now_ms());
        let normalized = work(&connection.account(), Class::Urgent, move || normalize::page(arrived, &rules)).await;
        check.not_granted = normalized.quarantine.iter().filter(|item| item.code == NOT_GRANTED).count() as u64;
        check.refused = normalized.quarantine.len() as u64 - check.not_granted;
        check.records = (normalized.records.len() + normalized.quarantine.len()) as u64;
        for record in &normalized.records {
            *check.entities.entry(record.entity().to_owned()).or_default() += 1;
        }
        let mut kinds = BTreeMap::<String, DefectCount>::new();
        for item in normalized.quarantine {
            let kind = kinds.entry(item.code.clone()).or_insert(DefectCount {
                code: item.code,
                count: 0,
                example: item.reason,
            });
            kind.count += 1;
        }
        check.defects = kinds.into_values().take(DEFECTS_SHOWN).collect();
        Ok(check)
    }
}

fn seen(sighting: &Sighting) -> String {
    let (found, times) = (&sighting.found, sighting.times);
    let what = match sighting.place {
        SightingPlace::Request => format!("the connector tried to send {found}, {times} times: refused"),
        SightingPlace::Answer => {
            format!("answers repeat {found}, {times} times: taken out before the connector sees it")
        }
        SightingPlace::Output => format!("the connector handed over {found}, {times} times: refused"),
    };
    match found.public_hint() {
        Some(hint) => format!("{what}; {hint}"),
        None => what,
    }
}

fn finding(found: Finding) -> ProbeFinding {
    ProbeFinding { name: found.name, ok: found.ok, message: found.message }
}

fn note_grant(misses: &mut Vec<String>, error: &CallError) {
    if let CallError::Failure { kind: FailureKind::NotGranted, message, .. } = error
        && !misses.contains(message)
    {
        misses.push(message.clone());
    }
}
