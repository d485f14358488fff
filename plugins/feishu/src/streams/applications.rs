//! Applications, by when they changed: the list gives ids alone, so each is asked for.

use renmen_plugin::schema::entity::Application;
use renmen_plugin::{Failure, Page, Pull};
use serde::Deserialize;

use super::{each, size};
use crate::api::record::{answer_for, one};
use crate::api::{ask, data, get, hire, listing};
use crate::changed::Changed;
use crate::map::{Reasons, Stages};
use crate::{Config, map};

/// Ids of one page. The vendor gives 200; each costs a request within the call.
pub(super) const SIZE_MAX: u32 = 100;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        add(config, &mut page, &pull.only, |_| {})?;
        return Ok(page);
    }
    let mut changed = Changed::resume(pull.cursor.as_deref())?;
    let (ids, next) = ids(config, &changed, size(pull.max_records, 1, SIZE_MAX))?;
    add(config, &mut page, &ids, |ms| changed.saw(ms))?;
    changed.finish(page, next)
}

/// A page of ids of applications that changed, and where the list goes on.
pub(super) fn ids(config: &Config, changed: &Changed, size: u32) -> Result<(Vec<String>, Option<String>), Failure> {
    #[derive(Deserialize)]
    struct Ids {
        items: Vec<String>,
    }
    let list = |page: Option<&str>| {
        get(config, "/open-apis/hire/v1/applications")
            .query("page_size", size)
            .query_some("update_start_time", changed.since_ms())
            .query_some("page_token", page)
    };
    let response = ask(list(changed.page()))?;
    let listing = listing(&response)?;
    listing.prefetch(list);
    let ids = if listing.has_items { data::<Ids>(&response)?.items } else { Vec::new() };
    Ok((ids, listing.next))
}

fn add(config: &Config, page: &mut Page, ids: &[String], mut saw: impl FnMut(Option<i64>)) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let stages = Stages::of(&hire::processes(config)?);
    let mut answers = Vec::with_capacity(ids.len());
    for (id, answer) in each(ids, |id| hire::application(config, id)) {
        answers.extend(answer_for::<Application>(page, id, answer)?.map(|response| (id, response)));
    }
    // One that cannot be read is set aside below.
    let read: Vec<hire::Application> =
        answers.iter().filter_map(|(_, response)| hire::application_in(response).ok()).collect();
    let reasons = Reasons::of(config, &read)?;
    for (id, response) in answers {
        one::<Application, hire::Application>(page, &response, "application", id, |page, origin, application| {
            saw(application.modify_time);
            let record = map::application(&application, &stages, &reasons)?;
            page.push(origin, application.id.clone(), application.modify_time, &record)
        })?;
    }
    Ok(())
}
