//! A gateway's API in one process: a store in a folder of its own, two tenants with a key each, and what a run left.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use renmen_api::{ApiKey, ApiOptions, ApiParts, AppState, Interviews, router};
use renmen_receiver::endpoint::EndpointRegistry;
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_schema::text;
use renmen_store::{
    ApiKeyRow, CommitOutcome, Content, DeletedBy, ExchangeWrite, KeyRole, NewRun, PageCommit, QuarantineWrite,
    RecordWrite, Store, StoreOptions, StreamKey,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::parts::parts;
use crate::scripted_control::{ScriptedControl, plugin};

/// 2023-11-14T22:13:20Z: the first commit; each further one is a second later.
pub(crate) const BEGIN_MS: i64 = 1_700_000_000_000;

pub(crate) struct Rig {
    pub(crate) store: Arc<dyn Store>,
    endpoints: Arc<EndpointRegistry>,
    pub(crate) router: Router,
    state: AppState,
    /// Of the tenant `acme`.
    pub(crate) key: ApiKey,
    /// Of the tenant `other`.
    pub(crate) other: ApiKey,
    clock: AtomicI64,
    recorder: PrometheusRecorder,
    run: RunId,
    _folder: tempfile::TempDir,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        Self { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Asserts that it is a problem of this code, in the form that the document promises.
    pub(crate) fn problem(&self, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(problem["code"], code, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["type"], format!("urn:renmen:problem:{code}"));
        assert_eq!(problem["request_id"], self.headers["x-request-id"].to_str().unwrap());
        problem
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(ApiOptions::default(), ScriptedControl::default()).await
    }

    pub(crate) async fn with(options: ApiOptions, control: ScriptedControl) -> Self {
        Self::with_parts(options, control, |_| {}).await
    }

    /// With other parts than those of [`parts`], over the rig's own store.
    pub(crate) async fn with_parts(
        options: ApiOptions,
        control: ScriptedControl,
        change: impl FnOnce(&mut ApiParts),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let store = renmen_store::open(StoreOptions::at(url)).await.unwrap();
        let (key, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        for (tenant, key) in [("acme", &key), ("other", &other)] {
            let tenant = TenantId::new(tenant).unwrap();
            store.put_api_key(ApiKeyRow::new(key.hash(), "test", tenant, KeyRole::Owner, BEGIN_MS)).await.unwrap();
        }
        let run = NewRun {
            key: stream_key(),
            plugin: plugin(),
            trigger: renmen_store::RunTrigger::Manual,
            now_ms: BEGIN_MS,
            lease_ms: i64::from(i32::MAX),
        };
        let run = store.begin_run(run).await.unwrap();
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let mut parts = parts(&store, control, metrics, Some(folder.path().to_owned()));
        change(&mut parts);
        let endpoints = Arc::clone(&parts.endpoints);
        let state = AppState::new(parts, options);
        let clock = AtomicI64::new(BEGIN_MS);
        Self {
            store,
            endpoints,
            router: router(state.clone()),
            state,
            key,
            other,
            clock,
            recorder,
            run,
            _folder: folder,
        }
    }

    /// A key of a tenant with a role.
    pub(crate) async fn key_of(&self, tenant: &str, role: KeyRole) -> ApiKey {
        let key = ApiKey::generate().unwrap();
        let row = ApiKeyRow::new(key.hash(), "test", TenantId::new(tenant).unwrap(), role, BEGIN_MS);
        self.store.put_api_key(row).await.unwrap();
        key
    }

    /// Asks with a key, and with a body where there is one.
    pub(crate) async fn ask_as(&self, key: &ApiKey, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_maybe(Some(key), method, path, body).await
    }

    /// The same, or with no key at all. Of a stream, which does not end, nothing is read.
    pub(crate) async fn ask_maybe(
        &self,
        key: Option<&ApiKey>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {}", key.expose()));
        }
        let request = request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        if response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream") {
            let (parts, _unread) = response.into_parts();
            return Answer { status: parts.status, headers: parts.headers, text: String::new() };
        }
        Answer::read(response).await
    }

    /// Commits one page through the stream `staff` of `hr`, with one exchange.
    pub(crate) async fn commit(&self, records: Vec<RecordWrite>, quarantine: Vec<QuarantineWrite>) -> CommitOutcome {
        self.commit_read(records, quarantine, br#"[{"no":"1"}]"#).await
    }

    /// The same, with what the exchange is kept as.
    pub(crate) async fn commit_read(
        &self,
        records: Vec<RecordWrite>,
        quarantine: Vec<QuarantineWrite>,
        packed: &[u8],
    ) -> CommitOutcome {
        let now_ms = self.clock.fetch_add(1000, Ordering::SeqCst);
        let page = PageCommit {
            key: stream_key(),
            run: self.run,
            cursor_before: None,
            cursor_after: None,
            has_more: true,
            sweep: None,
            records,
            unchanged: Vec::new(),
            quarantine,
            notes: renmen_store::PageNotes::default(),
            exchanges: vec![exchange(packed)],
            clock_ms: now_ms,
            now_ms,
        };
        self.store.commit_page(page).await.unwrap()
    }

    /// Commits employees with these vendor ids and numbers, one page.
    pub(crate) async fn employees(&self, ids: &[(&str, &str)]) {
        self.commit(ids.iter().map(|(id, number)| employee(id, number)).collect(), Vec::new()).await;
    }

    /// The endpoints that the API serves.
    pub(crate) fn endpoints(&self) -> &EndpointRegistry {
        &self.endpoints
    }

    /// What the API works with, to serve it on a socket.
    pub(crate) fn state(&self) -> AppState {
        self.state.clone()
    }

    /// Notes figures into what `/metrics` shows.
    pub(crate) fn recorded(&self, note: impl FnOnce()) {
        metrics::with_local_recorder(&self.recorder, note);
    }

    /// The same with a key that no store knows.
    pub(crate) fn with_key_of_this_process(self, key: &ApiKey, tenant: &str) -> Self {
        let state = self.state.with_key_of_this_process(key, TenantId::new(tenant).unwrap());
        Self { router: router(state.clone()), state, ..self }
    }

    /// With an interview loop over the rig's own store.
    pub(crate) async fn with_interviews(make: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Interviews>) -> Self {
        Self::with_parts(ApiOptions::default(), ScriptedControl::default(), |parts| {
            parts.interviews = make(Arc::clone(&parts.store));
        })
        .await
    }

    /// Sends a body as `acme`.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key.expose()))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()));
        Answer::read(self.router.clone().oneshot(request.unwrap()).await.unwrap()).await
    }

    /// Asks as `acme`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// As [`Rig::get`], with an auditor's key for what the owner's does not read.
    pub(crate) async fn get_where_allowed(&self, path: &str) -> Answer {
        let answer = self.get(path).await;
        if answer.status != StatusCode::FORBIDDEN {
            return answer;
        }
        let auditor = self.key_of("acme", KeyRole::Auditor).await;
        self.ask_as(&auditor, "GET", path, None).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::read(self.send(method, path, Some(&self.key), headers).await).await
    }

    /// Sends a request and leaves the body of the answer unread.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&ApiKey>,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {}", key.expose()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }
}

pub(crate) fn stream_key() -> StreamKey {
    StreamKey {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("hr").unwrap(),
        stream: StreamName::new("staff").unwrap(),
    }
}

pub(crate) fn employee(id: &str, number: &str) -> RecordWrite {
    let body = json!({ "number": number, "person": { "names": { "formatted": "Li Lei" } } }).to_string().into_bytes();
    RecordWrite {
        external_id: id.into(),
        content: Content::of("employee", body),
        updated_at_ms: Some(BEGIN_MS - 1),
        exchange_no: 0,
        pointer: "/0".into(),
        deleted: None,
    }
}

pub(crate) fn gone(id: &str) -> RecordWrite {
    let deleted = Some(DeletedBy::SourceFlag);
    RecordWrite { content: Content::gone("employee"), deleted, ..employee(id, "") }
}

pub(crate) fn refused(id: &str) -> QuarantineWrite {
    QuarantineWrite {
        entity: "employee".into(),
        external_id: Some(id.into()),
        exchange_no: 0,
        pointer: "/1".into(),
        code: "schema".into(),
        reason: text!("/number: a number; expected text", "/number：数字；应为文本"),
        raw: br#"{"number":5}"#.to_vec(),
    }
}

pub(crate) fn exchange(body: &[u8]) -> ExchangeWrite {
    ExchangeWrite {
        no: 0,
        method: "GET".into(),
        url: "https://hr.example.com/staff?page=1".into(),
        status: 200,
        key: [1; 16],
        body_hash: [2; 32],
        packed: body.to_vec(),
        body_at: None,
        at_ms: BEGIN_MS - 5,
    }
}

/// Replaces what differs from run to run, so that an answer can be a snapshot.
pub(crate) fn settled(mut value: Value) -> Value {
    fn visit(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "id" | "record_id" if member.as_str().is_some_and(|text| text.len() == 36) => {
                            *member = json!("[uuid]");
                        }
                        "record_url" => *member = json!("[url]"),
                        "cursor" | "next_cursor" => {
                            let seq = member.as_str().and_then(|text| Some(text.split_once('.')?.0.to_owned()));
                            if let Some(seq) = seq {
                                *member = json!(format!("{seq}.[epoch]"));
                            }
                        }
                        "request_id" => *member = json!("[request]"),
                        _ => visit(member),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(visit),
            _ => {}
        }
    }
    visit(&mut value);
    value
}
