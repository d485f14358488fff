//! Offers. The vendor lists them by candidate alone, so applications that changed are asked for theirs. Cursors are those of
//! applications: an offer that changes while its application does not is told by an event.

use renmen_plugin::schema::entity::Offer;
use renmen_plugin::{Failure, Page, Pull};
use serde::Deserialize;

use super::applications::{SIZE_MAX, ids};
use super::{each, size};
use crate::api::record::{answer_for, one};
use crate::api::{accept, data, get, hire, is_gone};
use crate::changed::Changed;
use crate::{Config, map};

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        for (id, answer) in
            each(&pull.only, |id| to(config, &format!("/open-apis/hire/v1/offers/{}", hire::segment(id))))
        {
            let Some(response) = answer_for::<Offer>(&mut page, id, answer)? else { continue };
            add(&mut page, &response, id)?;
        }
        return Ok(page);
    }
    let mut changed = Changed::resume(pull.cursor.as_deref())?;
    // Two requests for each: when it changed, and its offer.
    let (ids, next) = ids(config, &changed, size(pull.max_records, 1, SIZE_MAX))?;
    let mut there = Vec::with_capacity(ids.len());
    for (id, answer) in each(&ids, |id| hire::application(config, id)) {
        let response = answer?;
        // Taken away since it was listed: the stream of applications is where that is told.
        if !is_gone(&response) {
            changed.saw(modified(&accept(response)?)?);
            there.push(id.to_owned());
        }
    }
    for (id, answer) in each(&there, |id| to(config, &format!("{}/offer", hire::application_path(id)))) {
        let response = answer?;
        if !is_gone(&response) {
            add(&mut page, &accept(response)?, id)?;
        }
    }
    changed.finish(page, next)
}

fn to(config: &Config, path: &str) -> renmen_plugin::http::Request {
    get(config, path).query(hire::USER_IDS.0, hire::USER_IDS.1).query(hire::DEPARTMENT_IDS.0, hire::DEPARTMENT_IDS.1)
}

fn modified(response: &renmen_plugin::http::Response) -> Result<Option<i64>, Failure> {
    #[derive(Deserialize)]
    struct Data {
        application: Time,
    }
    #[derive(Deserialize)]
    struct Time {
        #[serde(default, deserialize_with = "crate::api::loose::whole")]
        modify_time: Option<i64>,
    }
    Ok(data::<Data>(response)?.application.modify_time)
}

/// Most applications have no offer; then the answer has none.
fn add(page: &mut Page, response: &renmen_plugin::http::Response, id: &str) -> Result<(), Failure> {
    one::<Offer, hire::Offer>(page, response, "offer", id, |page, origin, offer| {
        page.push(origin, offer.id.clone(), None, &map::offer(&offer)?)
    })?;
    Ok(())
}
