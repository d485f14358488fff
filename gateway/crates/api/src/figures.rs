//! `GET /metrics`: the process's figures for Prometheus, and who may read which of them.
//!
//! A figure with a connection belongs to that connection's tenant. What has none is about the process as a whole: a tenant's
//! key sees it only where the process serves no other tenant, because traffic in all tells one customer about another's.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use renmen_schema::id::TenantId;

use crate::auth::{admit, caller};
use crate::problem::{Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::{AppState, MetricsAccess};

/// Headers by which a proxy gives itself away. One that sends none looks like any program on this machine.
const OF_PROXIES: [&str; 9] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
];

/// The figures of the key's tenant for Prometheus.
///
/// The figures of the process as a whole are among them only where it serves no other tenant. `metrics` in the section
/// `[gateway]` of the configuration opens all of it to this machine without a key (`"loopback"`), or switches it off.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "get_metrics", security((), ("key" = [])),
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus text format, version 0.0.4")),
)]
pub(crate) async fn read(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    let text = match state.options.metrics {
        MetricsAccess::Off => {
            return Err(Problem::new(ProblemCode::UnknownPath)
                .detail("`/metrics` is switched off on this gateway", "此网关已关闭 `/metrics`"));
        }
        MetricsAccess::Loopback if is_on_this_machine(&request) => state.metrics.render(),
        MetricsAccess::Loopback | MetricsAccess::Key => {
            let sender = Sender::of_request(&request, &state.options.proxies);
            let caller = caller(&state, request.headers(), sender).await?;
            admit(&caller, &request)?;
            of_tenant(&state, &caller.tenant).await
        }
    };
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

async fn of_tenant(state: &AppState, tenant: &TenantId) -> String {
    let connections = state.control.connections(tenant).await.into_iter().map(|connection| connection.name).collect();
    let whole = state.control.only_tenant(tenant).await;
    Part { tenant: tenant.as_str(), connections, whole }.of(&state.metrics.render())
}

fn is_on_this_machine(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    peer.is_some_and(|ip| ip.to_canonical().is_loopback()) && !is_passed_on(request.headers())
}

fn is_passed_on(headers: &HeaderMap) -> bool {
    OF_PROXIES.iter().any(|name| headers.contains_key(*name))
}

/// What one tenant may see.
struct Part<'a> {
    tenant: &'a str,
    connections: BTreeSet<String>,
    /// The figures of the process as a whole too.
    whole: bool,
}

impl Part<'_> {
    /// The samples that it may see, with the comments of their families.
    fn of(&self, text: &str) -> String {
        let (mut kept, mut comments) = (String::with_capacity(text.len()), String::new());
        let push = |into: &mut String, line: &str| {
            into.push_str(line);
            into.push('\n');
        };
        for line in text.lines() {
            if line.starts_with("# HELP") {
                comments.clear();
            }
            if line.starts_with('#') {
                push(&mut comments, line);
            } else if !line.is_empty() && self.shows(line) {
                kept.push_str(&std::mem::take(&mut comments));
                push(&mut kept, line);
            } else if line.is_empty() {
                comments.clear();
            }
        }
        kept
    }

    fn shows(&self, sample: &str) -> bool {
        let (mut named, mut own) = (false, true);
        for (name, value) in labels(sample) {
            match name {
                "connection" => own &= self.connections.contains(&value),
                "tenant" => own &= value == self.tenant,
                _ => continue,
            }
            named = true;
        }
        own && (named || self.whole)
    }
}

/// The labels of a sample: `name{label="value",…} 1`.
fn labels(sample: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let Some((_, mut rest)) = sample.split_once('{') else { return found };
    while let Some((name, after)) = rest.split_once("=\"") {
        let (mut value, mut escaped, mut end) = (String::new(), false, after.len());
        for (at, char) in after.char_indices() {
            match char {
                _ if escaped => {
                    value.push(if char == 'n' { '\n' } else { char });
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    end = at + 1;
                    break;
                }
                _ => value.push(char),
            }
        }
        found.push((name.trim_start_matches(',').trim(), value));
        rest = &after[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# TYPE renmen_runs_total counter
renmen_runs_total{connection=\"people\",end=\"completed\"} 3
renmen_runs_total{connection=\"secret-customer\",end=\"completed\"} 9

# TYPE renmen_api_requests_total counter
renmen_api_requests_total{method=\"GET\",route=\"/v1/changes\"} 7

# HELP renmen_other_total Of another
# TYPE renmen_other_total counter
renmen_other_total{note=\"connection=\\\"people\\\"\",connection=\"secret-customer\"} 1
renmen_other_total{tenant=\"alpha\",connection=\"people\"} 4
renmen_other_total{tenant=\"beta\",connection=\"people\"} 5

# TYPE renmen_up gauge
renmen_up 1
";

    fn seen(tenant: &str, connections: &[&str], whole: bool) -> String {
        let connections = connections.iter().map(|name| (*name).to_owned()).collect();
        Part { tenant, connections, whole }.of(TEXT)
    }

    #[test]
    fn a_tenant_sees_the_figures_of_its_own_connections_with_their_comments() {
        assert_eq!(
            seen("alpha", &["people"], false),
            "\
# TYPE renmen_runs_total counter
renmen_runs_total{connection=\"people\",end=\"completed\"} 3
# HELP renmen_other_total Of another
# TYPE renmen_other_total counter
renmen_other_total{tenant=\"alpha\",connection=\"people\"} 4
"
        );
        assert_eq!(seen("nobody", &[], false), "");
    }

    #[test]
    fn who_is_alone_sees_the_process_too_and_still_no_strange_connection() {
        let seen = seen("alpha", &["people"], true);
        assert!(seen.contains("renmen_up 1") && seen.contains("renmen_api_requests_total"), "{seen}");
        assert!(!seen.contains("secret-customer") && !seen.contains("beta"), "{seen}");
    }

    #[test]
    fn labels_are_read_whatever_their_values_hold() {
        assert_eq!(
            labels(r#"x{a="1",b="q\"}, c=\"3\"",d="l\\"} 5"#),
            [("a", "1".to_owned()), ("b", "q\"}, c=\"3\"".to_owned()), ("d", "l\\".to_owned())]
        );
        assert!(labels("x 5").is_empty());
    }
}
