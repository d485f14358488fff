//! The life of endpoints that are made over the API: what is kept, what is in use, what feeds them, and that a process which ended in
//! between leaves nothing that the next one does not put right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{Egress, LogLimits};
use renmen_flow::{Catalogue, Clock, FLOWS_MAX, FlowEngine, FlowOptions};
use renmen_receiver::access::ReceiverLimits;
use renmen_receiver::endpoint::{
    ConfiguredEndpoint, EndpointDefinition, EndpointError, EndpointNames, EndpointParts, EndpointRegistry,
};
use renmen_schema::EntityKind;
use renmen_vault::{MasterKey, Secret, Vault};
use serde_json::json;

use crate::world::{World, name, tenant};

/// A made-up key.
const KEY: &str = "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=";

fn vault(folder: &Path) -> Vault {
    let key = MasterKey::from_base64(&Secret::new(KEY.into()), "the test").unwrap();
    Vault::open(&folder.join("vault.json"), key, tenant()).unwrap()
}

fn definition(url: &str, entities: &[&str]) -> EndpointDefinition {
    EndpointDefinition {
        url: url.into(),
        entities: entities.iter().map(ToString::to_string).collect(),
        changes: BTreeSet::new(),
        fields: BTreeMap::from([("employee".into(), vec!["/number".into()])]),
        enabled: true,
    }
}

fn erp() -> EndpointDefinition {
    definition("https://erp.example.com/hooks", &["employee"])
}

async fn world() -> World {
    World::new(vec![], json!({}), FlowOptions::default()).await
}

/// A registry as a process has it that began just now.
fn registry(world: &World) -> EndpointRegistry {
    registry_over(world, &world.engine)
}

/// The same over the flows of another process.
fn registry_over(world: &World, flows: &Arc<FlowEngine>) -> EndpointRegistry {
    let folder = world.folder.path().to_owned();
    let hr = definition("https://hr.example.com/", &["employee"]);
    EndpointRegistry::new(EndpointParts {
        store: Arc::clone(&world.store),
        flows: Arc::clone(flows),
        egress: Egress::new().unwrap(),
        clock: Arc::clone(&world.clock) as Arc<dyn Clock>,
        open_vault: Box::new(move || Ok(Some(vault(&folder)))),
        limits: ReceiverLimits {
            request_timeout: Duration::from_secs(5),
            response_bytes_max: 1_000,
            request_bytes_max: 100_000,
            parallel_max: 2,
            rate: None,
            logs: LogLimits::default(),
        },
        names: EndpointNames {
            configured: [((tenant(), name("hr")), ConfiguredEndpoint { definition: hr, previous_until_ms: None })]
                .into(),
            taken: [(tenant(), name("people"))].into(),
        },
    })
}

async fn flows(world: &World) -> Vec<String> {
    world.engine.flows(&tenant()).await.unwrap().into_iter().map(|view| view.row.name).collect()
}

fn is_destination(world: &World) -> bool {
    world.engine.catalogue(&tenant()).entry(&name("erp")).is_some()
}

fn secrets(world: &World) -> usize {
    vault(world.folder.path()).list().unwrap().len()
}

/// The tenant's endpoints by name, as they are shown.
async fn shown(registry: &EndpointRegistry) -> Vec<String> {
    registry.endpoints(&tenant()).await.unwrap().into_iter().map(|view| view.name.to_string()).collect()
}

async fn load(world: &World) -> EndpointRegistry {
    let registry = registry(world);
    registry.load(&[tenant()].into()).await.unwrap();
    registry
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_comes_and_goes_with_its_flows_its_secret_and_its_destination() {
    let world = world().await;
    let registry = load(&world).await;
    let (made, secret) = registry.put(&tenant(), &name("erp"), erp()).await.unwrap();
    assert!(secret.unwrap().expose().starts_with("whsec_"));
    assert_eq!((made.from_file, made.definition.changes.len()), (false, 3), "every change, where none is named");
    assert_eq!(flows(&world).await, ["events:erp:employee"]);
    assert_eq!((is_destination(&world), secrets(&world)), (true, 1));
    assert_eq!(shown(&registry).await, ["erp", "hr"]);

    let jobs = definition("https://erp.example.com/hooks", &["employee", "job"]);
    let (_, secret) = registry.put(&tenant(), &name("erp"), jobs).await.unwrap();
    assert!(secret.is_none(), "shown once");
    assert_eq!(flows(&world).await, ["events:erp:employee", "events:erp:job"]);
    registry.put(&tenant(), &name("erp"), erp()).await.unwrap();
    assert_eq!(flows(&world).await, ["events:erp:employee"]);

    let (rotated, _) = registry.rotate(&tenant(), &name("erp"), Duration::from_secs(60)).await.unwrap();
    assert_eq!((rotated.previous_until_ms, secrets(&world)), (Some(world.clock.now_ms() + 60_000), 2));
    registry.rotate(&tenant(), &name("erp"), Duration::ZERO).await.unwrap();
    assert_eq!(secrets(&world), 1);

    let before = world.engine.catalogue(&tenant()).entry(&name("erp")).unwrap().destination.clone();
    registry.remove(&tenant(), &name("erp")).await.unwrap();
    assert_eq!((is_destination(&world), secrets(&world)), (false, 0), "nothing can be sent to it any more");
    assert_eq!((flows(&world).await, shown(&registry).await), (vec![], vec!["hr".to_owned()]));
    let again = registry.remove(&tenant(), &name("erp")).await;
    assert!(matches!(again, Err(EndpointError::NotFound(_))), "{again:?}");

    registry.put(&tenant(), &name("erp"), erp()).await.unwrap();
    let after = world.engine.catalogue(&tenant()).entry(&name("erp")).unwrap().destination.clone();
    assert!(!Arc::ptr_eq(&before, &after), "another endpoint of the name does not go where the first one went");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_made_changed_and_removed_through_one_gateway_another_follows_when_it_looks() {
    let world = world().await;
    let here = load(&world).await;
    let catalogues = [(tenant(), Catalogue::default())].into();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let flows_there = FlowEngine::new(Arc::clone(&world.store), catalogues, FlowOptions::default(), clock);
    let there = registry_over(&world, &flows_there);
    let look = async || there.load(&[tenant()].into()).await.unwrap();
    let destination = || flows_there.catalogue(&tenant()).entry(&name("erp")).map(|entry| entry.destination.clone());
    look().await;
    here.put(&tenant(), &name("erp"), erp()).await.unwrap();
    assert!(destination().is_none());
    look().await;
    let first = destination().unwrap();
    let version = world.engine.flow(&tenant(), "events:erp:employee").await.unwrap().row.version;
    here.rotate(&tenant(), &name("erp"), Duration::ZERO).await.unwrap();
    look().await;
    assert!(Arc::ptr_eq(&first, &destination().unwrap()), "its secret was changed in its place");
    assert_eq!(world.engine.flow(&tenant(), "events:erp:employee").await.unwrap().row.version, version);
    here.remove(&tenant(), &name("erp")).await.unwrap();
    look().await;
    assert!(destination().is_none(), "nothing is sent from there any more");
    assert!(flows(&world).await.is_empty(), "and its flow was not made again");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_endpoint_is_in_use_after_a_start_and_one_whose_secret_is_gone_is_passed_over() {
    let world = world().await;
    load(&world).await.put(&tenant(), &name("erp"), erp()).await.unwrap();
    world.engine.remove_destination(&tenant(), &name("erp"));
    let again = load(&world).await;
    assert!(is_destination(&world));
    assert_eq!(again.endpoint(&tenant(), &name("erp")).await.unwrap().definition.url, erp().url);
    let version = world.engine.flow(&tenant(), "events:erp:employee").await.unwrap().row.version;
    assert_eq!(version, 1, "a flow that is as it should be is left alone");

    world.engine.remove_destination(&tenant(), &name("erp"));
    std::fs::remove_file(world.folder.path().join("vault.json")).unwrap();
    load(&world).await;
    assert!(!is_destination(&world), "it is logged; its events wait");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_process_left_undone_that_ended_while_it_made_or_removed_an_endpoint_is_done_at_the_next_start() {
    let world = world().await;
    let registry = load(&world).await;
    // Ended after the endpoint was kept and before it had its flows; another flow of it is of its former definition.
    registry.put(&tenant(), &name("erp"), definition(&erp().url, &["employee", "job"])).await.unwrap();
    let row = world.store.endpoint(&tenant(), &name("erp")).await.unwrap().unwrap();
    let kept = row.definition.unwrap().replace(r#"["employee","job"]"#, r#"["employee","org_unit"]"#);
    world.store.put_endpoint(&tenant(), &name("erp"), kept, 0).await.unwrap();
    load(&world).await;
    assert_eq!(flows(&world).await, ["events:erp:employee", "events:erp:org_unit"]);

    // Ended after it was taken out of the store: what feeds it must not go on.
    world.store.drop_endpoint(&tenant(), &name("erp")).await.unwrap();
    load(&world).await;
    assert_eq!(flows(&world).await, [""; 0]);

    // The same, and the client tries again before a restart.
    registry.put(&tenant(), &name("erp"), erp()).await.unwrap();
    world.store.drop_endpoint(&tenant(), &name("erp")).await.unwrap();
    registry.remove(&tenant(), &name("erp")).await.unwrap();
    assert_eq!((flows(&world).await.len(), is_destination(&world)), (0, false));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_leaves_nothing_behind() {
    let world = world().await;
    let registry = load(&world).await;
    let mut unknown_field = erp();
    unknown_field.fields = BTreeMap::from([("employee".into(), vec!["/numbre".into()])]);
    let mut other_scheme = erp();
    other_scheme.url = "http://erp.example.com/".into();
    for (target, good, told) in [("people", erp(), "connection or a channel"), ("hr", erp(), "in the configuration")] {
        let refused = registry.put(&tenant(), &name(target), good).await;
        let Err(EndpointError::Refused { en, .. }) = refused else { panic!("{target} was taken") };
        assert!(en.contains(told), "{en}");
    }
    for (bad, told) in [(unknown_field, "numbre"), (other_scheme, "https://")] {
        let refused = registry.put(&tenant(), &name("erp"), bad).await;
        let Err(EndpointError::Invalid { en, zh }) = refused else { panic!("{told} was taken") };
        assert!(en.contains(told) && !zh.is_ascii(), "{en} {zh}");
    }
    for refused in [
        registry.remove(&tenant(), &name("hr")).await,
        registry.rotate(&tenant(), &name("hr"), Duration::ZERO).await.map(drop),
    ] {
        assert!(matches!(refused, Err(EndpointError::Refused { .. })), "{refused:?}");
    }
    assert!(matches!(registry.rotate(&tenant(), &name("erp"), Duration::ZERO).await, Err(EndpointError::NotFound(_))));
    assert!(matches!(registry.enable(&tenant(), &name("erp")).await, Err(EndpointError::NotFound(_))));
    assert_eq!((flows(&world).await.len(), secrets(&world), is_destination(&world)), (0, 0, false));
    assert!(world.store.endpoints().await.unwrap().is_empty());
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_needs_more_flows_than_a_tenant_may_have_is_refused_before_anything_is_kept() {
    let world = world().await;
    let registry = load(&world).await;
    let entities: Vec<&str> =
        EntityKind::ALL.iter().filter(|kind| !kind.is_for_audits_only()).map(|kind| kind.name()).collect();
    let whole = FLOWS_MAX / entities.len();
    let all = |number: usize| {
        let mut all = definition(&format!("https://{number}.example.com/"), &entities);
        all.fields.clear();
        all
    };
    for number in 0..whole {
        registry.put(&tenant(), &name(&format!("e{number}")), all(number)).await.unwrap();
    }
    let refused = registry.put(&tenant(), &name("erp"), all(whole)).await;
    let Err(EndpointError::Refused { en, zh }) = refused else { panic!("it was taken") };
    assert!(en.contains(&format!("of {FLOWS_MAX}")) && zh.contains(&FLOWS_MAX.to_string()), "{en} {zh}");
    assert_eq!((shown(&registry).await.len(), secrets(&world)), (whole + 1, whole), "the others stand, and `hr`");
    world.end().await;
}
