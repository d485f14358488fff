//! Questions by the command line and over HTTP, against the real binary: what is open, and what only an auditor's key reads.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::said;
use crate::staff::staff;

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_asked_by_command_and_over_http_while_the_gateway_runs() {
    let (_source, home) = staff(10).await;
    home.json(&["sync", "--dev"]).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let list = home.json(&["insight", "list"]).await;
    assert!(list.as_array().unwrap().iter().any(|one| one["name"] == "funnel"));
    let answer = home.json(&["insight", "ask", "performance", "from=2026-01-01", "--dev"]).await;
    assert_eq!((&answer["question"], &answer["figures"]), (&json!("performance"), &json!([])));
    let csv = home.run(&["insight", "ask", "funnel", "--csv", "--dev"]).await;
    assert!(csv.status.success() && said(&csv).starts_with("figure,value,low,high,"), "{}", said(&csv));
    let table = home.run(&["insight", "ask", "funnel", "--dev"]).await;
    assert!(table.status.success() && said(&table).contains("conversion"), "{}", said(&table));
    let key = home.json(&["key", "new", "bi", "--role", "consumer", "--dev"]).await;
    assert_eq!(api.status("/v1/insights/funnel", key["key"].as_str()).await, 200);
    for (arguments, told) in [
        (&["insight", "ask", "luck", "--dev"][..], "there are: funnel"),
        (&["insight", "ask", "funnel", "from", "--dev"], "is not NAME=VALUE"),
        (&["insight", "ask", "funnel", "from=soon", "--dev"], "`from` must be a day"),
        (&["insight", "ask", "profile", "--dev"], "`metric` must be"),
    ] {
        let refused = home.run(arguments).await;
        assert!(!refused.status.success() && said(&refused).contains(told), "{arguments:?}: {}", said(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_groups_fared_is_read_with_an_auditors_key_and_by_no_command() {
    let (_source, home) = staff(1).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let of =
        async |role: &str| -> Value { home.json(&["key", "new", role, "--role", role, "--dev"]).await["key"].clone() };
    let (owner, auditor) = (of("owner").await, of("auditor").await);
    for path in ["/v1/insights/fairness", "/v1/insights/fairness?format=csv", "/v1/bias-audits"] {
        assert_eq!(api.status(path, owner.as_str()).await, 403, "{path}");
        assert_eq!(api.status(path, auditor.as_str()).await, 200, "{path}");
    }
    assert_eq!(api.status("/v1/employees", auditor.as_str()).await, 403);
    for arguments in [&["insight", "ask", "fairness", "--dev"][..], &["records", "bias-audits", "--dev"]] {
        let refused = home.run(arguments).await;
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains("role `auditor`"), "{}", said(&refused));
    }
}
