//! Talents, by when they changed.

use renmen_plugin::schema::entity::Candidate;
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
        for (id, answer) in each(&pull.only, |id| hire::talent(config, id)) {
            let Some(response) = answer_for::<Candidate>(&mut page, id, answer)? else { continue };
            one::<Candidate, hire::Talent>(&mut page, &response, "talent", id, |page, origin, talent| {
                let record = map::candidate(config, &talent)?;
                page.push(origin, talent.id.clone(), talent.basic_info.modify_time, &record)
            })?;
        }
        return Ok(page);
    }
    let mut changed = Changed::resume(pull.cursor.as_deref())?;
    let since_ms = changed.since_ms();
    let list = |page: Option<&str>| {
        get(config, "/open-apis/hire/v1/talents")
            .query("page_size", size(pull.max_records, 1, SIZE_MAX))
            .query("sort_by", 1)
            // Otherwise a company where nothing changed is an error.
            .query("query_option", "ignore_empty_error")
            .query(hire::USER_IDS.0, hire::USER_IDS.1)
            .query_some("update_start_time", since_ms)
            .query_some("page_token", page)
    };
    let response = ask(list(changed.page()))?;
    let listing = listing(&response)?;
    listing.prefetch(list);
    if listing.has_items {
        page.map_items::<Candidate, hire::Talent>(&response, "/data/items", |talent, item| {
            item.is_about(talent.id.as_str());
            changed.saw(talent.basic_info.modify_time);
            item.push(talent.id.clone(), talent.basic_info.modify_time, &map::candidate(config, &talent)?)
        })?;
    }
    changed.finish(page, listing.next)
}
