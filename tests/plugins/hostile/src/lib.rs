//! Misbehaves on demand: the name of the stream or of the action, or the path of the delivery, says how. It is built on the contract itself, not on the SDK, because a
//! hostile author would not use the SDK either.
//!
//! It must not hold anything that a test wants to keep secret: what it tries to leak comes from its configuration.

#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "natively there is nobody to export to"))]

mod ahead;
mod beside;
mod bindings;
mod exhaust;
mod forge;
mod leak;
mod network;
mod page;
mod push;
mod receive;
mod sealed;
mod talk;
mod weigh;

use bindings::exports::renmen::connector::probe::{Finding, Guest as Probe};
use bindings::exports::renmen::connector::source::{Guest as Source, Page, PullRequest};
use bindings::renmen::connector::types::{Failure, FailureKind};

struct Hostile;

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, unreachable_pub, reason = "the canonical ABI, generated")]
mod export {
    use super::{Hostile, bindings};

    bindings::export!(Hostile with_types_in bindings);
}

impl Source for Hostile {
    fn pull(request: PullRequest) -> Result<Page, Failure> {
        talk::hook_panics();
        match request.stream.as_str() {
            "healthy" => network::healthy(&request),
            "idle" => Ok(page::of(Vec::new())),
            "bulk" => Ok(page::bulk(1_000)),
            "loop" => exhaust::spin(),
            "memory" => exhaust::memory(),
            "memory_kept_small" => Ok(exhaust::memory_until_denied()),
            "recursion" => Ok(page::of(vec![page::record(exhaust::recursion(1), b"{}")])),
            "output_bytes" => Ok(page::heavy(1, 2 << 20)),
            "output_huge" => Ok(page::heavy(16, 4 << 20)),
            "output_records" => Ok(page::bulk(request.max_records + 1)),
            "log_chatty" => Ok(talk::chatter(500)),
            "log_flood" => Ok(talk::chatter(u32::MAX)),
            "log_long" => Ok(talk::long_line()),
            "http_flood" => network::flood(&request),
            "http_burst" => network::burst(&request, 1_000),
            "http_hoard" => network::hoard(&request),
            "heavy_at_once" => weigh::at_once(&request, "/heavy"),
            "http_one_heavy" => weigh::one(&request),
            "heavy_packed" => weigh::at_once(&request, "/heavy-packed"),
            "heavy_bodies" => weigh::bodies(&request),
            "heavy_heads" => weigh::headers(&request),
            "not_granted" => network::elsewhere(),
            "secret_in_body" => network::leak(&request),
            "secret_in_log" => Err(talk::leak(&request)),
            "seal_flood" => sealed::without_end(),
            "seal_bytes" => sealed::long(&request),
            "seal_parts" => sealed::pieces(),
            "seal_burn" => sealed::burn(&request),
            "seal_attack" => sealed::attack(),
            "leak_echo" => leak::echoed(&request),
            "leak_lines" => Ok(leak::lines_without_end()),
            "leak_methods" => Ok(leak::long_methods(&request)),
            "bad_slot" => network::bad_slot(&request),
            "panic" => talk::panics(),
            "endless_pages" => Ok(page::endless()),
            "bad_json" => Ok(page::of(vec![page::record(1, b"{\"no json")])),
            "bad_records" => Ok(page::one_bad_of_ten()),
            "rejects" => Ok(page::with_reject()),
            "slow" => network::slow(&request),
            "clock" => Ok(talk::clock()),
            "parallel" => network::parallel(&request),
            "keeps_state" => Ok(exhaust::count_calls()),
            other if other.starts_with("beside_") => beside::pull(&request),
            "forge" => forge::pull(&request),
            other => match (other.strip_prefix("leak_"), other.strip_prefix("ahead_")) {
                (Some(way), _) => leak::pull(&request, way),
                (None, Some(way)) => ahead::pull(&request, way),
                (None, None) => Err(page::failure(FailureKind::InvalidInput, &format!("there is no stream `{other}`"))),
            },
        }
    }
}

impl Probe for Hostile {
    fn check(config: Vec<u8>) -> Result<Vec<Finding>, Failure> {
        let name = "configuration".to_owned();
        let finding = Finding { name, ok: true, message: format!("{} bytes\nsecond line", config.len()) };
        let leak = network::config(&config, "leak");
        if leak.is_empty() {
            return Ok(vec![finding]);
        }
        Ok(vec![finding, Finding { name: leak.clone(), ok: true, message: format!("found {leak}") }])
    }
}
