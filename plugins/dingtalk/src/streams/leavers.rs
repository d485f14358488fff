//! Who left: ids, then details. A leaver's employment ends, and the assignment is gone.

use renmen_plugin::schema::entity::{Assignment, Employment};
use renmen_plugin::{Failure, Page, Pull};

use crate::api::{Leaver, leaver_details, leaver_ids};
use crate::{Config, map};

/// The vendor's largest number of people whose details are read at once.
const PEOPLE_MAX: usize = 50;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        let mut page = Page::new();
        for ids in pull.only.chunks(PEOPLE_MAX) {
            add(config, ids, &mut page)?;
        }
        return Ok(page);
    }
    let token: Option<i64> = match pull.cursor.as_deref() {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?),
    };
    let ids = leaver_ids(config, token, pull.max_records / 2)?;
    let mut page = Page::new();
    if !ids.user_id_list.is_empty() {
        add(config, &ids.user_id_list, &mut page)?;
    }
    Ok(match ids.next_token.if_more(ids.has_more)?.number()? {
        Some(next) => page.more(next.to_string()),
        None => page,
    })
}

fn add(config: &Config, ids: &[String], page: &mut Page) -> Result<(), Failure> {
    let response = leaver_details(config, ids)?;
    page.map_items::<Employment, Leaver>(&response, "/result", |leaver, item| {
        item.is_about(leaver.user_id.as_str());
        item.push(leaver.user_id.clone(), None, &map::ended_employment(&leaver)?)?;
        item.push_deleted::<Assignment>(leaver.user_id.clone(), None);
        Ok(())
    })?;
    Ok(())
}
