//! Who may read `/metrics`, directly and through every kind of proxy.

use renmen_api::{ApiOptions, MetricsAccess};

use crate::listening::{Served, exchange};
use crate::rig::{Answer, Rig};
use crate::scripted_control::ScriptedControl;

async fn served(metrics: MetricsAccess) -> (Rig, Served) {
    let rig = Rig::with(ApiOptions { metrics, ..ApiOptions::default() }, ScriptedControl::default()).await;
    let served = Served::start(rig.state()).await;
    (rig, served)
}

/// What stands between `GET /metrics HTTP/1.1` and its answer, for each way in without a key.
const WAYS: [&str; 7] = [
    "",
    "\r\nx-real-ip: 203.0.113.9",
    "\r\nx-forwarded-for: 203.0.113.9",
    "\r\nx-forwarded-for: 127.0.0.1",
    "\r\nforwarded: for=127.0.0.1",
    "\r\nvia: 1.1 proxy",
    "\r\nx-forwarded-proto: https",
];

#[tokio::test]
async fn by_default_nobody_reads_them_without_a_key_whatever_a_proxy_says_or_leaves_out() {
    let (rig, served) = served(ApiOptions::default().metrics).await;
    for way in WAYS {
        let answer = exchange(served.at, &format!("GET /metrics HTTP/1.1{way}")).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{way}: {answer}");
    }
    let key = format!("GET /metrics HTTP/1.1\r\nauthorization: Bearer {}", rig.key.expose());
    assert!(exchange(served.at, &key).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn opened_to_this_machine_they_are_still_closed_to_what_a_proxy_passes_on() {
    let (rig, served) = served(MetricsAccess::Loopback).await;
    for way in WAYS {
        let answer = exchange(served.at, &format!("GET /metrics HTTP/1.1{way}")).await;
        let wanted = if way.is_empty() { "HTTP/1.1 200" } else { "HTTP/1.1 401" };
        assert!(answer.starts_with(wanted), "{way}: {answer}");
    }
    let key = format!("GET /metrics HTTP/1.1\r\nx-real-ip: 203.0.113.9\r\nauthorization: Bearer {}", rig.key.expose());
    assert!(exchange(served.at, &key).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn switched_off_there_are_none_for_a_key_either() {
    let (rig, served) = served(MetricsAccess::Off).await;
    assert!(exchange(served.at, "GET /metrics HTTP/1.1").await.starts_with("HTTP/1.1 404"));
    rig.get("/metrics").await.problem("unknown_path");
}

#[tokio::test]
async fn a_key_sees_the_figures_of_its_own_tenant() {
    for alone in [true, false] {
        let control = ScriptedControl { alone, ..ScriptedControl::default() };
        let rig = Rig::with(ApiOptions::default(), control).await;
        rig.recorded(|| {
            metrics::counter!("renmen_runs_total", "connection" => "hr", "end" => "completed").increment(3);
            metrics::counter!("renmen_runs_total", "connection" => "of-another", "end" => "completed").increment(4);
            metrics::counter!("renmen_api_requests_total", "route" => "/v1/runs").increment(5);
        });
        let own = rig.get("/metrics").await.text;
        assert!(own.contains("renmen_runs_total{connection=\"hr\",end=\"completed\"} 3"), "{own}");
        assert!(!own.contains("of-another"), "{own}");
        assert_eq!(own.contains("renmen_api_requests_total"), alone, "{own}");
        let other = Answer::read(rig.send("GET", "/metrics", Some(&rig.other), &[]).await).await.text;
        assert!(!other.contains("renmen_"), "{other}");
    }
}
