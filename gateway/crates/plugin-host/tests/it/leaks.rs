//! Nothing that a guest hands over carries a secret, in any form: each way out is tried, together with honest records
//! on the same page.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use renmen_plugin_host::{CallError, CallLimits, Delivery, Door, Page, RunOmission};
use renmen_schema::Remedy;

use crate::harness::{Bench, CANARY, first};
use crate::spans::Heard;

/// The canary as a curious connector would disguise it, and both halves of it.
fn disguises() -> Vec<String> {
    let bytes: Vec<String> = CANARY.bytes().map(|byte| byte.to_string()).collect();
    vec![
        CANARY.to_owned(),
        CANARY.to_uppercase(),
        CANARY.chars().rev().collect(),
        STANDARD.encode(CANARY),
        STANDARD.encode(format!("x{CANARY}")),
        URL_SAFE_NO_PAD.encode(format!("xy{CANARY}z")),
        STANDARD.encode(STANDARD.encode(CANARY)),
        hex::encode(CANARY),
        hex::encode_upper(CANARY),
        CANARY.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        CANARY.bytes().map(|byte| format!("%25{byte:02X}")).collect(),
        CANARY.bytes().map(|byte| format!("&#x{byte:x};")).collect(),
        CANARY.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
        CANARY.replace('-', "\n"),
        CANARY.split("").collect::<Vec<_>>().join(" "),
        bytes.join(","),
        CANARY[..CANARY.len() / 2].to_owned(),
        CANARY[CANARY.len() / 2..].to_owned(),
    ]
}

/// A bench whose configuration hands the guest this text.
async fn bench(leak: &str) -> Bench {
    let mut bench = Bench::new().await;
    let config = serde_json::json!({ "base_url": bench.server.url, "canary": CANARY, "leak": leak });
    bench.call.config = config.to_string().into_bytes().into();
    bench
}

async fn pull(bench: &Bench, way: &str) -> Result<Page, CallError> {
    bench.plugin.pull(bench.call.clone(), first(&format!("leak_{way}"))).await
}

#[tokio::test]
async fn a_record_that_carries_a_secret_is_refused_alone_and_without_its_bytes_f14() {
    let mut bench = bench("").await;
    for leak in disguises() {
        let config = serde_json::json!({ "base_url": bench.server.url, "leak": leak });
        bench.call.config = config.to_string().into_bytes().into();
        for (way, place) in
            [("payload", "payload"), ("id", "external id"), ("pointer", "pointer"), ("entity", "entity")]
        {
            let page = pull(&bench, way).await.unwrap_or_else(|error| panic!("{way}, {leak}: {error}"));
            assert_eq!((page.records.len(), page.rejects.len()), (9, 1), "{way}: {leak}");
            let refused = &page.rejects[0];
            assert_eq!((refused.code, refused.raw.len()), ("carries_secret", 0), "{way}: {leak}");
            assert!(
                refused.reason.contains(&format!("the {place} carries the secret of slot `key`")),
                "{}",
                refused.reason
            );
            let id = refused.external_id.as_deref();
            assert_eq!(id, (way != "id").then_some("E4"), "{way}: {leak}");
            let shown = format!("{}{}{}", refused.entity, refused.pointer, refused.reason);
            assert!(!shown.contains(&leak) && !shown.contains("9f3e77a1"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_page_without_a_secret_is_handed_on_whole() {
    for honest in ["E-4711", "9f3e77a1", "canary", "a canary sings at 09:30", "1c0d24b5-9f3e"] {
        let bench = bench(honest).await;
        for way in ["payload", "id", "pointer", "cursor", "reject", "log"] {
            let page = pull(&bench, way).await.unwrap_or_else(|error| panic!("{way}: {error}"));
            assert_eq!((page.records.len(), page.rejects.len()), (10, usize::from(way == "reject")), "{way}: {honest}");
        }
    }
}

#[tokio::test]
async fn what_a_page_could_not_read_and_what_it_left_out_come_with_it_in_bounded_text() {
    let bench = bench("2025-03.xlsx").await;
    let page = pull(&bench, "finding").await.unwrap();
    let finding = &page.findings[0];
    assert_eq!((finding.part.as_str(), finding.message.as_str()), ("2025-03.xlsx", "cannot read 2025-03.xlsx"));
    assert_eq!((finding.needs, finding.missing, page.records.len()), (Remedy::Source, true, 10));
    let page = pull(&bench, "omission").await.unwrap();
    let omission = &page.omissions[0];
    assert_eq!((omission.count, omission.places.len()), (30, RunOmission::PLACES_MAX));
}

#[tokio::test]
async fn findings_and_omissions_count_in_the_bytes_of_their_page() {
    let mut bench = bench(&"x".repeat(20_000)).await;
    for way in ["finding", "omission"] {
        bench.call.limits = std::sync::Arc::new(CallLimits { page_bytes_max: 10_000, ..CallLimits::default() });
        let error = pull(&bench, way).await.err().unwrap();
        assert!(error.to_string().contains("page_bytes_max"), "{way}: {error}");
    }
}

#[tokio::test]
async fn a_reject_that_carries_a_secret_loses_its_bytes_f14() {
    let bench = bench(CANARY).await;
    for (way, place) in [("reject", "rejected record"), ("reject_id", "external id"), ("reject_reason", "reason")] {
        let page = pull(&bench, way).await.unwrap();
        assert_eq!((page.records.len(), page.rejects.len()), (10, 1), "{way}");
        let reject = &page.rejects[0];
        assert_eq!((reject.code, reject.raw.len()), ("carries_secret", 0));
        assert!(reject.reason.contains(place) && !reject.reason.contains("9f3e77a1"), "{}", reject.reason);
        assert!(reject.external_id.as_deref().is_none_or(|id| id == "E11"));
    }
}

#[tokio::test]
async fn a_cursor_that_carries_a_secret_fails_the_call_f14() {
    for leak in [CANARY.to_owned(), hex::encode(CANARY), STANDARD.encode(CANARY)] {
        let error = pull(&bench(&leak).await, "cursor").await.err().unwrap();
        assert!(matches!(&error, CallError::Failure { code: Some(code), .. } if code == "carries_secret"), "{error}");
        assert!(!format!("{error:?}").contains(&leak), "{error}");
    }
}

#[tokio::test]
async fn what_a_delivery_leaves_carries_no_secret_f14() {
    let bench = bench(CANARY).await;
    let delivery = |path: &str| Delivery {
        method: "POST".to_owned(),
        path_and_query: path.to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        received_at_ms: 1_750_000_000_000,
        window: Duration::from_secs(300),
        door: Door::Request,
    };
    for path in ["/leak_id", "/leak_refresh", "/answer_secret", "/header_secret"] {
        let error = bench.receive(delivery(path), |_| ()).await.err().unwrap().to_string();
        assert!(error.contains("carries the secret of slot `key`") && !error.contains(CANARY), "{path}: {error}");
    }
    let outcome = bench.receive(delivery("/leak_record"), |_| ()).await.ok().unwrap();
    assert_eq!((outcome.records.len(), outcome.rejects.len(), outcome.rejects[0].code), (1, 1, "carries_secret"));
    assert!(bench.receive(delivery("/echo"), |_| ()).await.is_ok());
}

#[tokio::test]
async fn lines_failures_panics_and_findings_show_no_form_of_a_secret_f14() {
    let heard = Heard::default();
    let _listening = heard.listen();
    for leak in disguises() {
        let bench = bench(&leak).await;
        pull(&bench, "log").await.unwrap();
        let mut said = vec![heard.lines().join("\n")];
        for way in ["failure", "panic"] {
            said.push(format!("{:?}", pull(&bench, way).await.err().unwrap()));
        }
        let findings = bench.plugin.probe(bench.call.clone()).await.unwrap();
        said.extend(findings.iter().map(|finding| format!("{finding:?}")));
        said.push(format!("{:?}", pull(&bench, "finding").await.unwrap().findings));
        said.push(format!("{:?}", pull(&bench, "omission").await.unwrap().omissions));
        for text in said {
            assert!(!text.contains(leak.trim()), "{leak} in {text}");
        }
    }
}

#[tokio::test]
async fn a_connector_that_never_ends_has_so_many_lines_a_minute_and_says_so_once() {
    let heard = Heard::default();
    let _listening = heard.listen();
    let bench = Bench::with_logs(renmen_egress::LogLimits { lines_per_minute: 150, refusals_per_minute: 20 }).await;
    let mut dropped = 0;
    for _ in 0..10 {
        let page = bench.pull("leak_lines", |limits| limits.log_lines_max = 1_000).await.unwrap();
        assert!(page.has_more);
        assert_eq!(page.usage.log_lines + page.usage.log_lines_dropped, 100);
        dropped += page.usage.log_lines_dropped;
    }
    let lines: Vec<_> = heard.lines().into_iter().filter(|line| line.contains("of many")).collect();
    assert_eq!((lines.len(), dropped), (150, 850));
    assert_eq!(lines.iter().filter(|line| line.contains("log_lines_per_minute")).count(), 1);
}

#[tokio::test]
async fn a_hundred_refused_requests_with_a_huge_method_write_a_few_kilobytes() {
    let heard = Heard::default();
    let _listening = heard.listen();
    let bench = Bench::new().await;
    bench.pull("leak_methods", |_| ()).await.unwrap();
    let text = heard.lines().into_iter().filter(|line| line.contains("Request refused")).collect::<Vec<_>>();
    assert!(text.len() <= 20 && text.iter().map(String::len).sum::<usize>() < 12 << 10, "{} lines", text.len());
    assert!(!text.is_empty() && !text.iter().any(|line| line.contains('\u{1b}') || line.contains("AAAA")), "{text:?}");
    assert_eq!(bench.server.requests(), 0);
    bench.assert_healthy().await;
}
