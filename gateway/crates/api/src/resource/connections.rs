//! Connections and their streams: what is configured, and how fresh it is.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use renmen_schema::id::ConnectionName;
use renmen_schema::{Language, Text, text};
use renmen_store::{MoveState, TenantMove, Wakeup};
use serde::Serialize;
use utoipa::ToSchema;

use super::plan_health::PlanHealth;
use super::references::UnresolvedReferences;
use super::retained::Retention;
use super::sweeps::Sweep;
use crate::caller::Caller;
use crate::configuration::ConfigurationState;
use crate::control::{CallsOfMonth, ConnectionInfo, DeliveriesRefused, HeldBack, StreamActivity, StreamInfo};
use crate::identity_health::IdentityHealth;
use crate::instant::{Time, now_ms};
use crate::limit::LimitReached;
use crate::loop_health::LoopHealth;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::shown_json::ShownJson;
use crate::state::AppState;

/// The interview loop may be this far behind the change feed before that is worth a word. Milliseconds.
const LOOP_LATE_MS: i64 = 5 * 60_000;
/// Deliveries that should have been deleted so long ago are a backlog.
const PRUNE_LATE_MS: i64 = 3_600_000;

/// Every connection of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionList {
    /// In the order of their names.
    data: Vec<ConnectionInfo>,
}

/// Every stream of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamList {
    /// In the order of their names.
    data: Vec<StreamInfo>,
}

/// How the tenant's connections are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthReport {
    /// The worst of the connections; `degraded` too while a reload of the configuration was refused or needs a restart, while a tenant is being moved, while `limits` or `held_sweeps` names any, while the interview loop waits, is more
    /// than five minutes behind or has set anything aside, and while references are ambiguous or wait for more than a day.
    status: HealthStatus,
    /// Deletions that wait for a person: whole listings that no longer held more records than may go by themselves.
    held_sweeps: Vec<Sweep>,
    /// Limits of the process that requests met in the last five minutes, and which key to raise.
    limits: Vec<LimitReached>,
    /// In the order of their names.
    connections: Vec<ConnectionHealth>,
    /// How the configuration in use stands to its file; null for a tenant that is not the one of `[gateway]`.
    configuration: Option<ConfigurationState>,
    /// The parts of a gateway that this process runs: `api`, `hooks`, `pull`, `push`.
    roles: Vec<&'static str>,
    /// How the interview loop is; null where none runs.
    interview_loop: Option<LoopHealth>,
    /// How the work on who is one person is; null where `identity.enabled` is false for the tenant.
    identity: Option<IdentityHealth>,
    /// What is asked by itself (`[insight]`).
    plans: Vec<PlanHealth>,
    /// Finished deliveries that are older than `outbox.keep` by an hour and not deleted yet, counted up to 100,000. They are deleted
    /// without a pause while there are any: `degraded` says that the gateway cannot keep up.
    deliveries_to_prune: u64,
    /// What was deleted for its age, and how old the oldest is that is left: by connection and kind.
    retention: Vec<Retention>,
    /// References by alternate key (a staff number, a work mail, a mobile number) that lead to no record, by entity and key.
    unresolved_references: Vec<UnresolvedReferences>,
    /// How changes that other gateways commit reach this one.
    change_feed: ChangeFeedHealth,
    /// Tenants that are being moved to another database, or were moved: the caller's own, or for the tenant of `[gateway]` all of them.
    tenants_moved: Vec<TenantMoveHealth>,
}

/// A tenant that goes to another database.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantMoveHealth {
    tenant: String,
    /// `moving`: it can be read, and nothing is written for it; `moved`: it is not served here any more.
    state: TenantMoveState,
    /// Since when.
    since: Time,
    /// Where it is, as the operator named it; null while it is being moved.
    to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TenantMoveState {
    Moving,
    Moved,
}

impl TenantMoveHealth {
    /// None for a tenant that is served here.
    fn of(found: TenantMove) -> Option<Self> {
        let state = match found.state {
            MoveState::Draining | MoveState::Leaving => TenantMoveState::Moving,
            MoveState::Gone => TenantMoveState::Moved,
            MoveState::Arrived => return None,
        };
        let to = (!found.place.is_empty()).then_some(found.place);
        Some(Self { tenant: found.tenant.to_string(), state, since: Time(found.since_ms), to })
    }
}

/// How changes that other gateways on the same database commit reach this one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeFeedHealth {
    /// `local`: only this gateway writes; `listening`: they are announced at once; `connecting` and `polling`: they are found by reading
    /// the store every `store.poll`.
    wakeup: WakeupName,
    /// Why they are not announced, and what to do; null otherwise.
    #[schema(value_type = Option<String>)]
    reason: Option<Text>,
}

/// How changes of other gateways are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WakeupName {
    Local,
    Listening,
    Connecting,
    Polling,
}

impl ChangeFeedHealth {
    fn of(wakeup: Wakeup) -> Self {
        let (wakeup, reason) = match wakeup {
            Wakeup::Local => (WakeupName::Local, None),
            Wakeup::Listening => (WakeupName::Listening, None),
            Wakeup::Connecting => (
                WakeupName::Connecting,
                Some(text!(
                    "the connection to PostgreSQL on which changes are announced is being opened",
                    "正在打开用于接收变更通知的 PostgreSQL 连接"
                )),
            ),
            Wakeup::Polling => (
                WakeupName::Polling,
                Some(text!(
                    "announcements of other gateways do not arrive: a pooler in transaction mode does not pass them on. Changes are found \
                     by polling (store.poll). Connect the gateway to PostgreSQL directly, or to a pooler in session mode, to receive \
                     them at once",
                    "收不到其他网关的通知：事务模式的连接池不转发通知。变更通过轮询（store.poll）发现。如需立即收到，请让网关直接连接 \
                     PostgreSQL，或使用会话模式的连接池"
                )),
            ),
        };
        Self { wakeup, reason }
    }
}

/// How one connection is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionHealth {
    /// The connection.
    name: String,
    /// The worst of its streams; `degraded` at least while it is held back or has used 80 % of its month's calls, `blocked` while it is
    /// off.
    status: HealthStatus,
    /// Set while it is slowed down to its share of the cores.
    held_back: Option<HeldBack>,
    /// Requests to the vendor in this month, where the vendor answers only so many.
    budget: Option<CallsOfMonth>,
    /// Why it is off although it is configured, and what to do; null while it is on.
    #[schema(value_type = Option<String>)]
    off: Option<Text>,
    /// Set while every delivery since the start was refused as not signed by the vendor: the secret may be another, or in another
    /// form. Anybody who knows the address can cause it, so it does not change the status.
    deliveries_refused: Option<DeliveriesRefused>,
    /// Freshness and errors of each.
    streams: Vec<StreamInfo>,
    /// What is in the store, for each entity.
    records: BTreeMap<String, RecordCount>,
    /// What it keeps on disk.
    disk: DiskUse,
}

/// What a connection keeps on disk, as its limits count it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct DiskUse {
    /// Records with their earlier revisions, and the pages that they came in: against `records_bytes_max`.
    records_bytes: u64,
    /// Recorded exchanges: against `exchanges_bytes_max`.
    exchanges_bytes: u64,
}

/// Records in the store.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct RecordCount {
    /// Live ones.
    live: i64,
    /// Tombstones.
    deleted: i64,
}

/// Health status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthStatus {
    /// As it should be.
    Ok,
    /// A run failed and is tried again, the last one has findings, or a limit was reached.
    Degraded,
    /// It waits for a person.
    Blocked,
}

impl HealthStatus {
    fn of_connection(connection: &ConnectionInfo) -> Self {
        let spent = connection.budget.as_ref().is_some_and(|budget| budget.message.is_some());
        let own = match (connection.off.is_some(), connection.held_back.is_some() || spent) {
            (true, _) => Self::Blocked,
            (false, true) => Self::Degraded,
            (false, false) => Self::Ok,
        };
        Self::of(&connection.streams).max(own)
    }

    fn of(streams: &[StreamInfo]) -> Self {
        let each = streams.iter().map(|stream| match stream.state {
            StreamActivity::Blocked => Self::Blocked,
            StreamActivity::Retrying => Self::Degraded,
            StreamActivity::Idle | StreamActivity::Running if stream.failures > 0 || stream.finding_count > 0 => {
                Self::Degraded
            }
            StreamActivity::Idle | StreamActivity::Running | StreamActivity::Disabled => Self::Ok,
        });
        each.max().unwrap_or(Self::Ok)
    }
}

/// Every connection of the tenant with its streams.
#[utoipa::path(get, path = "/v1/connections", tag = "connections", operation_id = "list_connections", responses((status = 200, body = ConnectionList)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    params: Params,
) -> Result<ShownJson<ConnectionList>, Problem> {
    params.end()?;
    Ok(ShownJson(ConnectionList { data: state.control.connections(&caller.tenant).await }, language))
}

/// One connection with its streams.
#[utoipa::path(
    get, path = "/v1/connections/{connection}", tag = "connections", operation_id = "get_connection",
    params(("connection" = String, Path, description = "The connection's name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = ConnectionInfo)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(name): Path<String>,
    params: Params,
) -> Result<ShownJson<ConnectionInfo>, Problem> {
    params.end()?;
    find(&state, &caller, &name).await.map(|found| ShownJson(found, language))
}

/// The streams of one connection.
#[utoipa::path(
    get, path = "/v1/connections/{connection}/streams", tag = "connections", operation_id = "list_streams",
    params(("connection" = String, Path, description = "The connection's name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = StreamList)),
)]
pub(crate) async fn streams(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(name): Path<String>,
    params: Params,
) -> Result<ShownJson<StreamList>, Problem> {
    params.end()?;
    let connection = find(&state, &caller, &name).await?;
    Ok(ShownJson(StreamList { data: connection.streams }, language))
}

async fn find(state: &AppState, caller: &Caller, name: &str) -> Result<ConnectionInfo, Problem> {
    let name: ConnectionName = path_id(name, "connection", "连接")?;
    let found = state.control.connection(&caller.tenant, &name).await;
    found.ok_or_else(|| Problem::not_found("connection", "连接"))
}

/// Health: how fresh each connection is, what failed, and what the store holds.
#[utoipa::path(get, path = "/v1/health", tag = "connections", operation_id = "get_health", responses((status = 200, body = HealthReport)))]
pub(crate) async fn health(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    params: Params,
) -> Result<ShownJson<HealthReport>, Problem> {
    params.end()?;
    let mut counted: BTreeMap<String, BTreeMap<String, RecordCount>> = BTreeMap::new();
    for count in state.store.counts(&caller.tenant).await? {
        let (live, deleted) = (count.live, count.deleted);
        counted.entry(count.connection.to_string()).or_default().insert(count.entity, RecordCount { live, deleted });
    }
    let kept = state.store.disk_use(&caller.tenant).await?.into_iter().map(|kept| {
        let disk = DiskUse { records_bytes: kept.records_bytes, exchanges_bytes: kept.exchanges_bytes };
        (kept.connection.to_string(), disk)
    });
    let mut kept: BTreeMap<String, DiskUse> = kept.collect();
    let connections: Vec<_> = state
        .control
        .connections(&caller.tenant)
        .await
        .into_iter()
        .map(|connection| ConnectionHealth {
            status: HealthStatus::of_connection(&connection),
            held_back: connection.held_back,
            budget: connection.budget,
            off: connection.off,
            deliveries_refused: connection.deliveries_refused,
            records: counted.remove(&connection.name).unwrap_or_default(),
            disk: kept.remove(&connection.name).unwrap_or_default(),
            name: connection.name,
            streams: connection.streams,
        })
        .collect();
    let limits = state.reached.told(&caller.tenant);
    let interview_loop = state.interviews.progress(&caller.tenant).map(LoopHealth::from);
    let identity = state.people.progress(&caller.tenant).map(IdentityHealth::from);
    let schedule = state.schedules.get(&caller.tenant);
    let plans: Vec<PlanHealth> =
        schedule.map(|schedule| schedule.standings().into_iter().map(PlanHealth::from).collect()).unwrap_or_default();
    let held_sweeps: Vec<_> = state.store.held_sweeps(&caller.tenant).await?.iter().map(Sweep::of).collect();
    let unresolved = state.store.unresolved_keys(&caller.tenant).await?;
    let unresolved_references: Vec<_> = unresolved.into_iter().map(UnresolvedReferences::of).collect();
    let is_operators = state.configuration.is_operators(&caller.tenant);
    let configuration = is_operators.then(|| state.configuration.state());
    let roles = state.configuration.roles().names();
    let kept_since_ms = now_ms().saturating_sub(state.flows.keeps_ms()).saturating_sub(PRUNE_LATE_MS);
    let deliveries_to_prune = state.store.prunable_deliveries(&caller.tenant, kept_since_ms).await?;
    let retention: Vec<_> = state.store.retained(&caller.tenant).await?.into_iter().map(Retention::of).collect();
    let moves = state.store.tenant_moves().await?.into_iter();
    let tenants_moved: Vec<_> =
        moves.filter(|found| is_operators || found.tenant == caller.tenant).filter_map(TenantMoveHealth::of).collect();
    let is_moving = |found: &TenantMoveHealth| found.state == TenantMoveState::Moving;
    let troubled = tenants_moved.iter().any(is_moving)
        || configuration.as_ref().is_some_and(ConfigurationState::is_troubled)
        || deliveries_to_prune > 0
        || !limits.is_empty()
        || !held_sweeps.is_empty()
        || unresolved_references.iter().any(|references| references.is_troubled(now_ms()))
        || identity.as_ref().is_some_and(|health| health.is_troubled(now_ms()))
        || plans.iter().any(|plan| plan.is_troubled(now_ms()))
        || interview_loop.as_ref().is_some_and(|health| is_troubled(health, now_ms()));
    let least = if troubled { HealthStatus::Degraded } else { HealthStatus::Ok };
    let status = connections.iter().map(|connection| connection.status).max().map_or(least, |worst| worst.max(least));
    Ok(ShownJson(
        HealthReport {
            status,
            held_sweeps,
            limits,
            connections,
            configuration,
            roles,
            interview_loop,
            identity,
            plans,
            deliveries_to_prune,
            retention,
            unresolved_references,
            change_feed: ChangeFeedHealth::of(state.store.wakeup()),
            tenants_moved,
        },
        language,
    ))
}

/// Does the loop need a look?
fn is_troubled(health: &LoopHealth, now_ms: i64) -> bool {
    let late = health.behind_since_ms.is_some_and(|since_ms| now_ms - since_ms > LOOP_LATE_MS);
    late || health.set_aside > 0 || health.waits.is_some() || health.adjustments_waiting > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_waits_is_late_or_set_something_aside_needs_a_look() {
        let well = LoopHealth {
            place: 7,
            behind_since_ms: Some(1_000),
            holder: None,
            waits: None,
            set_aside: 0,
            first_set_aside: Vec::new(),
            rules: Vec::new(),
            results_without_rule: 0,
            adjustments_waiting: 0,
            first_adjustments_waiting: Vec::new(),
        };
        assert!(!is_troubled(&well, 1_000 + LOOP_LATE_MS));
        assert!(is_troubled(&well, 1_001 + LOOP_LATE_MS));
        assert!(is_troubled(&LoopHealth { set_aside: 1, ..well.clone() }, 1_000));
        assert!(is_troubled(&LoopHealth { adjustments_waiting: 1, ..well.clone() }, 1_000));
        assert!(is_troubled(&LoopHealth { waits: Some("unavailable".into()), ..well }, 1_000));
    }
}
