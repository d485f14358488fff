//! The smart-HR roster: ids of people on the job, then their fields.

use renmen_plugin::http::{Request, Response};
use renmen_plugin::schema::entity::Employment;
use renmen_plugin::{Failure, Page, Pull};

use crate::api::{OnJob, OnJobIds, RosterEntry, RosterQuery, accept_new, new_request, old};
use crate::{Config, map};

/// The vendor's largest page of ids.
const SIZE_MAX: u32 = 50;
/// The vendor's largest number of people whose fields are read at once.
const PEOPLE_MAX: usize = 100;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    // Before anything is asked: without it the second question of each page would be refused.
    config.agent()?;
    if !pull.only.is_empty() {
        let mut page = Page::new();
        for ids in pull.only.chunks(PEOPLE_MAX) {
            add(config, ids, &mut page)?;
        }
        return Ok(page);
    }
    let offset: i64 = match pull.cursor.as_deref() {
        None => 0,
        Some(text) => text.parse().map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?,
    };
    // Each person gives two records.
    let asked = OnJob { status_list: "2,3,5,-1", offset, size: (pull.max_records / 2).clamp(1, SIZE_MAX) };
    let ids: OnJobIds = old(config, "/topapi/smartwork/hrm/employee/queryonjob", &asked)?;
    let mut page = Page::new();
    if !ids.data_list.is_empty() {
        add(config, &ids.data_list, &mut page)?;
    }
    // The end is an answer without a cursor.
    Ok(match ids.next_cursor.number()? {
        Some(next) => page.more(next.to_string()),
        None => page.everything(),
    })
}

/// A person who is no longer on the roster is not in the answer; the stream `leavers` reports them.
fn add(config: &Config, ids: &[String], page: &mut Page) -> Result<(), Failure> {
    let response = fields(config, ids)?;
    page.map_items::<Employment, RosterEntry>(&response, "/result", |entry, item| {
        item.is_about(entry.user_id.as_str());
        item.push(entry.user_id.clone(), None, &map::employment(&entry)?)?;
        item.push(entry.user_id.clone(), None, &map::assignment(&entry)?)
    })?;
    Ok(())
}

fn fields(config: &Config, ids: &[String]) -> Result<Response, Failure> {
    let query = RosterQuery { app_agent_id: config.agent()?, user_id_list: ids, field_filter_list: map::ROSTER_FIELDS };
    let request: Request = new_request(config, "POST", "/v1.0/hrm/rosters/lists/query").json(&query);
    accept_new(request.send()?).map_err(|failure| match failure.code.as_deref() {
        // The page's only word for an app that is not this company's.
        Some("invalidParameter") => {
            Failure::bad_config("the vendor refuses to read the roster: check `agent_id`, the app's AgentId")
                .with_code("invalidParameter")
        }
        _ => failure,
    })
}
