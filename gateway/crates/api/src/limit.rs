//! Limits of the process that were reached: counted, logged at most once a minute, and told in `/v1/health` with the
//! key to raise. A limit that is not reported would stop requests without anyone being able to find out why.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::instant::Time;

/// A limit stands in `/v1/health` for so long after it was last reached.
const SHOWN_FOR: Duration = Duration::from_secs(300);
/// One line of the log in this time for each limit.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// A limit of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    Connections,
    ConnectionsPerAddress,
    OpenFiles,
    Requests,
    Lookups,
    Streams,
    DeliveryBytes,
    LinkGuesses,
}

impl Limit {
    /// Where it stands in `connectors.toml`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Connections => "gateway.limits.connections_max",
            Self::ConnectionsPerAddress => "gateway.limits.connections_per_address_max",
            Self::OpenFiles => "the system's limit of open files (`ulimit -n`)",
            Self::Requests => "gateway.limits.requests_max",
            Self::Lookups => "gateway.limits.lookups_max",
            Self::Streams => "gateway.limits.streams_max",
            Self::DeliveryBytes => "gateway.limits.delivery_bytes_max",
            Self::LinkGuesses => "gateway.limits.link_guesses_per_minute",
        }
    }

    fn advice(self) -> Text {
        match self {
            Self::Connections => {
                text!(
                    "network connections were closed or turned away; raise it, and the system's limit of open files with it",
                    "有网络连接被关闭或拒绝；请调高，并同时调高系统的打开文件数限制"
                )
            }
            Self::ConnectionsPerAddress => {
                text!(
                    "one address holds too many network connections; if it is a proxy of yours, name it in `gateway.proxies`",
                    "某个地址占用的网络连接过多；若它是您的代理，请写入 `gateway.proxies`"
                )
            }
            Self::OpenFiles => text!(
                "no network connection could be taken; raise it to at least twice `connections_max`",
                "无法接受新的网络连接；请调高到 `connections_max` 的两倍以上"
            ),
            Self::Requests => text!(
                "requests were turned away, those of the tenant with most of them first",
                "有请求被拒绝，请求最多的租户优先被拒"
            ),
            Self::Lookups => text!(
                "requests with unknown keys were turned away, those of the sender with most of them first",
                "使用未知密钥的请求被拒绝，发送最多者优先被拒"
            ),
            Self::Streams => text!(
                "long polls and event streams were turned away or ended early",
                "有长轮询与事件流被拒绝或提前结束"
            ),
            Self::DeliveryBytes => {
                text!("deliveries of vendors were turned away, the largest first", "有厂商的投递被拒绝，最大者优先被拒")
            }
            Self::LinkGuesses => {
                text!(
                    "one sender opened more invalid decision links than this allows; valid links are still served. If many people \
                 share one address, raise it; otherwise someone is guessing links",
                    "某个发送方打开的无效决定链接超过允许的次数；有效链接仍可使用。若多人共用一个地址，请调高；否则有人在猜测链接"
                )
            }
        }
    }

    /// The metric's label.
    fn label(self) -> &'static str {
        match self {
            Self::OpenFiles => "open_files",
            other => other.key().rsplit('.').next().unwrap_or_default(),
        }
    }
}

/// A limit that was reached a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LimitReached {
    /// Its key in `connectors.toml`.
    key: &'static str,
    /// What happened, and what to do.
    #[schema(value_type = String)]
    advice: Text,
    /// How often since the process began.
    times: u64,
    /// When it was last reached.
    last_at: Time,
}

/// Which limits were reached, and when.
#[derive(Default)]
pub(crate) struct Reached {
    /// By the tenant that made the request: a tenant is not told of another's.
    entries: Mutex<BTreeMap<(Limit, Option<TenantId>), Entry>>,
    logged: Mutex<BTreeMap<Limit, Instant>>,
}

struct Entry {
    times: u64,
    last: Instant,
    last_at_ms: i64,
}

impl Reached {
    /// Notes that a limit was reached; `tenant` is `None` where no key had been shown yet.
    pub(crate) fn note(&self, limit: Limit, tenant: Option<&TenantId>) {
        metrics::counter!("renmen_api_limit_reached_total", "limit" => limit.label()).increment(1);
        let now = Instant::now();
        {
            let mut entries = self.entries.lock();
            let fresh = || Entry { times: 0, last: now, last_at_ms: 0 };
            let entry = entries.entry((limit, tenant.cloned())).or_insert_with(fresh);
            entry.times += 1;
            entry.last = now;
            entry.last_at_ms = renmen_clock::now_ms();
        }
        let mut logged = self.logged.lock();
        if logged.get(&limit).is_none_or(|at| now.saturating_duration_since(*at) >= LOG_EVERY) {
            logged.insert(limit, now);
            tracing::warn!(limit = limit.key(), "A limit was reached: {}", limit.advice());
        }
    }

    /// What a tenant is told: the limits that were reached by its own requests or before any key was shown.
    pub(crate) fn told(&self, tenant: &TenantId) -> Vec<LimitReached> {
        let now = Instant::now();
        let entries = self.entries.lock();
        let recent = entries.iter().filter(|((_, by), entry)| {
            by.as_ref().is_none_or(|by| by == tenant) && now.saturating_duration_since(entry.last) < SHOWN_FOR
        });
        let told = recent.map(|((limit, _), entry)| LimitReached {
            key: limit.key(),
            advice: limit.advice(),
            times: entry.times,
            last_at: Time(entry.last_at_ms),
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_is_told_of_its_own_limits_and_of_those_of_the_process_for_five_minutes() {
        let (alpha, beta) = (TenantId::new("alpha").unwrap(), TenantId::new("beta").unwrap());
        let reached = Reached::default();
        assert!(reached.told(&alpha).is_empty());
        reached.note(Limit::Streams, Some(&alpha));
        reached.note(Limit::Streams, Some(&alpha));
        reached.note(Limit::Connections, None);
        let keys = |tenant| reached.told(tenant).into_iter().map(|told| (told.key, told.times)).collect::<Vec<_>>();
        let process = ("gateway.limits.connections_max", 1);
        assert_eq!(keys(&alpha), [process, ("gateway.limits.streams_max", 2)]);
        assert_eq!(keys(&beta), [process]);
        tokio::time::advance(SHOWN_FOR - Duration::from_millis(1)).await;
        assert_eq!(keys(&beta), [process]);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(keys(&alpha).is_empty());
    }
}
