//! Topics of a Kafka cluster as an endpoint: what is written and where, and what each trouble of the cluster means to the delivery.

use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{Egress, EgressError, EgressOptions, KafkaMechanism, KafkaProducer, KafkaSpec};
use renmen_flow::{Destination as _, Failure, Push};
use renmen_receiver::endpoint::{EventMode, SEND, TopicEndpoint, TopicOptions};
use renmen_schema::FailureKind;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_vault::Secret;
use serde_json::json;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::kafka_cluster::KafkaCluster;
use crate::kafka_sasl::Login;
use crate::rig::push;

fn spec(cluster: &KafkaCluster) -> KafkaSpec {
    let brokers = cluster.0.lock().nodes.iter().map(|address| (address.ip().to_string(), address.port())).collect();
    KafkaSpec {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("warehouse").unwrap(),
        brokers,
        tls: false,
        login: None,
        addresses: vec!["127.0.0.0/8".parse().unwrap()],
        timeout: Duration::from_secs(10),
        record_bytes_max: 100_000,
        answer_bytes_max: 100_000,
        rate: None,
    }
}

fn producer(spec: KafkaSpec) -> Arc<KafkaProducer> {
    Egress::new().unwrap().kafka(spec).unwrap()
}

fn endpoint(spec: KafkaSpec, mode: EventMode) -> TopicEndpoint {
    TopicEndpoint::new(producer(spec), TopicOptions { topic: "renmen.{tenant}.{entity}".into(), mode })
}

fn structured(spec: KafkaSpec) -> TopicEndpoint {
    endpoint(spec, EventMode::Structured)
}

const TOPIC: &str = "renmen.acme.employee";

fn event() -> Push {
    push(SEND, &json!({ "name": { "full": "张伟" } }))
}

/// An event of another record, by its number.
fn of_record(number: u32) -> Push {
    let mut push = event();
    push.cause.record = format!("0192e5c0-0000-7000-8000-{number:012}").parse().unwrap();
    push
}

async fn cluster(nodes: usize, leaders: &[usize]) -> KafkaCluster {
    let cluster = KafkaCluster::start(nodes, None).await;
    cluster.topic(TOPIC, leaders);
    cluster
}

/// What becomes of an event with a cluster that is given so long.
async fn failed(cluster: &KafkaCluster, timeout: Duration) -> Failure {
    structured(KafkaSpec { timeout, ..spec(cluster) }).push(event()).await.unwrap_err()
}

#[tokio::test]
async fn an_event_is_the_value_of_a_record_whose_key_is_its_record() {
    let cluster = cluster(1, &[0, 0, 0]).await;
    let receipt = structured(spec(&cluster)).push(event()).await.unwrap();
    let stored = cluster.stored(TOPIC).remove(0);
    assert_eq!(stored.key, "0192e5c0-0000-7000-8000-000000000001");
    assert_eq!(
        stored.headers.into_iter().collect::<Vec<_>>(),
        [("content-type".to_owned(), "application/cloudevents+json".to_owned())]
    );
    let value: serde_json::Value = serde_json::from_str(&stored.value).unwrap();
    assert_eq!(value["id"], "0192e5c0-0000-7000-8000-000000000001-3");
    assert_eq!(value["data"]["record"], json!({ "name": { "full": "张伟" } }));
    let partition = stored.partition;
    assert_eq!(receipt.reference.unwrap(), format!("{TOPIC}/{partition}/0"));
    assert_eq!(receipt.detail["offset"], 0);
}

#[tokio::test]
async fn in_binary_form_the_attributes_are_headers_and_the_data_is_the_value() {
    let cluster = cluster(1, &[0]).await;
    endpoint(spec(&cluster), EventMode::Binary).push(event()).await.unwrap();
    let stored = cluster.stored(TOPIC).remove(0);
    let data = stored.json();
    assert_eq!((&data["kind"], &data["record"]["name"]["full"]), (&json!("updated"), &json!("张伟")));
    let header = |name: &str| stored.headers[name].as_str();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!((header("ce_specversion"), header("ce_type")), ("1.0", "cn.renmen.employee.updated"));
    assert_eq!(header("ce_id"), "0192e5c0-0000-7000-8000-000000000001-3");
    assert_eq!(header("ce_sequence"), "000000000000000042");
    assert_eq!(stored.headers.len(), 8);
}

#[tokio::test]
async fn events_side_by_side_share_requests_and_each_key_has_one_partition() {
    let cluster = cluster(3, &[0, 1, 2, 0, 1, 2]).await;
    let endpoint = Arc::new(structured(spec(&cluster)));
    let mut pushes = tokio::task::JoinSet::new();
    for number in 0..200_u32 {
        let endpoint = Arc::clone(&endpoint);
        pushes.spawn(async move { endpoint.push(of_record(number % 40)).await.unwrap().reference.unwrap() });
    }
    let mut places = pushes.join_all().await;
    places.sort();
    places.dedup();
    assert_eq!(places.len(), 200, "each has a place of its own");
    let stored = cluster.stored(TOPIC);
    let mut keys: Vec<(&str, i32)> = stored.iter().map(|one| (one.key.as_str(), one.partition)).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((stored.len(), keys.len()), (200, 40));
    let requests = cluster.0.lock().requests.len();
    assert!(requests < 100, "{requests} requests for 200 records");
}

#[tokio::test]
async fn another_leader_is_found_and_written_to() {
    let cluster = cluster(2, &[0]).await;
    let endpoint = structured(spec(&cluster));
    endpoint.push(event()).await.unwrap();
    cluster.topic(TOPIC, &[1]);
    endpoint.push(event()).await.unwrap();
    let nodes: Vec<usize> = cluster.0.lock().requests.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes, [0, 0, 1], "the former leader said so");
    assert_eq!(cluster.stored(TOPIC).len(), 2);
}

#[tokio::test]
async fn a_partition_without_a_leader_is_waited_for_and_told() {
    let cluster = cluster(1, &[7]).await;
    let failure = failed(&cluster, Duration::from_millis(400)).await;
    assert_eq!(failure.kind, FailureKind::UpstreamUnavailable);
    assert!(failure.message.contains("partition 0 has no leader now"), "{}", failure.message);
}

#[tokio::test]
async fn a_broker_that_is_down_is_unavailable_and_written_to_when_it_is_back() {
    let cluster = cluster(2, &[0]).await;
    let endpoint = structured(spec(&cluster));
    endpoint.push(event()).await.unwrap();
    cluster.0.lock().down.insert(0);
    let failure = endpoint.push(event()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamUnavailable);
    // The other one is asked who leads by now.
    cluster.topic(TOPIC, &[1]);
    endpoint.push(event()).await.unwrap();
    cluster.topic(TOPIC, &[0]);
    cluster.0.lock().down.clear();
    endpoint.push(event()).await.unwrap();
    assert_eq!(cluster.stored(TOPIC).len(), 3);
    cluster.0.lock().down.extend([0, 1]);
    let failure = endpoint.push(event()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamUnavailable);
}

#[tokio::test]
async fn an_event_whose_acknowledgement_is_lost_is_there_twice_under_one_id() {
    let cluster = cluster(1, &[0]).await;
    cluster.0.lock().lost_acks = 1;
    let endpoint = structured(spec(&cluster));
    let failure = endpoint.push(event()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamUnavailable, "whether it arrived is not known");
    endpoint.push(event()).await.unwrap();
    let ids: Vec<_> = cluster.stored(TOPIC).iter().map(|one| one.json()["id"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_was_idle_costs_no_attempt() {
    let cluster = cluster(1, &[0]).await;
    let endpoint = structured(spec(&cluster));
    endpoint.push(event()).await.unwrap();
    cluster.0.lock().lost_acks = 1;
    endpoint.push(event()).await.unwrap();
    assert_eq!(cluster.stored(TOPIC).len(), 3, "it was sent at once again: nobody can know that it was taken");
}

#[tokio::test]
async fn what_is_too_large_is_dead_and_takes_no_other_with_it() {
    let cluster = cluster(1, &[0]).await;
    let mut large = of_record(1);
    large.input = serde_json::to_vec(&json!({ "name": "x".repeat(5_000) })).unwrap().into();
    cluster.0.lock().batch_max = 3_000;
    let endpoint = Arc::new(structured(spec(&cluster)));
    let mut pushes = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (endpoint, push) = (Arc::clone(&endpoint), if number == 7 { large.clone() } else { of_record(number) });
        pushes.spawn(async move { endpoint.push(push).await });
    }
    let failures: Vec<Failure> = pushes.join_all().await.into_iter().filter_map(Result::err).collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((failures[0].kind, failures[0].code.as_deref()), (FailureKind::InvalidInput, Some("MESSAGE_TOO_LARGE")));
    assert_eq!(cluster.stored(TOPIC).len(), 19);
    // The gateway's own limit, before anything is sent.
    large.input = serde_json::to_vec(&json!({ "name": "x".repeat(100_000) })).unwrap().into();
    let failure = endpoint.push(large).await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::InvalidInput, Some("request_bytes_max")));
}

#[tokio::test]
async fn a_topic_that_is_not_there_or_not_allowed_waits_for_a_person() {
    let cluster = KafkaCluster::start(1, None).await;
    let failure = failed(&cluster, Duration::from_secs(10)).await;
    assert_eq!(failure.kind, FailureKind::BadConfig);
    assert!(failure.message.contains("no topic `renmen.acme.employee`"), "{}", failure.message);
    cluster.topic(TOPIC, &[0]);
    cluster.0.lock().forbidden.insert(TOPIC.into());
    assert_eq!(failed(&cluster, Duration::from_secs(10)).await.kind, FailureKind::AuthRequired);
    cluster.0.lock().forbidden.clear();
    for (code, kind) in [
        (19, FailureKind::UpstreamUnavailable),
        (29, FailureKind::AuthRequired),
        (44, FailureKind::InvalidInput),
        (87, FailureKind::InvalidInput),
        (89, FailureKind::RateLimited),
        (4_711, FailureKind::UpstreamUnavailable),
    ] {
        cluster.0.lock().code = code;
        assert_eq!(failed(&cluster, Duration::from_secs(10)).await.kind, kind, "{code}");
    }
}

#[tokio::test]
async fn a_login_is_proved_to_a_broker_that_knows_it_and_refused_by_another() {
    let cluster = cluster(1, &[0]).await;
    let with = |mechanism, secret: &str| KafkaSpec {
        login: Some((mechanism, Secret::new(secret.to_owned()))),
        ..spec(&cluster)
    };
    let known = Login { mechanism: "SCRAM-SHA-256", user: "renmen", password: "pen,cil=", is_impostor: false };
    cluster.0.lock().login = Some(known.clone());
    structured(with(KafkaMechanism::ScramSha256, "renmen:pen,cil=")).push(event()).await.unwrap();
    for (mechanism, secret) in [
        (KafkaMechanism::ScramSha256, "renmen:pencil"),
        (KafkaMechanism::ScramSha256, "other:pen,cil="),
        (KafkaMechanism::ScramSha512, "renmen:pen,cil="),
    ] {
        let failure = structured(with(mechanism, secret)).push(event()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::AuthRequired, "{failure}");
        assert!(!failure.message.contains("zhang") && !failure.message.contains("pen"), "{failure}");
    }
    cluster.0.lock().login = Some(Login { is_impostor: true, ..known });
    let failure = structured(with(KafkaMechanism::ScramSha256, "renmen:pen,cil=")).push(event()).await.unwrap_err();
    assert!(failure.message.contains("does not prove that it knows the password"), "{failure}");
    assert_eq!(cluster.stored(TOPIC).len(), 1);
    // In clear it goes nowhere, and what is not a login is told at once.
    for (mechanism, secret) in [(KafkaMechanism::Plain, "a:b"), (KafkaMechanism::ScramSha256, "no-colon")] {
        assert!(Egress::new().unwrap().kafka(with(mechanism, secret)).is_err());
    }
}

#[tokio::test]
async fn a_broker_that_the_cluster_names_is_held_against_the_same_address_rules() {
    let cluster = cluster(2, &[1]).await;
    cluster.0.lock().named.insert(1, ("169.254.169.254".into(), 80));
    let failure = failed(&cluster, Duration::from_secs(10)).await;
    assert_eq!(failure.kind, FailureKind::NotGranted);
    assert!(failure.message.contains("169.254.169.254"), "{}", failure.message);
    // And one that the operator names himself.
    let closed = KafkaSpec { addresses: Vec::new(), ..spec(&cluster) };
    let failure = structured(closed).push(event()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotGranted);
    assert!(cluster.0.lock().requests.is_empty(), "nothing was written");
}

#[tokio::test]
async fn over_tls_the_broker_proves_its_name_before_the_password_goes() {
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (authority.cert.der().clone(), authority.signing_key.serialize_der());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let cluster = KafkaCluster::start(1, Some(TlsAcceptor::from(Arc::new(config)))).await;
    cluster.topic(TOPIC, &[0]);
    let port = cluster.0.lock().nodes[0].port();
    cluster.0.lock().named.insert(0, ("localhost".into(), port));
    cluster.0.lock().login = Some(Login { mechanism: "PLAIN", user: "renmen", password: "p:w", is_impostor: false });
    let login = Some((KafkaMechanism::Plain, Secret::new("renmen:p:w".to_owned())));
    let addresses = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let spec = KafkaSpec { brokers: vec![("localhost".into(), port)], tls: true, login, addresses, ..spec(&cluster) };
    let trusting = EgressOptions { extra_roots_pem: authority.cert.pem().into_bytes(), ..EgressOptions::default() };
    let options = TopicOptions { topic: TOPIC.into(), mode: EventMode::Structured };
    let producer = Egress::with(trusting).unwrap().kafka(spec.clone()).unwrap();
    assert_eq!(producer.probe(&[TOPIC]).await.unwrap(), 1);
    TopicEndpoint::new(producer, options.clone()).push(event()).await.unwrap();
    assert_eq!(cluster.stored(TOPIC).len(), 1);
    let stranger = Egress::new().unwrap().kafka(spec).unwrap();
    let failure = TopicEndpoint::new(stranger, options).push(event()).await.unwrap_err();
    assert!(failure.message.contains("TLS"), "{failure}");
    let plain = producer_without_tls(&cluster, port);
    assert!(matches!(plain.probe(&[]).await, Err(renmen_egress::KafkaError::Egress(EgressError::Unavailable(_)))));
}

fn producer_without_tls(cluster: &KafkaCluster, port: u16) -> Arc<KafkaProducer> {
    producer(KafkaSpec { brokers: vec![("127.0.0.1".into(), port)], timeout: Duration::from_secs(5), ..spec(cluster) })
}

/// Against a cluster that others made, where one is named (`RENMEN_TEST_KAFKA=host:port`) that has the topic `renmen.acme.employee`:
/// what it takes is what its own consumers then read. It says so when there is none.
#[tokio::test]
async fn a_cluster_of_others_takes_both_forms() {
    let Ok(named) = std::env::var("RENMEN_TEST_KAFKA") else {
        eprintln!("skipped: RENMEN_TEST_KAFKA names no cluster");
        return;
    };
    let (host, port) = named.rsplit_once(':').unwrap();
    let model = KafkaCluster::start(1, None).await;
    let brokers = vec![(host.to_owned(), port.parse().unwrap())];
    let addresses = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let spec = KafkaSpec { brokers, addresses, ..spec(&model) };
    for mode in [EventMode::Structured, EventMode::Binary] {
        let endpoint = Arc::new(endpoint(spec.clone(), mode));
        let mut pushes = tokio::task::JoinSet::new();
        for number in 0..50 {
            let endpoint = Arc::clone(&endpoint);
            pushes.spawn(async move { endpoint.push(of_record(number)).await.unwrap() });
        }
        let receipts = pushes.join_all().await;
        assert!(receipts.iter().all(|receipt| receipt.detail["offset"].as_i64().unwrap() >= 0));
    }
}
