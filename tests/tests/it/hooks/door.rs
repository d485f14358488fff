//! Who is let in, and who learns what.

use std::time::Duration;

use serde_json::json;

use super::Gateway;
use super::vendor::{Employees, SECRET, Sent, now_s, router, updated};
use crate::harness::{said, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_event_is_kept_before_it_is_answered_and_a_second_time_changes_nothing() {
    let gateway = Gateway::start("http://127.0.0.1:9", "").await;
    let event = Sent::new("msg-1", &updated("E1", "Lin Made-Up", 1_000));
    for _ in 0..3 {
        let answer = gateway.deliver(&event).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), r#"{"received":true}"#);
    }
    let employees = gateway.api("/v1/employees").await;
    assert_eq!(employees["data"].as_array().map(Vec::len), Some(1), "{employees}");
    assert_eq!(employees["data"][0]["revision"], 1);
    let inbox = gateway.inbox().await;
    assert_eq!((inbox.len(), &inbox[0]["repeats"], &inbox[0]["delivery_id"]), (1, &json!(2), &json!("msg-1")));
    assert_eq!((&inbox[0]["verdict"], &inbox[0]["changes"]), (&json!("records"), &json!(1)));
    // The way back to the source: the delivery as it came, from the inbox and from the record's lineage.
    let url = inbox[0]["exchange_url"].as_str().unwrap();
    let exchange = gateway.api(url).await.to_string();
    assert!(exchange.contains("/hooks/events") && exchange.contains("Lin Made-Up"), "{exchange}");
    let id = employees["data"][0]["id"].as_str().unwrap();
    let record = gateway.api(&format!("/v1/employees/{id}?include=lineage")).await.to_string();
    assert!(record.contains(url), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_vendors_is_refused_and_nothing_of_it_is_kept() {
    let gateway = Gateway::start("http://127.0.0.1:9", "webhook_bytes_max = \"2KiB\", webhook_window = \"60s\"").await;
    let event = |id: &str| Sent::new(id, &updated("E1", "Nobody", 1_000));
    let at = &gateway;
    let status = |sent: Sent| async move { at.deliver(&sent).await.status().as_u16() };
    assert_eq!(status(event("forged").forged()).await, 401);
    let old = |seconds: i64| Sent::at("old", &updated("E1", "Nobody", 1_000), now_s() + seconds);
    assert_eq!((status(old(-70)).await, status(old(70)).await), (401, 401), "outside of the window, either way");
    let mut moved = event("moved");
    moved.id = "other".to_owned();
    assert_eq!(status(moved).await, 401, "the id is signed too");
    let mut silent = event("silent");
    silent.signature = String::new();
    assert_eq!(status(silent).await, 401);
    let big = Sent::new("big", &updated("E1", &"x".repeat(3 << 10), 1_000));
    assert_eq!(status(big).await, 413);
    let packed = event("packed").request(&gateway.client, &gateway.url).header("content-encoding", "gzip");
    assert_eq!(packed.send().await.unwrap().status(), 415);
    for path in ["/hooks/nobody", "/hooks/Events", "/hooks"] {
        let answer = gateway.client.post(format!("{}{path}", gateway.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    assert!(gateway.inbox().await.is_empty());
    assert_eq!(gateway.api("/v1/employees").await["data"], json!([]));
    let metrics = gateway.text("/metrics").await;
    assert!(
        metrics.contains(r#"renmen_webhook_deliveries_total{connection="events",verdict="forged"} 5"#),
        "{metrics}"
    );
    assert_eq!(status(event("good")).await, 200);
    assert_eq!(status(old(-50)).await, 200, "within the window");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_event_is_answered_counted_and_kept() {
    let gateway = Gateway::start("http://127.0.0.1:9", "").await;
    let sent = Sent::new("odd-1", &json!({ "type": "payroll.exploded", "data": { "id": "P1" } }));
    assert_eq!(gateway.deliver(&sent).await.status(), 200);
    let inbox = gateway.inbox().await;
    assert_eq!((inbox.len(), &inbox[0]["verdict"]), (1, &json!("nothing")));
    let exchange = gateway.api(inbox[0]["exchange_url"].as_str().unwrap()).await.to_string();
    assert!(exchange.contains("payroll.exploded"), "{exchange}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_of_no_use_is_kept_and_answered_so_that_the_vendor_stops() {
    let gateway = Gateway::start("http://127.0.0.1:9", "").await;
    let nonsense = ["[1]", "", "{\"type\":", "Lin Made-Up 13800000000", "{\"type\":7}"];
    for (n, body) in nonsense.iter().enumerate() {
        let unsigned = Sent::text(&format!("u{n}"), body, now_s()).forged();
        assert_eq!(gateway.deliver(&unsigned).await.status(), 401, "{body}");
    }
    assert!(gateway.inbox().await.is_empty(), "no one else's bytes are kept");
    for (n, body) in nonsense.iter().enumerate() {
        let signed = Sent::text(&format!("s{n}"), body, now_s());
        for _ in 0..2 {
            let answer = gateway.deliver(&signed).await;
            assert_eq!(answer.status(), 400, "{body}");
            let told: serde_json::Value = answer.json().await.unwrap();
            assert!(told["detail"].as_str().unwrap().contains("it was stored"), "{told}");
        }
    }
    let inbox = gateway.inbox().await;
    assert_eq!(inbox.len(), nonsense.len());
    for row in &inbox {
        assert_eq!((&row["verdict"], &row["quarantined"], &row["repeats"]), (&json!("refused"), &json!(1), &json!(1)));
    }
    let exchange = gateway.api(inbox[1]["exchange_url"].as_str().unwrap()).await.to_string();
    assert!(exchange.contains("Lin Made-Up 13800000000"), "the delivery as it came: {exchange}");
    let waiting = gateway.api("/v1/quarantine").await["data"].as_array().unwrap().clone();
    assert_eq!(waiting.len(), nonsense.len());
    for item in &waiting {
        assert_eq!((&item["code"], &item["entity"]), (&json!("unusable_delivery"), &json!("delivery")), "{item}");
        let reason = item["reason"].as_str().unwrap();
        assert!(!reason.is_empty() && !reason.contains("Lin") && !reason.contains("138"), "{reason}");
    }
    let metrics = gateway.text("/metrics").await;
    for (verdict, count) in [("forged", nonsense.len()), ("unusable", nonsense.len() * 2)] {
        let line = format!(r#"renmen_webhook_deliveries_total{{connection="events",verdict="{verdict}"}} {count}"#);
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    // The vendor's next good one comes in as ever.
    assert_eq!(gateway.deliver(&Sent::new("good", &updated("E1", "Lin Made-Up", 1_000))).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_works_as_it_is_pasted_or_the_first_refusal_says_which_form_is_wanted() {
    let bare = SECRET.trim_start_matches("whsec_");
    for pasted in [format!("v1,{SECRET}"), bare.to_owned(), format!("{SECRET}\n"), format!("\"{SECRET}\"")] {
        let gateway = Gateway::start_with_secret(&pasted).await;
        let sent = Sent::new("m1", &updated("E1", "Lin Made-Up", 1_000));
        assert_eq!(gateway.deliver(&sent).await.status(), 200, "{pasted:?}");
        let health = gateway.api("/v1/health").await;
        assert_eq!(health["connections"][0]["deliveries_refused"], json!(null), "{health}");
    }
    // Plain text that happens to be base64: another key than the vendor's.
    let gateway = Gateway::start_with_secret("plainTextSecret9").await;
    for n in 0..3 {
        let sent = Sent::new(&format!("m{n}"), &updated("E1", "Lin Made-Up", 1_000));
        assert_eq!(gateway.deliver(&sent).await.status(), 401);
    }
    let health = gateway.api("/v1/health").await;
    let told = &health["connections"][0]["deliveries_refused"];
    assert_eq!(told["count"], json!(3), "{health}");
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("slot `events` wants base64, with or without `whsec_`"), "{message}");
    assert!(!health.to_string().contains("plainTextSecret9"));
    // One that cannot be base64 is told before anything is sent.
    let Gateway { home, running, .. } = gateway;
    drop(running);
    let checked = home.env("EVENTS_SECRET", "not base64: a sentence").run(&["check", "--dev"]).await;
    let said = said(&checked);
    assert!(!checked.status.success() && said.contains("encode that as base64 first"), "{said}");
    assert!(!said.contains("a sentence"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_its_share_a_second_is_sent_away_until_later() {
    let gateway = Gateway::start("http://127.0.0.1:9", "webhooks_per_second = 1").await;
    let mut refused = 0;
    for n in 0..5 {
        let sent = Sent::new(&format!("m{n}"), &updated("E1", "Lin", n));
        let answer = gateway.deliver(&sent).await;
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
            refused += 1;
        }
    }
    assert!((1..5).contains(&refused), "{refused} of 5");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_only_announces_is_read_once_the_vendor_can_be_reached() {
    let employees = Employees::default();
    employees.lock().unwrap().insert("R1".to_owned(), ("Wei Made-Up".to_owned(), 5_000));
    let url = serve(router(employees)).await;
    let gateway = Gateway::start(&url, "").await;
    let changed = json!({ "type": "employee.changed", "data": { "id": "R1" } });
    assert_eq!(gateway.deliver(&Sent::new("c1", &changed)).await.status(), 200);
    for _ in 0..600 {
        let found = gateway.api("/v1/employees").await;
        if let Some(row) = found["data"].get(0) {
            assert!(row.to_string().contains("Wei Made-Up"), "{row}");
            let runs = gateway.api("/v1/runs").await.to_string();
            assert!(runs.contains(r#""trigger":"refresh""#) && runs.contains(r#""trigger":"webhook""#), "{runs}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it was never read");
}
