//! What the API serves in these tests: the real flows and endpoints over a store, with destinations that take everything. Scripted are
//! the engine behind `Control`, which links the sandbox, and what is said by the interview loop and to vendors: here nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use renmen_api::{ApiParts, HookAnswer, HookDelivery, HookRefusal, Hooks, Interviews};
use renmen_egress::{Egress, LogLimits};
use renmen_flow::{
    ActionInfo, Catalogue, Destination, DestinationEntry, Failure, FlowEngine, FlowOptions, Push, Receipt, SystemClock,
};
use renmen_interview::{
    AdjustOptions, BandAsk, CorrectionAsk, DecisionAsk, InterviewError, Judged, LoopProgress, ReopenAsk, ScreenToken,
    ScreenView, Timeline, Verdict,
};
use renmen_receiver::access::ReceiverLimits;
use renmen_receiver::endpoint::{EndpointNames, EndpointParts, EndpointRegistry};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::{RecordRow, Store};
use renmen_vault::{MasterKey, Secret, Vault};
use serde_json::json;

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
        flows,
        endpoints: Arc::new(endpoints),
        metrics,
    }
}
