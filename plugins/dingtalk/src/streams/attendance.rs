//! Days of attendance: what each planned time of a day came to and, where it is asked for, every punch.

use renmen_plugin::http::Response;
use renmen_plugin::schema::entity::Attendance;
use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Failure, Page, Pull, Unfit};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::days::{self, Walk};
use super::grouped::{About, Grouped};
use super::people;
use crate::api::{self, PunchResult, RESULTS_MAX, RawPunch};
use crate::map::{self, Seen};
use crate::{Config, api::ATTENDANCE_PEOPLE_MAX};

/// Pages of one list: 50 people of 7 days with more than 14 planned times each would not fit.
const PAGES_MAX: usize = 100;
/// Midnight in China.
const CHINA_MINUTES: i32 = 480;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return named(config, &pull.only);
    }
    let today = days::today();
    let first = today - i64::from(config.attendance_days.max(1)) + 1;
    let walk = Walk::resume(pull.cursor.as_deref(), first, today, pull.max_records)?;
    let (offset, most) = walk.people(pull.max_records);
    let people = people::on_job(config, offset, most)?;
    let mut page = Page::new();
    if !people.ids.is_empty() {
        read(config, &people.ids, walk.span(), &mut page)?;
    }
    walk.finish(page, people.next)
}

/// Days that an event told about: those of one date at once.
fn named(config: &Config, ids: &[String]) -> Result<Page, Failure> {
    let mut of_day: std::collections::BTreeMap<i64, Vec<String>> = std::collections::BTreeMap::new();
    for id in ids {
        let (user, day) = days::of_id(id)?;
        of_day.entry(day).or_default().push(user.to_owned());
    }
    let mut page = Page::new();
    for (day, mut users) in of_day {
        users.sort_unstable();
        users.dedup();
        for users in users.chunks(ATTENDANCE_PEOPLE_MAX as usize) {
            read(config, users, [day, day], &mut page)?;
        }
    }
    Ok(page)
}

/// About whom and which day; both lists say it alike.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Of {
    user_id: String,
    work_date: i64,
    /// Security, Other: a punch that the vendor does not take for one.
    #[serde(default)]
    invalid_record_type: Option<String>,
}

impl About for Of {
    fn about(self) -> Result<Option<(String, LocalDate)>, Unfit> {
        if self.invalid_record_type.is_some() {
            return Ok(None);
        }
        let day = LocalDate::from_epoch_ms_at_offset(self.work_date, CHINA_MINUTES);
        Ok(Some((self.user_id, day.map_err(|e| Unfit::field("workDate", e))?)))
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    recordresult: Vec<&'a RawValue>,
    #[serde(rename = "hasMore", default)]
    has_more: bool,
}

fn read(config: &Config, people: &[String], span: [i64; 2], page: &mut Page) -> Result<(), Failure> {
    let (from, to) = (days::written(span[0])?, days::written(span[1])?);
    let mut found = Grouped::default();
    let mut take = |page: &mut Page, response: &Response, raw: bool| -> Result<bool, Failure> {
        let answer: Answer<'_> = response.json()?;
        let list = ("/recordresult", answer.recordresult.as_slice());
        if raw {
            found.add::<Attendance, Of, RawPunch>(page, response, list, Seen::Punch);
        } else {
            found.add::<Attendance, Of, PunchResult>(page, response, list, Seen::Result);
        }
        Ok(answer.has_more)
    };
    let mut pages = 0;
    while take(page, &api::punch_results(config, people, [&from, &to], pages * RESULTS_MAX)?, false)? {
        pages += 1;
        if pages == PAGES_MAX {
            return Err(Failure::upstream_changed(format!("the list of punches goes on after {PAGES_MAX} pages")));
        }
    }
    if config.attendance_punches {
        take(page, &api::raw_punches(config, people, [&from, &to])?, true)?;
    }
    found.finish(page, map::attendance);
    Ok(())
}
