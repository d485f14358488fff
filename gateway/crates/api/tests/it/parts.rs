//! What the API serves in these tests: the real flows and endpoints over a store, with destinations that take everything. Scripted are
//! the engine behind `Control`, which links the sandbox, and what is said by the interview loop and to vendors: here nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use renmen_analysis::{Analysis, AnalysisError, Batch, Rows, Settings, Wanted};
use renmen_api::{ApiParts, HookAnswer, HookDelivery, HookRefusal, Hooks, Interviews};
use renmen_egress::{Egress, LogLimits};
use renmen_flow::{
    ActionInfo, Catalogue, Destination, DestinationEntry, Failure, FlowEngine, FlowOptions, Push, Receipt, SystemClock,
};
use renmen_insight::model::{ApplicationRow, StepRow};
use renmen_insight::{Key, Row};
use renmen_interview::{
    AdjustOptions, BandAsk, CorrectionAsk, DecisionAsk, InterviewError, Judged, LoopProgress, ReopenAsk, ScreenToken,
    ScreenView, Timeline, Verdict,
};
use renmen_receiver::access::ReceiverLimits;
use renmen_receiver::endpoint::{EndpointNames, EndpointParts, EndpointRegistry};
use renmen_schema::code::{ApplicationStatus, NodeCode};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::Instant;
use renmen_store::{RecordRow, Store};
use renmen_vault::{MasterKey, Secret, Vault};
use serde_json::json;
use tokio::sync::mpsc;

use crate::scripted_configuration::ScriptedConfiguration;
use crate::scripted_control::ScriptedControl;

/// Made up.
const VAULT_KEY: &str = "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=";

/// A destination that takes everything: any `employee.upsert`, and a `message.send` that says whom it is for.
struct Taker;

#[async_trait]
impl Destination for Taker {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let input_schema = Some(json!({ "type": "object", "required": ["to"] }));
        let send = ActionInfo { description: "Sends".into(), input_schema, ..ActionInfo::default() };
        BTreeMap::from([("employee.upsert".into(), ActionInfo::default()), ("message.send".into(), send)])
    }

    async fn push(&self, _push: Push) -> Result<Receipt, Failure> {
        Ok(Receipt { confirmed: true, ..Receipt::default() })
    }
}

/// No vendor is heard.
struct Deaf;

#[async_trait]
impl Hooks for Deaf {
    fn body_bytes_max(&self, _: &ConnectionName) -> Option<usize> {
        None
    }
    fn reserve(&self, _: u64) -> Result<Box<dyn Send>, HookRefusal> {
        Err(HookRefusal::Unknown)
    }
    async fn take_in(&self, _: &ConnectionName, _: HookDelivery) -> Result<HookAnswer, HookRefusal> {
        Err(HookRefusal::Unknown)
    }
}

/// A store that has nothing to ask about.
pub(crate) struct NoRows;

#[async_trait]
impl Rows for NoRows {
    async fn read(&self, _: &TenantId, _: Wanted, _: mpsc::Sender<Box<dyn Batch>>) -> Result<u64, AnalysisError> {
        Ok(0)
    }
    async fn key(&self, _: &TenantId, _: RecordId) -> Result<Option<Key>, AnalysisError> {
        Ok(None)
    }
    async fn ids(&self, _: &TenantId, _: &[Key]) -> Result<HashMap<Key, RecordId>, AnalysisError> {
        Ok(HashMap::new())
    }
}

/// Ten applications that were invited, of which four finished.
pub(crate) struct Funnel;

struct Invited;

impl Batch for Invited {
    fn each(&self, _: &mut Vec<Arc<str>>, take: &mut dyn FnMut(&Row<'_>)) {
        let at = |minute: i64| Instant::from_epoch_ms(1_773_000_000_000 + minute * 60_000).unwrap();
        for n in 1..=10 {
            let (application, step) = (Key(n), Key(100 + n));
            take(&Row::Application(ApplicationRow {
                application,
                person: None,
                job: None,
                channel: None,
                applied_at: Some(at(0)),
                status: ApplicationStatus::Active,
                selected: None,
                reasons: &[],
            }));
            let nodes = [(NodeCode::InviteSent, 0), (NodeCode::Completed, 30)];
            for (node, minute) in nodes.into_iter().take(if n <= 4 { 2 } else { 1 }) {
                take(&Row::Step(StepRow { step, application, node, at: at(minute), clicks: None, wait_ms: None }));
            }
        }
    }
}

#[async_trait]
impl Rows for Funnel {
    async fn read(&self, _: &TenantId, _: Wanted, to: mpsc::Sender<Box<dyn Batch>>) -> Result<u64, AnalysisError> {
        to.send(Box::new(Invited)).await.map_err(|error| AnalysisError::Fault(error.to_string()))?;
        Ok(0)
    }
    async fn key(&self, _: &TenantId, _: RecordId) -> Result<Option<Key>, AnalysisError> {
        Ok(None)
    }
    async fn ids(&self, _: &TenantId, _: &[Key]) -> Result<HashMap<Key, RecordId>, AnalysisError> {
        Ok(HashMap::new())
    }
}

/// A loop that knows no tenant.
struct NoTenant;

#[async_trait]
impl Interviews for NoTenant {
    async fn match_band(&self, _: &TenantId, _: &str, _: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        Err(InterviewError::NotFound("interview"))
    }
    async fn decide(&self, _: &TenantId, _: RecordId, _: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        Err(InterviewError::NotFound("decision"))
    }
    async fn reopen(&self, _: &TenantId, _: RecordId, _: &ReopenAsk) -> Result<RecordRow, InterviewError> {
        Err(InterviewError::NotFound("decision"))
    }
    async fn overrule(&self, _: &TenantId, _: RecordId, _: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        Err(InterviewError::NotFound("decision"))
    }
    async fn judged(&self, _: &TenantId, _: RecordId) -> Result<Judged, InterviewError> {
        Err(InterviewError::NotFound("decision"))
    }
    async fn correct(&self, _: &TenantId, _: RecordId, _: &CorrectionAsk) -> Result<RecordRow, InterviewError> {
        Err(InterviewError::NotFound("score"))
    }
    async fn timeline(&self, _: &TenantId, _: RecordId) -> Result<Timeline, InterviewError> {
        Err(InterviewError::NotFound("application"))
    }
    async fn candidate_timeline(&self, _: &TenantId, _: RecordId) -> Result<Timeline, InterviewError> {
        Err(InterviewError::NotFound("candidate"))
    }
    async fn screen_token(&self, _: &TenantId, _: RecordId) -> Result<ScreenToken, InterviewError> {
        Err(InterviewError::NotFound("interview"))
    }
    async fn screen(&self, _: &str, _: RecordId) -> Result<Option<ScreenView>, InterviewError> {
        Ok(None)
    }
    fn progress(&self, _: &TenantId) -> Option<LoopProgress> {
        None
    }
}

fn flows(store: &Arc<dyn Store>) -> Arc<FlowEngine> {
    let mut catalogue = Catalogue::default();
    for name in ["hr", "mail"] {
        catalogue.add(ConnectionName::new(name).unwrap(), DestinationEntry::new(Arc::new(Taker)));
    }
    let catalogues = BTreeMap::from([(TenantId::new("acme").unwrap(), catalogue)]);
    FlowEngine::new(Arc::clone(store), catalogues, FlowOptions::default(), Arc::new(SystemClock))
}

fn vault(folder: &std::path::Path) -> Vault {
    let key = MasterKey::from_base64(&Secret::new(VAULT_KEY.into()), "the test").unwrap();
    Vault::open(&folder.join("vault.json"), key, TenantId::new("acme").unwrap()).unwrap()
}

/// The persons of the tenant, which no one works on.
fn people(store: &Arc<dyn Store>) -> Arc<renmen_people::People> {
    let tenants = [TenantId::new("acme").unwrap()];
    let options = renmen_people::PeopleOptions::default();
    renmen_people::People::open(Arc::clone(store), Arc::new(SystemClock), &tenants, options).0
}

/// Everything over one store. `folder`: where secrets are kept; `None`: no vault.
pub(crate) fn parts(
    store: &Arc<dyn Store>,
    control: ScriptedControl,
    metrics: PrometheusHandle,
    folder: Option<PathBuf>,
) -> ApiParts {
    let flows = flows(store);
    let endpoints = EndpointRegistry::new(EndpointParts {
        store: Arc::clone(store),
        flows: Arc::clone(&flows),
        egress: Egress::new().unwrap(),
        clock: Arc::new(SystemClock),
        open_vault: Box::new(move || Ok(folder.as_deref().map(vault))),
        limits: ReceiverLimits {
            request_timeout: Duration::from_secs(5),
            response_bytes_max: 1_000,
            request_bytes_max: 100_000,
            parallel_max: 1,
            rate: None,
            logs: LogLimits::default(),
        },
        names: EndpointNames::default(),
    });
    ApiParts {
        store: Arc::clone(store),
        control: Arc::new(control),
        configuration: Arc::new(ScriptedConfiguration::default()),
        hooks: Arc::new(Deaf),
        interviews: Arc::new(NoTenant),
        people: people(store),
        adjust: AdjustOptions::default(),
        decision_links: None,
        ledger: renmen_ledger::Ledger::new(Arc::clone(store), Arc::clone(&flows), Vec::new()),
        flows,
        endpoints: Arc::new(endpoints),
        analysis: Analysis::new(Arc::clone(store), Arc::new(NoRows), Arc::new(SystemClock), Settings::default()),
        schedules: BTreeMap::new(),
        metrics,
    }
}
