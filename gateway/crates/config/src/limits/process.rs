//! `[gateway.limits]`: what the process accepts from outside, regardless of the sender. Its own file, because these belong to no
//! connection: they apply before the sender of a request is known.

use std::time::Duration;

use super::read::{bytes, count, duration};
use super::table::LimitSpec;
use crate::section::Section;

limits! {
    /// What the API takes from outside. Each field is a key under `[gateway.limits]`; see [`GATEWAY_LIMITS`](super::GATEWAY_LIMITS).
    GatewayLimits;

    /// Concurrent network connections; a further one replaces one that the gateway is waiting for, or is refused.
    connections_max: u32 = count(1_024, 8, 65_536);
    /// Concurrent network connections from one address (the first 64 bits of IPv6); this machine and `gateway.proxies` are exempt.
    connections_per_address_max: u32 = count(128, 1, 65_536);
    /// Time for the head of a request, from its first byte to its last.
    head_timeout: Duration = duration(Duration::from_secs(10), Duration::from_millis(50), Duration::from_secs(300));
    /// Time between a response and the next request on the same network connection.
    idle_timeout: Duration = duration(Duration::from_secs(60), Duration::from_millis(50), Duration::from_secs(3_600));
    /// Time that a client may leave a response unread.
    write_timeout: Duration = duration(Duration::from_secs(30), Duration::from_millis(50), Duration::from_secs(3_600));
    /// Headers of one request.
    headers_max: u32 = count(100, 16, 1_000);
    /// Bytes of the head of one request, its first line included.
    head_bytes_max: u64 = bytes(32 << 10, 8 << 10, 1 << 20);
    /// Bytes of a path with its query.
    uri_bytes_max: u64 = bytes(8 << 10, 256, 64 << 10);
    /// Bytes of the body of a request to the API.
    body_bytes_max: u64 = bytes(64 << 10, 1 << 10, 16 << 20);
    /// Time of one request; long polls and event streams have their own limits.
    request_deadline: Duration = duration(Duration::from_secs(5), Duration::from_millis(100), Duration::from_secs(300));
    /// Concurrent requests, shared fairly by tenant and key.
    requests_max: u32 = count(256, 1, 65_536);
    /// Concurrent look-ups of keys and screen tokens in the store, shared fairly by sender; recently valid keys need no look-up.
    lookups_max: u32 = count(32, 1, 4_096);
    /// Bytes of vendors' deliveries held at once, shared fairly by connection and sender.
    delivery_bytes_max: u64 = bytes(64 << 20, 1 << 20, 16 << 30);
    /// Invalid decision links that one sender may open per minute; further ones are answered with 429, and valid ones do not count.
    link_guesses_per_minute: u32 = count(30, 1, 1_000_000);
    /// Concurrent long polls and event streams, shared fairly by tenant and key.
    streams_max: u32 = count(64, 1, 65_536);
    /// Bytes of recent changes that the event streams of one tenant share in memory; a reader that is further behind reads the store.
    change_ring_bytes_max: u64 = bytes(4 << 20, 64 << 10, 1 << 30);
    /// Longest wait of a long poll; a client may ask for at most 60 seconds.
    wait_max: Duration = duration(Duration::from_secs(60), Duration::from_secs(1), Duration::from_secs(60));
    /// Time after which an event stream is closed; its reader reconnects and resumes.
    stream_life_max: Duration = duration(Duration::from_secs(900), Duration::from_secs(1), Duration::from_secs(86_400));
    /// Time between heartbeats on an idle event stream.
    heartbeat: Duration = duration(Duration::from_secs(15), Duration::from_millis(100), Duration::from_secs(600));
    /// Bytes of one page of records.
    page_bytes_max: u64 = bytes(8 << 20, 64 << 10, 256 << 20);
    /// Bytes shown of a recorded body, for the request and the response each.
    exchange_body_bytes_max: u64 = bytes(1 << 20, 1 << 10, 64 << 20);
    /// References of the records of one response that are looked up, with `expand` or `include=references`; records with more say so.
    references_max: u32 = count(2_000, 1, 20_000);
    /// Revisions shown with a record.
    revisions_max: u32 = count(100, 1, 10_000);
    /// Time that a key is cached: a revoked key may still work that long.
    key_cache_life: Duration = duration(Duration::from_secs(5), Duration::ZERO, Duration::from_secs(300));
    /// Time that the response to a request with an `Idempotency-Key` is kept: repeating the request returns the same response that long.
    idempotency_life: Duration = duration(Duration::from_secs(86_400), Duration::from_secs(60), Duration::from_secs(31 * 86_400));
    /// Interval at which the time of last use of keys is recorded.
    key_use_every: Duration = duration(Duration::from_secs(60), Duration::from_millis(100), Duration::from_secs(3_600));
    /// Time for requests in progress to finish after a stop was requested.
    shutdown_grace: Duration = duration(Duration::from_secs(10), Duration::ZERO, Duration::from_secs(600));
}
