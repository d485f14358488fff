//! Endless pages that break no limit and yet take all they can, which other connections must not notice. The
//! configuration says what they take.

use std::hint::black_box;

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::types::Failure;
use crate::bindings::renmen::connector::{log, seal};
use crate::{network, page};

/// About a tenth of a second.
const TURNS: u64 = 100_000_000;

pub(crate) fn pull(asked: &PullRequest) -> Result<Page, Failure> {
    let number = asked.cursor.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    match network::config(&asked.config, "beside").as_str() {
        "wait" => drop(network::get(&asked.config, "/never")?),
        "hash" => hash()?,
        "flood" => flood(asked)?,
        _ => burn(),
    }
    let record = page::record(number, b"{}");
    Ok(Page { next: Some((number + 1).to_string()), has_more: true, ..page::of(vec![record]) })
}

fn burn() {
    let mut n = 0_u64;
    for turn in 0..TURNS {
        n = black_box(n.wrapping_add(turn));
    }
}

fn hash() -> Result<(), Failure> {
    let text = vec![7; 1 << 20];
    for _ in 0..16 {
        seal::sign("signing", std::slice::from_ref(&text))?;
    }
    Ok(())
}

fn flood(asked: &PullRequest) -> Result<(), Failure> {
    for line in 0..100 {
        network::get(&asked.config, "/mebibyte")?;
        log::write(log::Level::Debug, &format!("{line}: {}", "x".repeat(2_000)));
    }
    Ok(())
}
