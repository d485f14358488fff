//! Two tenants with one of everything, and what each request of the matrix looks like.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use renmen_api::ApiKey;
use renmen_receiver::endpoint::EndpointDefinition;
use renmen_schema::EntityKind;
use renmen_schema::id::{ConnectionName, RunId, StreamName, TenantId};
use renmen_store::outbox::{Advance, DeliveryState, FlowOrigin, FlowPut, NewDelivery};
use renmen_store::{
    ApiKeyRow, AuthoredCommit, AuthoredRecord, Brake, Content, ContentHash, DeletedBy, KeyRole, NewRun, PageCommit,
    RecordQuery, RecordRow, RecordWrite, Store, StreamKey, Sweep,
};
use serde_json::{Value, json};

use super::Operation;
use super::expected::{Target, WRITTEN, Who, is_written};
use super::scripted::{Scripted, TOKEN};
use crate::rig::{Answer, BEGIN_MS, Rig, exchange, refused, stream_key};
use crate::scripted_control::plugin;

/// An id that was never given out.
const NEVER: &str = "00000000-0000-7000-8000-000000000000";

pub(super) struct World {
    pub(super) rig: Rig,
    keys: HashMap<&'static str, ApiKey>,
    /// By tenant and vendor's id.
    records: HashMap<(String, String), RecordRow>,
    /// Ids of keys to revoke: own, another tenant's, revoked before.
    spare: [String; 3],
    deliveries: [i64; 2],
    /// Runs that hold deletions: own to look at, own to approve, another tenant's.
    sweeps: [RunId; 3],
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn connection(name: &str) -> ConnectionName {
    ConnectionName::new(name).unwrap()
}

fn word(target: Target) -> &'static str {
    match target {
        Target::Own => "own",
        Target::OtherTenants => "canary",
        Target::Deleted => "gone",
    }
}

fn write(kind: EntityKind, id: &str, deleted: bool) -> RecordWrite {
    let body = format!(r#"{{"note":"{id}"}}"#).into_bytes();
    RecordWrite {
        external_id: format!("{id}-{}", kind.name()),
        content: if deleted { Content::gone(kind.name()) } else { Content::of(kind.name(), body) },
        updated_at_ms: None,
        exchange_no: 0,
        pointer: "/0".into(),
        deleted: deleted.then_some(DeletedBy::SourceFlag),
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let rig = Rig::with_interviews(|store| Arc::new(Scripted(store))).await;
        let all = |id: &'static str, deleted| EntityKind::ALL.iter().map(move |kind| write(*kind, id, deleted));
        rig.commit(
            all("own", false).chain(all("gone", false)).collect(),
            vec![refused("q1"), refused("q2"), refused("q3")],
        )
        .await;
        rig.commit(all("gone", true).collect(), Vec::new()).await;
        others(&*rig.store, all("canary", false).collect()).await;
        for (whose, id) in [("acme", "own"), ("acme", "gone"), ("other", "canary")] {
            written(&*rig.store, whose, id, false).await;
            adjustment(&*rig.store, whose, id, false).await;
        }
        written(&*rig.store, "acme", "gone", true).await;
        adjustment(&*rig.store, "acme", "gone", true).await;
        assert!(rig.store.quarantine_drop(&tenant("acme"), 3).await.unwrap());

        let mut records = HashMap::new();
        for name in ["acme", "other"] {
            let query = RecordQuery { include_deleted: true, limit: 1_000, ..RecordQuery::default() };
            for row in rig.store.records(&tenant(name), &query).await.unwrap().items {
                records.insert((name.to_owned(), row.external_id.clone()), row);
            }
        }
        let deliveries = [flows_of(&*rig.store, "acme", "own").await, flows_of(&*rig.store, "other", "canary").await];
        assert!(rig.store.retire_flow(&tenant("acme"), "gone", 2).await.unwrap());
        let (keys, spare) = keys(&rig).await;
        let sweeps = [
            held(&*rig.store, "acme", "looked-at").await,
            held(&*rig.store, "acme", "approved").await,
            held(&*rig.store, "other", "looked-at").await,
        ];
        Self { rig, keys, records, spare, deliveries, sweeps }
    }

    /// Gives each tenant one flow and one endpoint again, and none by another's name, no matter what the cell before
    /// did.
    pub(super) async fn restore(&self) {
        for (whose, name, others) in [("acme", "own", ["canary", "gone"]), ("other", "canary", ["own", "gone"])] {
            let (store, endpoints) = (&self.rig.store, self.rig.endpoints());
            let flow = store.flow(&tenant(whose), name).await.unwrap();
            if flow.is_none_or(|flow| flow.retired) {
                store.put_flow(flow_put(whose, name)).await.unwrap();
            }
            if endpoints.endpoint(&tenant(whose), &connection(name)).await.is_err() {
                endpoints.put(&tenant(whose), &connection(name), endpoint(name)).await.unwrap();
            }
            for other in others {
                if store.flow(&tenant(whose), other).await.unwrap().is_some_and(|flow| !flow.retired) {
                    store.retire_flow(&tenant(whose), other, 2).await.unwrap();
                }
                let _none = endpoints.remove(&tenant(whose), &connection(other)).await;
            }
        }
    }

    pub(super) fn key(&self, who: Who) -> Option<&ApiKey> {
        let name = match who {
            Who::Nobody => return None,
            Who::Revoked => "revoked",
            Who::Expired => "expired",
            Who::Owner => return Some(&self.rig.key),
            Who::Consumer => "consumer",
            Who::Steward => "steward",
            Who::Auditor => "auditor",
            Who::Vendor => "vendor",
            Who::OtherVendor => "other-vendor",
        };
        Some(&self.keys[name])
    }

    pub(super) async fn ask(&self, who: Who, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.rig.ask_maybe(self.key(who), method, path, body).await
    }

    pub(super) fn record(&self, entity: &str, target: Target) -> String {
        let whose = if target == Target::OtherTenants { "other" } else { "acme" };
        let found = self.records.get(&(whose.to_owned(), format!("{}-{entity}", word(target))));
        found.map_or_else(|| NEVER.to_owned(), |row| row.id.to_string())
    }

    fn origin(&self, target: Target) -> Option<&RecordRow> {
        match target {
            Target::Own => self.records.get(&("acme".into(), "own-employee".into())),
            Target::OtherTenants => self.records.get(&("other".into(), "canary-employee".into())),
            Target::Deleted => None,
        }
    }

    /// The path and body of one cell.
    pub(super) fn request(&self, operation: &Operation, who: Who, target: Target) -> (String, Option<Value>) {
        let name = operation.name.as_str();
        let mut path = operation.path.replace("{id}", &self.id(operation, target)).replace("{entity}", "employee");
        path = path.replace("{question}", "funnel");
        let connection = match target {
            Target::Own => "hr",
            Target::OtherTenants => "canary",
            Target::Deleted => "gone",
        };
        if name == "list_flow_versions" && target == Target::OtherTenants {
            // What was put under the other tenant's name is a flow of this one, whose versions stay.
            path = path.replace("{name}", "canary-alone");
        }
        path = path.replace("{connection}", connection).replace("{stream}", "staff").replace("{name}", word(target));
        let [looked_at, approved, others] = self.sweeps;
        let run = match (target, name) {
            (Target::Own, "approve_sweep") => approved,
            (Target::Own, _) => looked_at,
            (Target::OtherTenants, _) => others,
            (Target::Deleted, _) => RunId(999),
        };
        path = path.replace("{run}", &run.to_string()).replace("{number}", "999");
        if name == "stream_nodes" {
            path = format!("{path}?token={TOKEN}");
        }
        if is_written(name, "delete_") {
            path = format!("{path}?reason=r");
        }
        (path, self.body(name, who, target))
    }

    fn id(&self, operation: &Operation, target: Target) -> String {
        let number = |own: i64, other: i64| match target {
            Target::Own => own.to_string(),
            Target::OtherTenants => other.to_string(),
            Target::Deleted => "3".to_owned(),
        };
        match operation.name.as_str() {
            "get_exchange" => {
                let exchange = self.origin(target).and_then(|row| row.origin.exchange);
                exchange.map_or_else(|| "999-0".to_owned(), |id| id.to_string())
            }
            "get_run" => self.origin(target).map_or_else(|| "999".to_owned(), |row| row.origin.run.to_string()),
            // The other tenant's record in quarantine is the fourth; the third was dropped.
            "get_quarantined" | "retry_quarantined" => number(1, 4),
            "drop_quarantined" => number(2, 4),
            "get_delivery" | "replay_delivery" => match target {
                Target::Own => self.deliveries[0].to_string(),
                Target::OtherTenants => self.deliveries[1].to_string(),
                Target::Deleted => "999".to_owned(),
            },
            "revoke_key" => self.spare[target as usize].clone(),
            "show_person" => self.record("employee", target),
            "show_unit" => self.record("org_unit", target),
            _ => {
                let collection = operation.path.split('/').nth(2).unwrap_or_default();
                let kind = EntityKind::ALL.iter().find(|kind| kind.collection() == collection);
                let own = is_written(&operation.name, "put_") || is_written(&operation.name, "delete_");
                if collection == "model-adjustments" && !operation.of_records {
                    return self.record("proposed", target);
                }
                let of = |kind: &EntityKind| format!("{}{}", if own { "written-" } else { "" }, kind.name());
                kind.map_or_else(|| NEVER.to_owned(), |kind| self.record(&of(kind), target))
            }
        }
    }

    fn body(&self, name: &str, _who: Who, target: Target) -> Option<Value> {
        let expected = json!({ "amount": "9500", "currency": "CNY", "per": "MONTH" });
        Some(match name {
            "match_pay_band" => json!({
                "connection": if target == Target::OtherTenants { "canary" } else { "hr" },
                "interview": format!("{}-interview", word(target)),
                "expected": expected,
            }),
            "decide" | "override_decision" => json!({ "outcome": "pass", "reason": "r" }),
            "propose_adjustment" => json!({ "target": {}, "ops": [], "reason": "r" }),
            "approve_adjustment" | "reject_adjustment" | "revert_adjustment" => json!({ "reason": "r" }),
            "reopen_decision" => json!({ "reason": "r" }),
            "correct_score" => json!({ "value": "80", "reason": "r" }),
            "put_flow" => flow_definition("hr"),
            "put_endpoint" => {
                json!({ "url": "https://own.example.com/", "entities": ["employee"] })
            }
            "act" => json!({
                "record": self.record("employee", target), "connection": "hr", "action": "employee.upsert", "input": {},
                "reason": "r", "dry_run": true,
            }),
            "post_journal" => {
                json!({ "journal": "payroll", "run": self.record("payroll_run", target), "reason": "r", "dry_run": true })
            }
            "make_key" => json!({ "role": "consumer", "label": "bi" }),
            "decide_people" => json!({ "act": "link", "records": [self.record("employee", target)], "reason": "r" }),
            "decide_units" => json!({ "act": "link", "records": [self.record("org_unit", target)], "reason": "r" }),
            "undo_people_decision" | "undo_units_decision" => json!({ "reason": "r" }),
            name if is_written(name, "create_") || is_written(name, "put_") => json!({ "reason": "r", "body": {} }),
            _ => return None,
        })
    }
}

/// Records that a person wrote, or took away.
async fn written(store: &dyn Store, whose: &str, id: &str, deleted: bool) {
    let mut commit = AuthoredCommit::of(tenant(whose), StreamName::new("records").unwrap(), BEGIN_MS);
    commit.records = WRITTEN
        .iter()
        .map(|entity| AuthoredRecord {
            entity: (*entity).into(),
            external_id: format!("{id}-written-{entity}"),
            body: if deleted { Vec::new() } else { format!(r#"{{"note":"{id}"}}"#).into_bytes() },
            deleted: deleted.then_some(DeletedBy::Manual),
            causes: Vec::new(),
            expect: None,
            parents: Vec::new(),
        })
        .collect();
    store.author(commit).await.unwrap();
}

/// What the other tenant has, one record in quarantine with it.
async fn others(store: &dyn Store, records: Vec<RecordWrite>) {
    let key = StreamKey {
        tenant: tenant("other"),
        connection: connection("canary"),
        stream: StreamName::new("canary").unwrap(),
    };
    let run = NewRun {
        key: key.clone(),
        plugin: plugin(),
        trigger: renmen_store::RunTrigger::Manual,
        now_ms: BEGIN_MS,
        lease_ms: i64::from(i32::MAX),
    };
    let page = PageCommit {
        key,
        run: store.begin_run(run).await.unwrap(),
        cursor_before: None,
        cursor_after: None,
        has_more: false,
        sweep: None,
        records,
        unchanged: Vec::new(),
        quarantine: vec![refused("canary")],
        notes: renmen_store::PageNotes::default(),
        exchanges: vec![exchange(b"canary")],
        clock_ms: BEGIN_MS,
        now_ms: BEGIN_MS,
    };
    store.commit_page(page).await.unwrap();
}

/// A run that holds the deletion of the one record that its stream had.
async fn held(store: &dyn Store, whose: &str, stream: &str) -> RunId {
    let key =
        StreamKey { tenant: tenant(whose), connection: connection("swept"), stream: StreamName::new(stream).unwrap() };
    let new = NewRun {
        key: key.clone(),
        plugin: plugin(),
        trigger: renmen_store::RunTrigger::Manual,
        now_ms: BEGIN_MS,
        lease_ms: 1_000,
    };
    let run = store.begin_run(new).await.unwrap();
    for id in ["one", "other"] {
        let brake = Some(Brake { records: 0, ratio: 0.0 });
        let page = PageCommit {
            key: key.clone(),
            run,
            cursor_before: None,
            cursor_after: None,
            has_more: false,
            sweep: Some(Sweep { begins: true, ends: true, partial: false, brake }),
            records: vec![write(EntityKind::OrgUnit, &format!("{stream}-{id}"), false)],
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: BEGIN_MS,
            now_ms: BEGIN_MS,
        };
        store.commit_page(page).await.unwrap();
    }
    run
}

/// An instruction that a person proposed, or one that was taken away.
async fn adjustment(store: &dyn Store, whose: &str, id: &str, deleted: bool) {
    let body = json!({
        "status": "PROPOSED",
        "target": { "vendor_connection": "hr", "profile_version": 1 },
        "ops": [{ "op": "SET_WEIGHT", "competency": { "external": { "value": id } }, "from_bp": 1000, "to_bp": 3000 }],
        "requested_by": "wang.wei",
    });
    let mut commit = AuthoredCommit::of(tenant(whose), StreamName::new("adjustments").unwrap(), BEGIN_MS);
    commit.records.push(AuthoredRecord {
        entity: "model_adjustment".into(),
        external_id: format!("{id}-proposed"),
        body: if deleted { Vec::new() } else { body.to_string().into_bytes() },
        deleted: deleted.then_some(DeletedBy::Manual),
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    });
    store.author(commit).await.unwrap();
}

fn flow_definition(to: &str) -> Value {
    json!({
        "when": { "entity": "employee" },
        "fields": ["/number"],
        "map": { "number": "record.number" },
        "to": { "connection": to, "action": "employee.upsert" },
    })
}

fn flow_put(whose: &str, name: &str) -> FlowPut {
    let to = if whose == "acme" { "hr" } else { "canary" };
    FlowPut {
        tenant: tenant(whose),
        name: name.into(),
        origin: FlowOrigin::Api,
        definition: flow_definition(to).to_string(),
        enabled: true,
        from_beginning: true,
        now_ms: 1,
    }
}

fn endpoint(name: &str) -> EndpointDefinition {
    EndpointDefinition {
        url: format!("https://{name}.example.com/hooks"),
        entities: vec!["employee".into()],
        changes: BTreeSet::new(),
        fields: BTreeMap::new(),
        enabled: true,
    }
}

/// Two flows of a tenant, one of them with a delivery; its number.
async fn flows_of(store: &dyn Store, whose: &str, name: &str) -> i64 {
    let another = if whose == "acme" { "gone" } else { "canary-alone" };
    store.put_flow(flow_put(whose, another)).await.unwrap();
    let flow = store.put_flow(flow_put(whose, name)).await.unwrap();
    let entry = store.feed(&flow.tenant, 0, "employee", 1).await.unwrap().entries.remove(0);
    let delivery = NewDelivery {
        seq: entry.change.seq,
        record: entry.change.id,
        connection: if whose == "acme" { stream_key().connection } else { connection("canary") },
        action: "employee.upsert".into(),
        key: [1; 16],
        lane: [1; 16],
        not_before_ms: 1,
        deadline_ms: None,
        // What died is what may be sent again.
        state: DeliveryState::Dead,
        input: entry.body.clone(),
        input_hash: ContentHash::of(&entry.body).0,
        hops: 0,
        caused_by: None,
        error: None,
    };
    let step = Advance {
        flow: flow.id,
        version: flow.version,
        from: flow.position,
        to: entry.change.seq,
        deliveries: vec![delivery],
        supersede: Vec::new(),
    };
    store.advance(vec![step], 1).await.unwrap();
    store
        .deliveries(&flow.tenant, &renmen_store::outbox::DeliveryQuery { limit: 1, ..Default::default() })
        .await
        .unwrap()[0]
        .id
}

async fn keys(rig: &Rig) -> (HashMap<&'static str, ApiKey>, [String; 3]) {
    let mut keys = HashMap::new();
    keys.insert("consumer", rig.key_of("acme", KeyRole::Consumer).await);
    keys.insert("steward", rig.key_of("acme", KeyRole::Steward).await);
    keys.insert("auditor", rig.key_of("acme", KeyRole::Auditor).await);
    keys.insert("vendor", rig.key_of("acme", KeyRole::Vendor(connection("hr"))).await);
    keys.insert("other-vendor", rig.key_of("acme", KeyRole::Vendor(connection("crm"))).await);
    let revoked = rig.key_of("acme", KeyRole::Owner).await;
    let id = renmen_store::KeyId::of(&revoked.hash());
    rig.store.revoke_api_key(None, id, BEGIN_MS).await.unwrap().unwrap();
    keys.insert("revoked", revoked);
    let expired = ApiKey::generate().unwrap();
    let row = ApiKeyRow::new(expired.hash(), "test", tenant("acme"), KeyRole::Owner, BEGIN_MS);
    rig.store.put_api_key(ApiKeyRow { expires_at_ms: Some(BEGIN_MS + 1), ..row }).await.unwrap();
    keys.insert("expired", expired);
    let spare = rig.key_of("acme", KeyRole::Owner).await;
    let ids = [&spare, &rig.other, &keys["revoked"]].map(|key| renmen_store::KeyId::of(&key.hash()).to_string());
    (keys, ids)
}
