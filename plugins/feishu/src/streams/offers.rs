//! Offers. The vendor lists them by candidate alone, so applications that changed are asked for theirs. Cursors are those of
//! applications: an offer that changes while its application does not is told by an event.

use renmen_plugin::schema::code::OutcomeReason;
use renmen_plugin::schema::entity::Offer;
use renmen_plugin::schema::types::Coded;
use renmen_plugin::{Failure, Page, Pull};
use serde::Deserialize;

use super::applications::{SIZE_MAX, ids};
use super::{each, size};
use crate::Config;
use crate::api::record::{answer_for, one};
use crate::api::{accept, data, get, hire, is_gone};
use crate::changed::Changed;
use crate::map::{self, Reasons};
use crate::part::{Unread, is_refused_alone};

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        for (id, answer) in each(&pull.only, |id| to(config, "/open-apis/hire/v1/offers").segment(id)) {
            let Some(response) = answer_for::<Offer>(&mut page, id, answer)? else { continue };
            add(config, &mut page, &response, id)?;
        }
        return Ok(page);
    }
    let mut changed = Changed::resume(pull.cursor.as_deref())?;
    // Two requests for each: when it changed, and its offer.
    let (ids, next) = ids(config, &changed, size(pull.max_records, 1, SIZE_MAX))?;
    let mut there = Vec::with_capacity(ids.len());
    let mut unread = Unread::new("offers of application", is_refused_alone);
    for (id, answer) in each(&ids, |id| hire::application(config, id)) {
        // Taken away since it was listed: the stream of applications is where that is told.
        let read = answer.and_then(|response| match is_gone(&response) {
            true => Ok(None),
            false => accept(response).and_then(|response| modified(&response)).map(Some),
        });
        if let Some(Some(modified_ms)) = unread.or_told(id, read)? {
            changed.saw(modified_ms);
            there.push(id.to_owned());
        }
    }
    for (id, answer) in each(&there, |id| to(config, hire::APPLICATIONS).segment(id).segment("offer")) {
        let read = answer.and_then(|response| match is_gone(&response) {
            true => Ok(()),
            false => add(config, &mut page, &accept(response)?, id),
        });
        unread.or_told(id, read)?;
    }
    unread.tell(&mut page);
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
fn add(config: &Config, page: &mut Page, response: &renmen_plugin::http::Response, id: &str) -> Result<(), Failure> {
    let reasons = declined_for(config, response)?;
    one::<Offer, hire::Offer>(page, response, "offer", id, |page, origin, offer| {
        page.push(origin, offer.id.clone(), None, &map::offer(&offer, reasons)?)
    })?;
    Ok(())
}

/// Why the candidate declined: what their application ended for, once it did.
fn declined_for(
    config: &Config,
    response: &renmen_plugin::http::Response,
) -> Result<Vec<Coded<OutcomeReason>>, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        data: Option<Data>,
    }
    #[derive(Deserialize)]
    struct Data {
        offer: Option<Declined>,
    }
    #[derive(Deserialize)]
    struct Declined {
        application_id: Option<String>,
        #[serde(default, deserialize_with = "crate::api::loose::whole")]
        offer_status: Option<i64>,
    }
    // What cannot be read here is set aside below, where the whole offer is read.
    let offer = response.json::<Answer>().ok().and_then(|answer| answer.data?.offer);
    let declined =
        offer.filter(|offer| offer.offer_status == Some(map::DECLINED)).and_then(|offer| offer.application_id);
    let Some(id) = declined else { return Ok(Vec::new()) };
    let answer = hire::application(config, &id).send()?;
    if is_gone(&answer) {
        return Ok(Vec::new());
    }
    let application = hire::application_in(&accept(answer)?)?;
    if application.termination_type != Some(hire::THEY_REFUSED) {
        return Ok(Vec::new());
    }
    let reasons = Reasons::of(config, [&application])?;
    Ok(reasons.coded(application.termination_reason_list.as_deref().unwrap_or_default()))
}
