//! One page of a collection: the request, the protocol's errors, and the cursor.

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::Since;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull};
use serde::Deserialize;

use crate::vendor::Problem;
use crate::{Config, collection};

/// The protocol's largest page.
const LIMIT_MAX: u32 = 500;
/// Ids in one request.
const IDS_MAX: usize = 50;

/// Pulls one page of the collection that the stream is named after; with `only` just those objects.
pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !collection::NAMES.contains(&pull.stream.as_str()) {
        return Err(pull.unknown_stream());
    }
    if pull.only.is_empty() { page(config, pull) } else { named(config, pull) }
}

fn page(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut since = Since::resume_within(pull.cursor.as_deref(), config.window())?;
    let list = |since: &Since| {
        Request::get(config.url(&pull.stream))
            .query("limit", pull.max_records.clamp(1, LIMIT_MAX))
            .query_some("modified_since", since.from())
            .query_some("cursor", since.page())
            .slot("key")
    };
    let response = accept(list(&since).send()?, &pull.stream)?;
    since.prefetch(&response, ("/data", "/next_cursor"), Modified::time, list);
    let mut page = Page::new();
    let mut wanted = |modified: &str, at_ms: i64, id: &str| since.is_new(modified, at_ms, id);
    let taken = collection::take(config, &mut page, (&pull.stream, "/data"), &response, &mut wanted);
    let next = taken.ok_or_else(|| pull.unknown_stream())??;
    since.finish(page, next)
}

/// An object as far as its time.
#[derive(Deserialize)]
struct Modified {
    modified_at: String,
}

impl Modified {
    fn time(&self) -> Option<(String, i64)> {
        Some((self.modified_at.clone(), Instant::parse(&self.modified_at).ok()?.epoch_ms()))
    }
}

/// Objects by their ids, without touching the cursor.
fn named(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    for ids in pull.only.chunks(IDS_MAX) {
        let request = Request::get(config.url(&pull.stream)).query("ids", ids.join(",")).slot("key");
        let response = accept(request.send()?, &pull.stream)?;
        let mut all = |_: &str, _: i64, _: &str| true;
        let taken = collection::take(config, &mut page, (&pull.stream, "/data"), &response, &mut all);
        taken.ok_or_else(|| pull.unknown_stream())??;
    }
    page.next.clone_from(&pull.cursor);
    Ok(page)
}

/// The response, or what the protocol says about its error.
pub(crate) fn accept(response: Response, collection: &str) -> Result<Response, Failure> {
    #[derive(Deserialize)]
    struct Body {
        error: Problem,
    }
    let code = match response.status() {
        200..=299 => return Ok(response),
        _ => response.json::<Body>().map(|body| body.error.code).ok(),
    };
    let failure = match (response.status(), code.as_deref()) {
        (404, _) => Failure::bad_config(format!("the vendor does not offer `{collection}`: switch the stream off")),
        (410, _) => {
            Failure::upstream_unavailable("the vendor's page cursor expired: the next run begins at the last time read")
        }
        (400, _) => {
            Failure::upstream_changed("the vendor refuses the request as wrong (400): does it serve version 1?")
        }
        _ => match response.ok() {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        },
    };
    Err(match code {
        Some(code) => failure.with_code(code),
        None => failure,
    })
}
