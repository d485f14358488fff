//! How much leave people have: kind by kind of some people, then of the next ones.

use renmen_plugin::schema::entity::LeaveBalance;
use renmen_plugin::{Failure, FailureKind, Page, PageFinding, Pull};
use serde::{Deserialize, Serialize};

use super::people;
use crate::api::{self, ATTENDANCE_PEOPLE_MAX, LeaveType, QUOTAS_MAX, Quota};
use crate::{Config, map};

/// Questions of one page: some kinds have no balances, and a list may go on after an empty page.
const CALLS_MAX: usize = 50;

/// Where a run is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Where the list of people goes on.
    people: i64,
    /// Which of the kinds.
    kind: usize,
    /// Where the list of that kind's balances goes on.
    balances: i64,
    /// The kinds of leave; fixed for a run.
    types: Vec<LeaveType>,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return Err(Failure::invalid_input("balances are read by person and not by id: run the stream as a whole"));
    }
    let mut place = match pull.cursor.as_deref() {
        None => Place { people: 0, kind: 0, balances: 0, types: api::leave_types(config)? },
        Some(text) => {
            serde_json::from_str(text).map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?
        }
    };
    if place.types.is_empty() {
        return Ok(Page::new());
    }
    let people = people::on_job(config, place.people, ATTENDANCE_PEOPLE_MAX)?;
    let mut page = Page::new();
    let most = pull.max_records.max(1) as usize;
    for _ in 0..CALLS_MAX {
        let room = most.saturating_sub(page.records.len() + page.rejects.len()) as u32;
        let Some(kind) = place.types.get(place.kind).filter(|_| room > 0 && !people.ids.is_empty()) else { break };
        let size = room.min(QUOTAS_MAX);
        let more = match read(config, kind, &people.ids, (place.balances, size), &mut page) {
            // The next kind may be in order: one without a limit has no balances to list.
            Err(failure) if failure.kind == FailureKind::UpstreamChanged && failure.code.is_some() => {
                page.findings.push(PageFinding::failed(format!("balances of {}", kind.leave_name), &failure));
                false
            }
            read => read?,
        };
        (place.kind, place.balances) =
            if more { (place.kind, place.balances + i64::from(size)) } else { (place.kind + 1, 0) };
    }
    if people.ids.is_empty() || place.kind >= place.types.len() {
        let Some(next) = people.next else { return Ok(page) };
        (place.people, place.kind, place.balances) = (next, 0, 0);
    }
    Ok(page.more(serde_json::to_string(&place)?))
}

/// A page of balances. Does their list go on?
fn read(
    config: &Config,
    kind: &LeaveType,
    people: &[String],
    (offset, size): (i64, u32),
    page: &mut Page,
) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        result: Listed,
    }
    #[derive(Deserialize)]
    struct Listed {
        has_more: bool,
        /// Left out, or null, when there is none.
        #[serde(default)]
        leave_quotas: Option<Vec<serde::de::IgnoredAny>>,
    }
    let response = api::quotas(config, &kind.leave_code, people, offset, size)?;
    let listed = response.json::<Answer>()?.result;
    if listed.leave_quotas.is_some() {
        page.map_items::<LeaveBalance, Quota>(&response, "/result/leave_quotas", |quota, item| {
            item.is_about(quota.quota_id.as_str());
            item.push(quota.quota_id.clone(), None, &map::leave_balance(&quota, kind)?)
        })?;
    }
    Ok(listed.has_more)
}
