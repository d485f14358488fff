//! Jobs, by when they changed.

use renmen_plugin::schema::entity::Job;
use renmen_plugin::{Failure, Page, Pull};

use super::{each, size};
use crate::api::record::{answer_for, one};
use crate::api::{ask, get, hire, listing};
use crate::changed::Changed;
use crate::{Config, map};

/// The vendor's largest page.
const SIZE_MAX: u32 = 20;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        for (id, answer) in each(&pull.only, |id| hire::job(config, id)) {
            let Some(response) = answer_for::<Job>(&mut page, id, answer)? else { continue };
            one::<Job, hire::Job>(&mut page, &response, "job", id, |page, origin, job| {
                page.push(origin, job.id.clone(), job.update_timestamp, &map::job(&job)?)
            })?;
        }
        return Ok(page);
    }
    let mut changed = Changed::resume(pull.cursor.as_deref())?;
    let since_ms = changed.since_ms();
    let list = |page: Option<&str>| {
        get(config, "/open-apis/hire/v1/jobs")
            .query("page_size", size(pull.max_records, 1, SIZE_MAX))
            .query(hire::USER_IDS.0, hire::USER_IDS.1)
            .query(hire::DEPARTMENT_IDS.0, hire::DEPARTMENT_IDS.1)
            .query_some("update_start_time", since_ms)
            .query_some("page_token", page)
    };
    let response = ask(list(changed.page()))?;
    let listing = listing(&response)?;
    listing.prefetch(list);
    if listing.has_items {
        page.map_items::<Job, hire::Job>(&response, "/data/items", |job, item| {
            item.is_about(job.id.as_str());
            changed.saw(job.update_timestamp);
            item.push(job.id.clone(), job.update_timestamp, &map::job(&job)?)
        })?;
    }
    changed.finish(page, listing.next)
}
