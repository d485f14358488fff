//! Planned days. They are asked for by person and not by company and day (查询企业考勤排班详情): only so a row says which work date it
//! is of, a day of rest is listed, and a company may have more than 10,000 people.

use renmen_plugin::schema::entity::PlannedShift;
use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Failure, Page, Pull, Unfit};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::days::{self, Walk};
use super::grouped::{About, Grouped};
use super::people;
use crate::api::{self, PlannedTime};
use crate::{Config, map};

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    // Before anything is asked: without it every question would be refused.
    config.operator()?;
    if !pull.only.is_empty() {
        let mut page = Page::new();
        for id in &pull.only {
            let (user, day) = days::of_id(id)?;
            read(config, &[user.to_owned()], [day, day], &mut page)?;
        }
        return Ok(page);
    }
    let today = days::today();
    let last = today + i64::from(config.schedule_days.max(1)) - 1;
    let walk = Walk::resume(pull.cursor.as_deref(), today, last, pull.max_records)?;
    let (offset, most) = walk.people(pull.max_records);
    let people = people::on_job(config, offset, most)?;
    let mut page = Page::new();
    if !people.ids.is_empty() {
        read(config, &people.ids, walk.span(), &mut page)?;
    }
    walk.finish(page, people.next)
}

#[derive(Deserialize)]
struct Of {
    userid: String,
    /// `2021-01-14 00:00:00`.
    work_date: String,
}

impl About for Of {
    fn about(self) -> Result<Option<(String, LocalDate)>, Unfit> {
        let day = self.work_date.get(..10).unwrap_or_default();
        Ok(Some((self.userid, LocalDate::parse(day).map_err(|e| Unfit::field("work_date", e))?)))
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Vec<&'a RawValue>,
}

fn read(config: &Config, people: &[String], span: [i64; 2], page: &mut Page) -> Result<(), Failure> {
    let response = api::schedules(config, people, days::begins_ms(span[0]), days::begins_ms(span[1]))?;
    let answer: Answer<'_> = response.json()?;
    let mut found = Grouped::default();
    found.add::<PlannedShift, Of, PlannedTime>(page, &response, ("/result", &answer.result), |row| row);
    found.finish(page, map::planned_shift);
    Ok(())
}
