//! Records that are asked for by id, one request each: what an event told about. What the vendor no longer has is gone.

use renmen_plugin::http::{Request, Response, send_all};
use renmen_plugin::page::Origin;
use renmen_plugin::schema::Entity;
use renmen_plugin::{Failure, Page, Unfit};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::api;

/// Reads each id with its request, and maps what is found under `result`.
pub(super) fn each<E: Entity, T: DeserializeOwned>(
    ids: &[String],
    request: impl Fn(&str) -> Request,
    map: impl Fn(&T) -> Result<E, Unfit>,
) -> Result<Page, Failure> {
    let mut page = Page::new();
    for (id, answer) in ids.iter().zip(send_all(ids.iter().map(|id| request(id)).collect())) {
        let (response, there) = api::one_of_old(answer?)?;
        if there {
            add(&mut page, &response, id, &map)?;
        } else {
            page.push_deleted::<E>(Origin { exchange: response.exchange(), pointer: "" }, id.as_str(), None);
        }
    }
    Ok(page)
}

/// Adds the one record of a response, or its reject.
///
/// # Errors
/// An answer that is cut, or in which there is no `result`: that is the vendor's trouble and not the record's.
pub(super) fn add<E: Entity, T: DeserializeOwned>(
    page: &mut Page,
    response: &Response,
    id: &str,
    map: impl Fn(&T) -> Result<E, Unfit>,
) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    let origin = Origin { exchange: response.exchange(), pointer: "/result" };
    let found = response.json::<Answer<'_>>()?.result.get().as_bytes();
    let parsed = renmen_plugin::locate::parse::<T>(found).map_err(Unfit::new);
    let mapped = parsed.and_then(|found| map(&found));
    if let Err(unfit) = mapped.and_then(|entity| page.push(origin, id, None, &entity)) {
        page.reject::<E>(origin, Some(id.to_owned()), unfit.reason, found);
    }
    Ok(())
}
