//! Leave that was approved, some days back and as many ahead.

use renmen_plugin::schema::entity::Leave;
use renmen_plugin::{Failure, Page, Pull};
use serde::{Deserialize, Serialize};

use super::{days, people};
use crate::api::{self, LEAVE_MAX, LeaveStatus, LeaveType};
use crate::{Config, map};

/// People of one question.
const PEOPLE: u32 = 50;

/// Where a run is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// The day around which a run looks; fixed for a run.
    today: i64,
    /// Where the list of people goes on.
    people: i64,
    /// Where the list of their leave goes on.
    leave: i64,
    /// What the kinds of leave are called.
    types: Vec<LeaveType>,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return Err(Failure::invalid_input("leave is read by period and not by id: run the stream as a whole"));
    }
    let mut place = match pull.cursor.as_deref() {
        // Without the operator the kinds of leave have no names; leave is listed all the same.
        None if config.attendance_operator.is_none() => {
            Place { today: days::today(), people: 0, leave: 0, types: Vec::new() }
        }
        None => Place { today: days::today(), people: 0, leave: 0, types: api::leave_types(config)? },
        Some(text) => {
            serde_json::from_str(text).map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?
        }
    };
    let people = people::on_job(config, place.people, PEOPLE)?;
    let mut page = Page::new();
    let more = !people.ids.is_empty() && read(config, &people.ids, &mut place, pull.max_records, &mut page)?;
    if !more {
        let Some(next) = people.next else { return Ok(page) };
        (place.people, place.leave) = (next, 0);
    }
    Ok(page.more(serde_json::to_string(&place)?))
}

/// A page of these people's leave. Is there more of it?
fn read(config: &Config, people: &[String], at: &mut Place, most: u32, page: &mut Page) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        result: Listed,
    }
    #[derive(Deserialize)]
    struct Listed {
        has_more: bool,
        /// Left out, or null, when there is no leave.
        #[serde(default)]
        leave_status: Option<Vec<serde::de::IgnoredAny>>,
    }
    let reach = i64::from(config.leave_days.max(1));
    let span_ms = (days::begins_ms(at.today - reach), days::begins_ms(at.today + reach));
    let size = most.clamp(1, LEAVE_MAX);
    let response = api::leave(config, people, span_ms, at.leave, size)?;
    let listed = response.json::<Answer>()?.result;
    if listed.leave_status.is_some() {
        page.map_items::<Leave, LeaveStatus>(&response, "/result/leave_status", |leave, item| {
            let id = map::leave_id(&leave);
            item.is_about(id.as_str());
            item.push(id, None, &map::leave(&leave, &at.types)?)
        })?;
    }
    at.leave += i64::from(size);
    Ok(listed.has_more)
}
