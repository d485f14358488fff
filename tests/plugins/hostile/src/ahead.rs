//! Requests that are named before they are sent: the next one, and all that may not be named.

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::http::{self, Request};
use crate::bindings::renmen::connector::types::{Envelope, Failure};
use crate::network::{config, request};
use crate::page;

/// A page of one record that holds the answer; page after page, without end.
pub(crate) fn pull(asked: &PullRequest, way: &str) -> Result<Page, Failure> {
    let number = asked.cursor.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    let numbered = |number: u64| request(&asked.config, &format!("/page-{number}"));
    let response = http::send(&numbered(number))?;
    let next = numbered(number + 1);
    match way {
        "next" => http::prefetch(&next),
        "elsewhere" => http::prefetch(&Request { url: "https://elsewhere.example/collect".to_owned(), ..next }),
        "post" => http::prefetch(&Request { method: "POST".to_owned(), ..next }),
        "secret" => {
            let url = format!("{}?q={}", next.url, config(&asked.config, "canary"));
            http::prefetch(&Request { url, ..next });
        }
        "bad_slot" => http::prefetch(&Request { slot: Some("../key".to_owned()), ..next }),
        "twice" => [next, numbered(number + 2)].iter().for_each(http::prefetch),
        "other" => http::prefetch(&request(&asked.config, &format!("/other-{number}"))),
        "heavy" => http::prefetch(&request(&asked.config, "/heavy")),
        "silent" => http::prefetch(&request(&asked.config, "/never")),
        "flood" => loop {
            http::prefetch(&next);
        },
        _ => {}
    }
    let record = Envelope { exchange: response.exchange, ..page::record(number, &response.body) };
    Ok(Page { next: Some((number + 1).to_string()), has_more: true, ..page::of(vec![record]) })
}
