//! Metrics of runs: names and labels in one place, so that a dashboard can rely on them.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use renmen_egress::PrefetchFigures;
use renmen_schema::Remedy;
use renmen_schema::id::ConnectionName;
use renmen_store::{CommitOutcome, RunFinding, StreamKey};

use crate::normalize::Payslips;

/// One committed page.
pub(crate) fn page(key: &StreamKey, outcome: &CommitOutcome, took: Duration) {
    let (connection, stream) = (key.connection.to_string(), key.stream.to_string());
    for (name, count) in [
        ("created", outcome.created),
        ("updated", outcome.updated),
        ("unchanged", outcome.unchanged),
        ("deleted", outcome.deleted),
        ("quarantined", outcome.quarantined),
        ("repeated", outcome.repeated),
        ("held", outcome.held),
    ] {
        if count > 0 {
            let labels = [("connection", connection.clone()), ("stream", stream.clone()), ("outcome", name.to_owned())];
            counter!("renmen_run_records_total", &labels).increment(count);
        }
    }
    if outcome.exchanges_pruned > 0 {
        counter!("renmen_exchanges_pruned_total", "connection" => connection.clone())
            .increment(outcome.exchanges_pruned);
    }
    let labels = [("connection", connection), ("stream", stream)];
    counter!("renmen_run_pages_total", &labels).increment(1);
    histogram!("renmen_commit_seconds", &labels).record(took.as_secs_f64());
}

/// How the payslips of a page or a delivery add up.
pub(crate) fn payslips(connection: &ConnectionName, payslips: Payslips) {
    for (outcome, count) in [
        ("adds_up", payslips.add_up),
        ("accepted", payslips.accepted),
        ("refused", payslips.refused),
        ("unchecked", payslips.unchecked),
    ] {
        if count > 0 {
            let labels = [("connection", connection.to_string()), ("outcome", outcome.to_owned())];
            counter!("renmen_payslips_total", &labels).increment(count);
        }
    }
    if payslips.accepted > 0 {
        let count = payslips.accepted;
        tracing::warn!(%connection, count, "Accepted payslips that do not add up; add a `payslips` section to quarantine them");
    }
}

/// Records whose time lies too far ahead of the clock to be believed.
pub(crate) fn dated_ahead(key: &StreamKey, count: u64) {
    if count > 0 {
        counter!("renmen_records_dated_ahead_total", &labels(key)).increment(count);
    }
}

/// What became of the requests that the connector named ahead in a run.
pub(crate) fn prefetches(key: &StreamKey, figures: &PrefetchFigures) {
    let PrefetchFigures { used, unused, ignored, refused } = *figures;
    for (outcome, count) in [("used", used), ("unused", unused), ("ignored", ignored), ("refused", refused)] {
        if count > 0 {
            let [connection, stream] = labels(key);
            let labels = [connection, stream, ("outcome", outcome.to_owned())];
            counter!("renmen_prefetches_total", &labels).increment(count);
        }
    }
    if unused + refused > 0 {
        tracing::warn!(
            connection = %key.connection, stream = %key.stream, used, unused, refused,
            "Requests named ahead by the connector were not sent by it later; each unused one cost the vendor a request"
        );
    }
}

/// One run that is over; `end` is `completed` or the failure's code.
pub(crate) fn run(key: &StreamKey, end: &str, took: Duration) {
    let labels = labels(key);
    histogram!("renmen_run_seconds", &labels).record(took.as_secs_f64());
    let [connection, stream] = labels;
    counter!("renmen_runs_total", &[connection, stream, ("end", end.to_owned())]).increment(1);
}

/// What a run that is over found, by who can put it right.
pub(crate) fn findings(key: &StreamKey, found: &[RunFinding]) {
    for needs in Remedy::ALL {
        let count = found.iter().filter(|finding| finding.needs == needs).count() as u64;
        if count > 0 {
            let [connection, stream] = labels(key);
            let labels = [connection, stream, ("needs", needs.name().to_owned())];
            counter!("renmen_run_findings_total", &labels).increment(count);
        }
    }
}

/// How old the records of a stream are: since its last complete run ended.
pub(crate) fn lag(key: &StreamKey, lag: Duration) {
    gauge!("renmen_stream_lag_seconds", &labels(key)).set(lag.as_secs_f64());
}

/// One delivery; `verdict` is `taken`, `repeated`, `answered`, or why it was refused.
pub(crate) fn delivery(connection: &ConnectionName, verdict: &'static str, took: Duration) {
    let labels = [("connection", connection.to_string()), ("verdict", verdict.to_owned())];
    counter!("renmen_webhook_deliveries_total", &labels).increment(1);
    histogram!("renmen_webhook_seconds", &labels).record(took.as_secs_f64());
}

/// Records that were read again because an event announced them; `end` is `done` or `failed`.
pub(crate) fn refreshes(key: &StreamKey, end: &'static str, count: usize) {
    let [connection, stream] = labels(key);
    counter!("renmen_refreshes_total", &[connection, stream, ("end", end.to_owned())]).increment(count as u64);
}

fn labels(key: &StreamKey) -> [(&'static str, String); 2] {
    [("connection", key.connection.to_string()), ("stream", key.stream.to_string())]
}
