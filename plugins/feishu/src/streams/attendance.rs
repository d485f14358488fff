//! Days of attendance: a few days of everybody who is employed, some people at a time, then the next days. Employees are listed by
//! CoreHR, and asked for by their staff number, which is the only id that both know; a record refers to the employment, as the
//! other streams do.

use std::collections::BTreeMap;

use renmen_plugin::http::Response;
use renmen_plugin::schema::entity::Attendance;
use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Failure, Page, PageFinding, Pull, clock, locate};
use serde::{Deserialize, Serialize};

use crate::api::attendance::{PEOPLE_MAX, Task, tasks, zone_of_group};
use crate::api::corehr::{EmployeeQuery, USER_IDS};
use crate::api::hire::DEPARTMENT_IDS;
use crate::api::{ask, data, listing, request};
use crate::part::is_of_one_alone;
use crate::{Config, map};

const DAY_MS: i64 = 86_400_000;
/// China's midnight lies so far before that of UTC.
const CHINA_MS: i64 = 8 * 3_600_000;
/// Days of one question.
const DAYS_MAX: i64 = 7;
/// No day lies further from 1970.
const FAR: i64 = 2_000_000;
/// The group of those who are in none.
const NO_GROUP: &str = "1";

/// Where a run is. Days are numbers since 1970; the last one is fixed for a run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    day: i64,
    width: i64,
    last: i64,
    /// Where the list of employees goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    people: Option<String>,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return Err(Failure::invalid_input("attendance is read by day and not by id: run the stream as a whole"));
    }
    let mut place = resume(config, pull)?;
    let size = (i64::from(pull.max_records) / place.width).clamp(1, i64::from(PEOPLE_MAX)) as u32;
    let (people, next) = employed(config, size, place.people.as_deref())?;
    let mut page = Page::new();
    if !people.is_empty() {
        let last = (place.day + place.width - 1).min(place.last);
        read(config, &people, number(place.day)?, number(last)?, &mut page)?;
    }
    place.people = next;
    if place.people.is_none() {
        place.day += place.width;
    }
    if place.day > place.last {
        return Ok(page);
    }
    Ok(page.more(serde_json::to_string(&place)?))
}

fn resume(config: &Config, pull: &Pull) -> Result<Place, Failure> {
    let foreign = || Failure::invalid_input("the cursor is not of this stream");
    let Some(text) = pull.cursor.as_deref() else {
        let last = (clock::now_ms() + CHINA_MS).div_euclid(DAY_MS);
        let days = i64::from(config.attendance_days.max(1));
        let width = days.min(i64::from(pull.max_records)).clamp(1, DAYS_MAX);
        return Ok(Place { day: last - days + 1, width, last, people: None });
    };
    let place: Place = locate::parse(text.as_bytes()).map_err(|_| foreign())?;
    let days = place.day <= place.last && (0..FAR).contains(&place.day) && place.last < FAR;
    let sound = days && (1..=DAYS_MAX).contains(&place.width);
    if sound { Ok(place) } else { Err(foreign()) }
}

/// A day as 20190819.
fn number(day: i64) -> Result<i64, Failure> {
    let date = LocalDate::from_epoch_ms_at_offset(day.saturating_mul(DAY_MS), 0);
    let date = date.map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?.to_string();
    date.replace('-', "").parse().map_err(|_| Failure::invalid_input("the cursor is not of this stream"))
}

/// Staff numbers of those who are employed, each with its employment, and where the list goes on.
type People = BTreeMap<String, String>;

fn employed(config: &Config, size: u32, token: Option<&str>) -> Result<(People, Option<String>), Failure> {
    #[derive(Deserialize)]
    struct Items {
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        employment_id: String,
        employee_number: Option<String>,
        employment_status: Option<Word>,
    }
    #[derive(Deserialize)]
    struct Word {
        enum_name: Option<String>,
    }
    let fields = &["employment_id", "employee_number", "employment_status"];
    let response = ask(request(config, "POST", "/open-apis/corehr/v2/employees/search")
        .query(USER_IDS.0, USER_IDS.1)
        .query(DEPARTMENT_IDS.0, DEPARTMENT_IDS.1)
        .query("page_size", size)
        .query_some("page_token", token)
        .json(&EmployeeQuery { fields, ..EmployeeQuery::default() }))?;
    let listed = listing(&response)?;
    let mut people = People::new();
    if listed.has_items {
        for item in data::<Items>(&response)?.items {
            let left = item.employment_status.and_then(|word| word.enum_name).is_some_and(|word| word == "terminated");
            if let Some(number) = item.employee_number.filter(|number| !left && !number.is_empty()) {
                people.insert(number, item.employment_id);
            }
        }
    }
    Ok((people, listed.next))
}

fn read(config: &Config, people: &People, from: i64, to: i64, page: &mut Page) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        user_task_results: Option<Vec<Group>>,
        #[serde(default)]
        unauthorized_user_ids: Option<Vec<String>>,
    }
    #[derive(Deserialize)]
    struct Group {
        #[serde(default)]
        group_id: Option<String>,
    }
    let numbers: Vec<&str> = people.keys().map(String::as_str).collect();
    let response: Response = tasks(config, &numbers, from, to)?;
    let head = data::<Head>(&response)?;
    let hidden = head.unauthorized_user_ids.map_or(0, |ids| ids.len());
    if hidden > 0 {
        page.findings.push(unseen(hidden));
    }
    let Some(groups) = head.user_task_results else { return Ok(()) };
    let zones = zones(config, groups.into_iter().filter_map(|group| group.group_id), page)?;
    page.map_items::<Attendance, Task>(&response, "/data/user_task_results", |task, item| {
        let Some(employee) = people.get(&task.user_id) else { return Ok(()) };
        let id = format!("{employee}:{}", map::day_of(task.day)?);
        item.is_about(id.as_str());
        let tz = task.group_id.as_ref().and_then(|group| zones.get(group));
        item.push(id, None, &map::attendance(&task, employee, tz.map(String::as_str))?)
    })?;
    Ok(())
}

/// People whom the app may not see.
fn unseen(count: usize) -> PageFinding {
    let message =
        "the app may not see the attendance of these people: widen its range of data in the attendance console";
    PageFinding {
        missing: false,
        ..PageFinding::failed(format!("attendance of {count} people"), &Failure::not_granted(message))
    }
}

/// The zones of these groups. Where they may not be read, days come in without a zone and the page says so.
fn zones(
    config: &Config,
    groups: impl Iterator<Item = String>,
    page: &mut Page,
) -> Result<BTreeMap<String, String>, Failure> {
    let groups: std::collections::BTreeSet<String> = groups.filter(|id| id != NO_GROUP && !id.is_empty()).collect();
    let mut zones = BTreeMap::new();
    for group in groups {
        // An id is a part of the address.
        if !group.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            continue;
        }
        match zone_of_group(config, &group) {
            Ok(zone) => zones.extend(zone.filter(|zone| !zone.is_empty()).map(|zone| (group, zone))),
            Err(failure) if is_of_one_alone(&failure) => {
                let part = format!("zone of attendance group {group}");
                page.findings.push(PageFinding { missing: false, ..PageFinding::failed(part, &failure) });
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(zones)
}
