//! Changes written to topics with the real binary, against the broker of the receiver's tests: a login, an outage of a broker, and each
//! change in order for its record, and again only under the same id.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harness::Home;
use crate::kafka_cluster::{KafkaCluster, Stored};
use crate::kafka_sasl::Login;
use crate::staff::staff;

const TOPIC: &str = "renmen.default.employee";

/// A gateway's folder whose endpoint is this cluster.
async fn home(cluster: &KafkaCluster) -> (Home, renmen_tests::staff_api::Source) {
    let (source, home) = staff(20).await;
    let brokers: Vec<String> = cluster.0.lock().nodes.iter().map(|address| format!("\"{address}\"")).collect();
    let config = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let endpoint = format!(
        "\n[endpoints.warehouse]\nkind = \"kafka\"\nbrokers = [{}]\ntopic = \"renmen.{{tenant}}.{{entity}}\"\n\
         security = \"plaintext\"\nsasl = \"scram-sha-256\"\nentities = [\"employee\"]\nfields = {{ employee = [\"/work/title\"] }}\n\
         slots.login = {{ env = \"KAFKA_LOGIN\" }}\ngrant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n",
        brokers.join(", ")
    );
    home.configure(&format!("{config}{endpoint}"));
    (home.env("KAFKA_LOGIN", "renmen:pencil"), source)
}

/// Of each event the first record: one whose acknowledgement was lost is written again under its id.
fn events(cluster: &KafkaCluster) -> Vec<Stored> {
    let mut seen = BTreeSet::new();
    let mut stored = cluster.stored(TOPIC);
    stored.retain(|one| seen.insert(one.json()["id"].to_string()));
    stored
}

async fn written(cluster: &KafkaCluster, count: usize) -> Vec<Stored> {
    for _ in 0..1_200 {
        if events(cluster).len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let written = events(cluster);
    assert_eq!(written.len(), count);
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_written_to_the_partition_of_its_record_in_its_order_also_after_an_outage() {
    let cluster = KafkaCluster::start(2, None).await;
    cluster.topic(TOPIC, &[0, 1, 0]);
    let login = Login { mechanism: "SCRAM-SHA-256", user: "renmen", password: "pencil", is_impostor: false };
    cluster.0.lock().login = Some(login);
    let (home, source) = home(&cluster).await;
    let check = home.run(&["check", "--dev"]).await;
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    assert!(cluster.stored(TOPIC).is_empty(), "a check writes nothing");

    let serve = ["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--pull-first"];
    let mut gateway = home.spawn(&serve);
    gateway.greeting().await;
    let first = written(&cluster, 20).await;
    assert_eq!(cluster.stored(TOPIC).len(), 20, "without trouble each once");
    for one in &first {
        let event = one.json();
        assert_eq!((&event["specversion"], &event["type"]), (&"1.0".into(), &"cn.renmen.employee.created".into()));
        let record = event["data"]["record"].as_object().unwrap();
        assert!(record.keys().all(|key| key == "work"), "only what may leave: {record:?}");
        assert_eq!(one.headers["content-type"], "application/cloudevents+json");
    }
    drop(gateway);

    // The broker that leads most is away when the gateway comes back with more.
    cluster.0.lock().down.insert(0);
    source.lock().unwrap().touch(12);
    let mut gateway = home.spawn(&serve);
    gateway.greeting().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.0.lock().down.remove(&0);
    let all = written(&cluster, 32).await;
    for one in &all {
        let of_record = || all.iter().filter(|other| other.key == one.key);
        assert!(of_record().all(|other| other.partition == one.partition), "a record has one partition");
        let sequences: Vec<String> = of_record().map(|one| one.json()["sequence"].to_string()).collect();
        assert!(sequences.is_sorted(), "in its order: {sequences:?}");
    }
}
