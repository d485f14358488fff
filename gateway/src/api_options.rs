//! Turns `[gateway]` and `[gateway.limits]` into the API's options, and finds out how many files the system lets this
//! process open.

use renmen_api::{ApiOptions, MetricsAccess};
use renmen_config::{Config, show_bytes};
use renmen_schema::text;

use crate::exit::Usage;

/// The API's network connections may use one in so many of the files that this process may open: the store, the vendors
/// and the plugins need the rest, however many clients connect.
const SHARE_OF_FILES: u64 = 2;

/// What a delivery counts for besides its body, with a margin.
const DELIVERY_HEAD_BYTES: u64 = 64 << 10;

/// The API's options.
pub(crate) fn of(config: &Config) -> anyhow::Result<ApiOptions> {
    let gateway = &config.gateway;
    let limits = &gateway.limits;
    check_deliveries(config)?;
    Ok(ApiOptions {
        connections_max: connections_max(limits.connections_max, files_max()),
        connections_per_address_max: limits.connections_per_address_max as usize,
        proxies: gateway.proxies.clone(),
        head_timeout: limits.head_timeout,
        idle_timeout: limits.idle_timeout,
        write_timeout: limits.write_timeout,
        headers_max: limits.headers_max as usize,
        head_bytes_max: usize::try_from(limits.head_bytes_max)?,
        body_bytes_max: usize::try_from(limits.body_bytes_max)?,
        uri_bytes_max: usize::try_from(limits.uri_bytes_max)?,
        deadline: limits.request_deadline,
        requests_max: limits.requests_max as usize,
        lookups_max: limits.lookups_max as usize,
        delivery_bytes_max: usize::try_from(limits.delivery_bytes_max)?,
        link_guesses_per_minute: limits.link_guesses_per_minute,
        streams_max: limits.streams_max as usize,
        change_ring_bytes_max: usize::try_from(limits.change_ring_bytes_max)?,
        wait_max: limits.wait_max,
        stream_life_max: limits.stream_life_max,
        heartbeat: limits.heartbeat,
        exchange_body_bytes_max: usize::try_from(limits.exchange_body_bytes_max)?,
        page_bytes_max: usize::try_from(limits.page_bytes_max)?,
        references_max: limits.references_max as usize,
        revisions_max: limits.revisions_max,
        key_cache_life: limits.key_cache_life,
        idempotency_life: limits.idempotency_life,
        key_use_every: limits.key_use_every,
        metrics: match gateway.metrics {
            renmen_config::MetricsAccess::Key => MetricsAccess::Key,
            renmen_config::MetricsAccess::Loopback => MetricsAccess::Loopback,
            renmen_config::MetricsAccess::Off => MetricsAccess::Off,
        },
        shutdown_grace: limits.shutdown_grace,
    })
}

/// A delivery that can never be held would be turned away again and again, and no one would know why.
fn check_deliveries(config: &Config) -> Result<(), Usage> {
    let max = config.gateway.limits.delivery_bytes_max;
    let largest = config.connections.iter().max_by_key(|(_, connection)| connection.limits.webhook_bytes_max);
    let Some((name, connection)) = largest else { return Ok(()) };
    let least = connection.limits.webhook_bytes_max.saturating_add(DELIVERY_HEAD_BYTES);
    if max >= least {
        return Ok(());
    }
    Err(Usage(text!(
        "`gateway.limits.delivery_bytes_max` is {}, so that a delivery of {} to connection `{name}` could never be held: raise \
         it to at least {}, or lower the connection's `webhook_bytes_max`",
        "`gateway.limits.delivery_bytes_max` 为 {}，发往连接 `{name}` 的 {} 投递永远无法保存：请调高到至少 {}，或调低该连接的 `webhook_bytes_max`",
        show_bytes(max),
        show_bytes(connection.limits.webhook_bytes_max),
        show_bytes(least),
    )))
}

/// As many as were asked for, or as the system has files for. The latter is logged, because no one wrote that number
/// down.
fn connections_max(asked: u32, files: Option<u64>) -> usize {
    let share = files.map_or(u64::from(asked), |files| (files / SHARE_OF_FILES).max(1));
    if share < u64::from(asked) {
        tracing::warn!(
            connections_max = share,
            asked,
            open_files = files,
            "The system lets this process open too few files for `gateway.limits.connections_max`: raise `ulimit -n` \
             (LimitNOFILE= in systemd) to twice that number, or lower the key"
        );
    }
    usize::try_from(share.min(u64::from(asked))).unwrap_or(usize::MAX)
}

/// How many files this process may open. The soft limit is raised to the hard one first: it is kept low for programs
/// that use `select`, and this one does not. `None`: unknown, or unlimited.
fn files_max() -> Option<u64> {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    let most = if raised { hard } else { soft };
    (most != RLIM_INFINITY).then_some(most)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use renmen_config::LoadOptions;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Config> {
        let options = LoadOptions { dev: true, env: &|_| None };
        Ok(Config::parse(text, Path::new("/connectors.toml"), options)?)
    }

    #[test]
    fn the_defaults_of_the_file_and_of_the_api_are_the_same() -> anyhow::Result<()> {
        let api = ApiOptions::default();
        let config = read("")?;
        assert_eq!(config.gateway.limits.connections_max as usize, api.connections_max);
        let made = ApiOptions { connections_max: api.connections_max, ..of(&config)? };
        assert_eq!(format!("{made:?}"), format!("{api:?}"));
        Ok(())
    }

    #[test]
    fn every_delivery_that_a_connection_takes_can_be_held() -> anyhow::Result<()> {
        let with = |max: &str| {
            read(&format!(
                "[gateway.limits]\ndelivery_bytes_max = \"{max}\"\n[connections.people]\nplugin = \"p.wasm\"\n\
                 limits.webhook_bytes_max = \"8MiB\"\n"
            ))
        };
        assert!(of(&with("9MiB")?).is_ok());
        let refused = of(&with("8MiB")?).map(|_| ()).expect_err("8 MiB with its head does not fit").to_string();
        assert!(
            refused.contains("`gateway.limits.delivery_bytes_max` is 8MiB") && refused.contains("people"),
            "{refused}"
        );
        Ok(())
    }

    #[test]
    fn connections_leave_half_of_the_files_to_the_rest() {
        assert_eq!(connections_max(1024, Some(200)), 100);
        assert_eq!(connections_max(1024, Some(2048)), 1024);
        assert_eq!(connections_max(1024, Some(2047)), 1023);
        assert_eq!(connections_max(1024, None), 1024);
        assert_eq!(connections_max(1024, Some(1)), 1);
    }
}
