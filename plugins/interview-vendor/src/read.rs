//! One page of a collection: the request, the protocol's errors, and the cursor.

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::Since;
use renmen_plugin::schema::Entity;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull, Unfit};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Config;
use crate::vendor::{Object, Problem};

/// The protocol's largest page.
const LIMIT_MAX: u32 = 500;

/// Pulls one page of the collection that the stream is named after.
pub(crate) fn collection<T, E>(config: &Config, pull: &Pull, map: fn(&T) -> Result<E, Unfit>) -> Result<Page, Failure>
where
    T: DeserializeOwned,
    E: Entity,
{
    let mut since = Since::resume(pull.cursor.as_deref())?;
    let url = format!("{}/{}", config.base_url.trim_end_matches('/'), pull.stream);
    let request = Request::get(url)
        .query("limit", pull.max_records.clamp(1, LIMIT_MAX))
        .query_some("modified_since", since.from())
        .query_some("cursor", since.page())
        .slot("key");
    let response = accept(request.send()?, &pull.stream)?;
    let mut page = Page::new();
    let rest = page.map_items::<E, Object<T>>(&response, "/data", |object, item| {
        item.is_about(object.id.as_str());
        let modified = Instant::parse(&object.modified_at).map_err(|e| Unfit::field("modified_at", e))?;
        let at_ms = modified.epoch_ms();
        // Twice when a page is read item by item: noting an object again changes nothing.
        if !since.is_new(&object.modified_at, at_ms, &object.id) {
            return Ok(());
        }
        if object.deleted {
            item.push_deleted::<E>(object.id, Some(at_ms));
            return Ok(());
        }
        let body = object.body.ok_or_else(|| Unfit::new("the object has no members beside its id"))?;
        item.push(object.id, Some(at_ms), &map(&body)?)
    })?;
    let next: Option<String> = rest.get("/next_cursor")?;
    Ok(since.finish(page, next))
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
