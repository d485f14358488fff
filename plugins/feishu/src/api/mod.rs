//! The vendor's API: requests, the envelope `{code, msg, data}`, page tokens, and what its errors mean.

pub(crate) mod approval;
pub(crate) mod attendance;
pub(crate) mod corehr;
mod error;
pub(crate) mod external;
pub(crate) mod hire;
pub(crate) mod loose;
pub(crate) mod record;
pub(crate) mod text;

pub(crate) use error::is_gone;

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::Token;
use renmen_plugin::{Failure, FailureKind};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::Config;

/// The slot of the app.
const APP: &str = "app";

/// A request below the configured origin with the app's token.
pub(crate) fn request(config: &Config, method: &str, path: &str) -> Request {
    Request::new(method, format!("{}{path}", config.base_url.trim_end_matches('/'))).slot(APP)
}

pub(crate) fn get(config: &Config, path: &str) -> Request {
    request(config, "GET", path)
}

/// Sends and takes the answer if its code is 0.
///
/// # Errors
/// What the answer's code means.
pub(crate) fn ask(request: Request) -> Result<Response, Failure> {
    accept(request.send()?)
}

/// The response, if it is a good one.
///
/// # Errors
/// What the answer's code means.
pub(crate) fn accept(response: Response) -> Result<Response, Failure> {
    match error::of(&response) {
        None => response.ok(),
        Some(failure) => Err(failure),
    }
}

/// Writes, and takes `data` of the answer. What the vendor refuses here is the action's input, not its own shape.
///
/// # Errors
/// What the answer's code means.
pub(crate) fn write<T: DeserializeOwned>(
    config: &Config,
    method: &str,
    path: &str,
    query: &[(&str, &str)],
    body: &impl Serialize,
) -> Result<T, Failure> {
    let mut request = request(config, method, path).json(body);
    for (name, value) in query {
        request = request.query(name, value);
    }
    let response = ask(request).map_err(|failure| match failure.kind {
        FailureKind::UpstreamChanged if failure.code.is_some() => {
            Failure { kind: FailureKind::InvalidInput, ..failure }
        }
        _ => failure,
    })?;
    data(&response)
}

/// `data` of an answer.
///
/// # Errors
/// `UpstreamChanged` when it is not of that shape.
pub(crate) fn data<T: DeserializeOwned>(response: &Response) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Answer<T> {
        data: T,
    }
    Ok(response.json::<Answer<T>>()?.data)
}

/// What an answer says about a list, apart from its items.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The vendor leaves an empty list out, and sometimes `data` with it.
    pub(crate) has_items: bool,
    /// Where to go on.
    pub(crate) next: Option<String>,
}

impl Listing {
    /// Names the request for the next page, so that it is fetched while this one is read.
    pub(crate) fn prefetch(&self, list: impl FnOnce(Option<&str>) -> Request) {
        if self.next.is_some() {
            list(self.next.as_deref()).prefetch();
        }
    }
}

/// Reads everything except the items.
///
/// # Errors
/// `UpstreamChanged` for a list that goes on without saying where.
pub(crate) fn listing(response: &Response) -> Result<Listing, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        data: Option<Data>,
    }
    #[derive(Deserialize)]
    struct Data {
        items: Option<IgnoredAny>,
        has_more: Option<bool>,
        #[serde(default)]
        page_token: Token,
    }
    let Some(data) = response.json::<Answer>()?.data else {
        return Ok(Listing { has_items: false, next: None });
    };
    let next = data.page_token.if_more(data.has_more == Some(true))?;
    Ok(Listing { has_items: data.items.is_some(), next: next.text() })
}

/// Every item of a list that is short by nature, over at most `pages_max` pages.
///
/// # Errors
/// The vendor's, and a list that is not short.
pub(crate) fn all<T: DeserializeOwned>(
    pages_max: usize,
    mut page: impl FnMut(Option<&str>) -> Request,
) -> Result<Vec<T>, Failure> {
    #[derive(Deserialize)]
    #[serde(bound = "T: DeserializeOwned")]
    struct Items<T> {
        #[serde(default = "Vec::new")]
        items: Vec<T>,
    }
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..pages_max {
        let response = ask(page(token.as_deref()))?;
        let listing = listing(&response)?;
        if listing.has_items {
            found.extend(data::<Items<T>>(&response)?.items);
        }
        token = listing.next;
        if token.is_none() {
            return Ok(found);
        }
    }
    Err(Failure::upstream_changed(format!("a list that should be short goes on after {pages_max} pages")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(body: &str) -> Response {
        Response::from_parts(200, Vec::new(), body.as_bytes().to_vec())
    }

    #[test]
    fn a_list_may_be_left_out_when_it_is_empty() {
        let none = Listing { has_items: false, next: None };
        for body in [r#"{"code":0}"#, r#"{"code":0,"data":null}"#, r#"{"code":0,"data":{"has_more":false}}"#] {
            assert_eq!(listing(&answer(body)).unwrap(), none, "{body}");
        }
        let page = listing(&answer(r#"{"data":{"items":[1],"has_more":true,"page_token":"t"}}"#)).unwrap();
        assert_eq!(page, Listing { has_items: true, next: Some("t".into()) });
        let last = listing(&answer(r#"{"data":{"items":[],"has_more":false,"page_token":"t"}}"#)).unwrap();
        assert_eq!(last, Listing { has_items: true, next: None }, "a token after the end is not followed");
    }

    #[test]
    fn a_list_that_goes_on_without_saying_where_is_a_fault_and_no_end() {
        for body in [r#"{"data":{"has_more":true}}"#, r#"{"data":{"has_more":true,"page_token":""}}"#] {
            assert_eq!(listing(&answer(body)).unwrap_err().kind, FailureKind::UpstreamChanged);
        }
    }
}
