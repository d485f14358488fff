//! What was read stays readable: a changed mapping is tried on it before anything is written.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{plugin, said};
use crate::staff::staff;

#[tokio::test(flavor = "multi_thread")]
async fn replay_with_a_changed_mapping_lists_exactly_the_records_that_differ() {
    let (source, home) = staff(2_500).await;
    home.json(&["sync", "--dev"]).await;
    let same = home.json(&["replay", "staff", "employees", "--dev"]).await;
    assert_eq!(
        (&same["report"]["records"], &same["report"]["same"]),
        (&2_500.into(), &2_500.into()),
        "{}",
        same["report"]
    );
    assert_eq!(same["differences"], Value::Array(Vec::new()));

    // The changed mapping writes the title of coordinators in another way, and nothing else.
    let changed = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let (before, after) = (plugin("staff-api"), plugin("staff-api-changed"));
    home.configure(&changed.replace(&before.display().to_string(), &after.display().to_string()));
    let requests = source.lock().unwrap().requests;
    let replayed = home.json(&["replay", "staff", "employees", "--dev"]).await;
    assert_eq!(source.lock().unwrap().requests, requests, "a replay asks no vendor");

    let expected: BTreeSet<String> = source
        .lock()
        .unwrap()
        .oracle()
        .into_iter()
        .filter(|(_, json)| serde_json::from_str::<Value>(json).unwrap()["jobTitle"] == "Coordinator")
        .map(|(id, _)| id)
        .collect();
    let found: BTreeSet<String> = replayed["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["external_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!expected.is_empty() && expected.len() < 2_500);
    assert_eq!(found, expected);
    assert_eq!(replayed["differences"][0]["fields"][0]["pointer"], "/work/title");
    let stored = home.json(&["records", "employees", "--dev", "--limit", "5000"]).await;
    assert!(stored.as_array().unwrap().iter().all(|r| r["revision"] == 1), "nothing was written");

    let applied = home.run(&["replay", "staff", "employees", "--apply", "--dev"]).await;
    assert!(applied.status.success(), "{}", said(&applied));
    let stored = home.json(&["records", "employees", "--dev", "--limit", "5000"]).await;
    let second: BTreeSet<String> = stored
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["revision"] == 2)
        .map(|r| r["external_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(second, expected);
}
