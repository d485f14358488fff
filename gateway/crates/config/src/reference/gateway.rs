//! `[gateway]`: where the gateway listens, keeps its data and how connections share it.

use super::ValueKind::{Bytes, Count, Duration, Flag, Name, OneOf, Path, Table, Text, Texts};
use super::{KeySpec, SectionSpec, key, limit_keys, section};

const KEYS: [KeySpec; 19] = [
    key("listen", Text, "\"127.0.0.1:7300\"", "\"127.0.0.1:8080\"", "IP address and port of the API."),
    key(
        "allow_plaintext",
        Flag,
        "false",
        "true",
        "Allows `listen` to be an address that other machines can reach. The API speaks HTTP without TLS, so keys and records cross that network unencrypted.",
    ),
    key(
        "public_url",
        Text,
        "",
        "\"https://renmen.example.com\"",
        "Public address of the gateway behind its proxy, with which decision links start. Without it there are no decision links.",
    ),
    key(
        "proxies",
        Texts,
        "[]",
        "[\"127.0.0.1\", \"10.0.0.0/8\"]",
        "Addresses or ranges of trusted proxies, whose `X-Forwarded-For` header is used.",
    ),
    key(
        "metrics",
        OneOf(&["key", "loopback", "off"]),
        "\"key\"",
        "\"off\"",
        "Access to `/metrics`: with an owner key, also any program on this machine, or disabled.",
    ),
    key(
        "data_dir",
        Path,
        "\".renmen\"",
        "\"/var/lib/renmen\"",
        "Directory of the database, spool and caches; created with mode 0700.",
    ),
    key(
        "data_dir_parents",
        OneOf(&["check", "trust"]),
        "\"check\"",
        "\"trust\"",
        "`check` refuses a data directory that another user could replace through a parent directory; `trust` skips that check.",
    ),
    key(
        "cache_dir",
        Path,
        "(`cache` in `data_dir`)",
        "\"/var/cache/renmen\"",
        "Directory of compiled plugins; may be deleted at any time.",
    ),
    key(
        "tenant",
        Name,
        "\"default\"",
        "\"acme\"",
        "Default tenant for connections, channels, endpoints and flows that set none.",
    ),
    key(
        "shutdown_wait",
        Duration,
        "\"30s\"",
        "\"1m\"",
        "Time for pages in progress to finish after a stop was requested.",
    ),
    key(
        "lease",
        Duration,
        "\"12s\"",
        "\"30s\"",
        "With several gateways on PostgreSQL: time without a sign of life after which another gateway takes over the streams of one that ended. A gateway shows four signs in this time, and one that is started again takes its own streams back at once.",
    ),
    key(
        "spool_age_max",
        Duration,
        "\"1h\"",
        "\"30m\"",
        "Age up to which a fetched but uncommitted page is reused after a crash.",
    ),
    key(
        "keep_exchanges",
        Flag,
        "true",
        "false",
        "Whether exchanges with vendors are recorded. Without them there is no replay, and lineage does not reach the vendor's bytes.",
    ),
    key(
        "inbox_age",
        Duration,
        "\"7d\"",
        "\"14d\"",
        "How long a vendor's delivery is remembered, so that a repetition has no effect. It must be longer than vendors retry.",
    ),
    key(
        "plugin_threads",
        Count,
        "0",
        "4",
        "Plugins that execute at the same time; 0 is one less than the number of cores, at least one.",
    ),
    key(
        "parallel_calls",
        Count,
        "64",
        "128",
        "Plugin calls in progress, including those that wait for a vendor. One connection gets up to a quarter.",
    ),
    key("parallel_runs", Count, "16", "8", "Runs in progress. One connection gets up to a quarter."),
    key("run_turn", Duration, "\"5s\"", "\"10s\"", "How long a run may keep its place while others wait for one."),
    key(
        "memory_bytes_max",
        Bytes,
        "(half of the memory of the machine or container, at most 1GiB)",
        "\"512MiB\"",
        "Memory that all plugin calls together may hold, in the plugins and for them.",
    ),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    let mut gateway = section(
        "gateway",
        "gateway",
        "",
        "The process: where it listens, where its data is, how connections share it.",
        &KEYS,
    );
    gateway.keys.push(key(
        "limits",
        Table("gateway.limits"),
        "",
        "{ requests_max = 512 }",
        "Limits on what the API accepts; see [limits.md](limits.md) for ranges.",
    ));
    let mut limits = section(
        "gateway.limits",
        "gateway.limits",
        "gateway",
        "Limits on what the API accepts. Ranges: [limits.md](limits.md).",
        &[],
    );
    limits.keys = limit_keys(&crate::GATEWAY_LIMITS);
    vec![gateway, limits]
}
