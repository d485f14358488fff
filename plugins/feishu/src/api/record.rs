//! One object that was asked for by its id, as records of a page.

use std::collections::BTreeMap;

use renmen_plugin::http::Response;
use renmen_plugin::page::Origin;
use renmen_plugin::schema::Entity;
use renmen_plugin::{Failure, FailureKind, Page, Unfit, locate};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Adds what `push` makes of `data.<member>` to the page; what it cannot be made of becomes a reject of entity `E` under that
/// id. False: the answer has no such member.
///
/// # Errors
/// A body that is not JSON of this form.
pub(crate) fn one<'a, E: Entity, T: Deserialize<'a>>(
    page: &mut Page,
    response: &'a Response,
    member: &str,
    id: &str,
    push: impl FnOnce(&mut Page, Origin<'_>, T) -> Result<(), Unfit>,
) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow, default)]
        data: Option<BTreeMap<String, &'a RawValue>>,
    }
    let data = response.json::<Answer<'a>>()?.data.unwrap_or_default();
    let Some(raw) = data.get(member).copied().filter(|raw| raw.get() != "null") else { return Ok(false) };
    let pointer = format!("/data/{member}");
    let origin = Origin { exchange: response.exchange(), pointer: &pointer };
    let start = page.records.len();
    let parsed = locate::parse::<T>(raw.get().as_bytes()).map_err(Unfit::new);
    if let Err(unfit) = parsed.and_then(|parsed| push(page, origin, parsed)) {
        page.records.truncate(start);
        page.reject::<E>(origin, Some(id.to_owned()), unfit.reason, raw.get());
    }
    Ok(true)
}

/// Takes an answer for one id of several: a record that is gone is told as such, and an id that the vendor does not take is
/// set aside, so that neither spoils the others.
///
/// # Errors
/// What would happen to every other id as well.
pub(crate) fn answer_for<E: Entity>(
    page: &mut Page,
    id: &str,
    answer: Result<Response, Failure>,
) -> Result<Option<Response>, Failure> {
    let response = answer?;
    let origin = Origin { exchange: response.exchange(), pointer: "" };
    if super::is_gone(&response) {
        page.push_deleted::<E>(origin, id, None);
        return Ok(None);
    }
    let (exchange, body) = (response.exchange(), response.body().to_vec());
    match super::accept(response) {
        Ok(response) => Ok(Some(response)),
        Err(failure) if failure.kind == FailureKind::UpstreamChanged && failure.code.is_some() => {
            let origin = Origin { exchange, pointer: "" };
            page.reject::<E>(origin, Some(id.to_owned()), failure.to_string(), body);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
