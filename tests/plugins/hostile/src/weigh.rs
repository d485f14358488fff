//! Makes the host hold as much as it allows: large answers at once, compressed ones, and requests that are kept with
//! their answers.

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::http::{self, Request};
use crate::bindings::renmen::connector::types::Failure;
use crate::network::request;
use crate::page;

/// Requests of one hoard.
const REQUESTS: usize = 60;
/// Bytes of a heavy request.
const HEAVY: usize = 1 << 20;

/// All at once.
pub(crate) fn at_once(asked: &PullRequest, path: &str) -> Result<Page, Failure> {
    let requests: Vec<Request> = (0..REQUESTS).map(|_| request(&asked.config, path)).collect();
    let answers = http::send_all(&requests).into_iter().filter(Result::is_ok).count();
    Ok(page::of(vec![page::record(answers as u64, b"{}")]))
}

/// Only one, and its length.
pub(crate) fn one(asked: &PullRequest) -> Result<Page, Failure> {
    let answer = http::send(&request(&asked.config, "/heavy"))?;
    Ok(page::of(vec![page::record(answer.body.len() as u64, b"{}")]))
}

/// One after the other, each with a heavy body; the answers are small.
pub(crate) fn bodies(asked: &PullRequest) -> Result<Page, Failure> {
    for _ in 0..REQUESTS {
        let body = Some(vec![b'b'; HEAVY]);
        http::send(&Request { method: "POST".to_owned(), body, ..request(&asked.config, "/ten") })?;
    }
    Ok(page::of(Vec::new()))
}

/// One after the other, each with a heavy header.
pub(crate) fn headers(asked: &PullRequest) -> Result<Page, Failure> {
    for _ in 0..REQUESTS {
        let mut heavy = request(&asked.config, "/ten");
        heavy.url.push('?');
        heavy.url.push_str(&"u".repeat(HEAVY / 64));
        for _ in 0..31 {
            heavy.headers.push(crate::bindings::renmen::connector::types::Header {
                name: "x-heavy".to_owned(),
                value: "h".repeat(HEAVY / 32),
            });
        }
        http::send(&heavy)?;
    }
    Ok(page::of(Vec::new()))
}
