//! Employees: everything each time, leavers among them. Each gives three records of one id. Lists come from the search, whose
//! answers are minutes old; a targeted read asks for the employees themselves, who are seconds old.

use std::collections::BTreeMap;

use renmen_plugin::http::{Request, Response};
use renmen_plugin::schema::entity::{Assignment, Employee, Employment};
use renmen_plugin::{Failure, Page, PageFinding, Pull};
use serde::Deserialize;

use super::size;
use crate::api::corehr::{self, EmployeeQuery, Offboarding, OffboardingInfo, OffboardingQuery, USER_IDS};
use crate::api::hire::DEPARTMENT_IDS;
use crate::api::{all, ask, data, listing, request};
use crate::part::is_of_one_alone;
use crate::{Config, map};

/// The vendor's largest page.
const SIZE_MAX: u32 = 100;
/// Pages of applications to leave for one page of employees: there may be more of them than employees, because an
/// employee may have withdrawn an earlier one.
const OFFBOARDING_PAGES_MAX: usize = 5;
/// Applications that were granted or needed no grant.
const GRANTED: &[&str] = &["Approved", "Offboarded", "NoNeedApproval"];

type Leaving = BTreeMap<String, OffboardingInfo>;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        named(config, &mut page, &pull.only)?;
        return Ok(page);
    }
    let query = EmployeeQuery::default();
    let request = to(config, "search")
        .query("page_size", size(pull.max_records, 3, SIZE_MAX))
        .query_some("page_token", pull.cursor.as_deref())
        .json(&query);
    let next = add(config, &mut page, &ask(request)?)?;
    let page = page.everything();
    Ok(match next {
        Some(next) => page.more(next),
        None => page,
    })
}

/// How a read is asked for that names a person instead of an employment. No id of the vendor's has a slash.
const PERSON: &str = "person/";

/// What to ask this stream for where only the person is known.
pub(crate) fn of_person(person_id: &str) -> String {
    PERSON.to_owned() + person_id
}

/// Those of these ids. The vendor looks at the first list that is filled and at no other (page "批量查询员工信息"), so employments
/// and persons are asked for apart.
fn named(config: &Config, page: &mut Page, only: &[String]) -> Result<(), Failure> {
    let (persons, employments): (Vec<&str>, Vec<&str>) =
        only.iter().map(String::as_str).partition(|id| id.starts_with(PERSON));
    let persons: Vec<&str> = persons.into_iter().filter_map(|id| id.strip_prefix(PERSON)).collect();
    let of_employments = employments
        .chunks(SIZE_MAX as usize)
        .map(|employment_ids| EmployeeQuery { employment_ids, ..EmployeeQuery::default() });
    let of_persons =
        persons.chunks(SIZE_MAX as usize).map(|person_ids| EmployeeQuery { person_ids, ..EmployeeQuery::default() });
    for query in of_employments.chain(of_persons) {
        add(config, page, &ask(to(config, "batch_get").json(&query))?)?;
    }
    Ok(())
}

fn to(config: &Config, call: &str) -> Request {
    request(config, "POST", &format!("/open-apis/corehr/v2/employees/{call}"))
        .query(USER_IDS.0, USER_IDS.1)
        .query(DEPARTMENT_IDS.0, DEPARTMENT_IDS.1)
}

fn add(config: &Config, page: &mut Page, response: &Response) -> Result<Option<String>, Failure> {
    let listing = listing(response)?;
    if !listing.has_items {
        return Ok(listing.next);
    }
    let leaving = match config.offboardings.then(|| leaving(config, &ids_of(response)?)).transpose() {
        // Every employee is listed all the same; of those who are about to leave the day and the reason are not known.
        Err(failure) if is_of_one_alone(&failure) => {
            page.findings.push(PageFinding { missing: false, ..PageFinding::failed("offboardings", &failure) });
            Leaving::new()
        }
        found => found?.unwrap_or_default(),
    };
    page.map_items::<Employee, corehr::Employee>(response, "/data/items", |employee, item| {
        item.is_about(employee.employment_id.as_str());
        let leaving = leaving.get(&employee.employment_id);
        let id = &employee.employment_id;
        item.push(id.clone(), None, &map::employee(&employee, leaving)?)?;
        item.push::<Employment>(id.clone(), None, &map::employment(&employee, leaving)?)?;
        item.push::<Assignment>(id.clone(), None, &map::assignment(&employee)?)
    })?;
    Ok(listing.next)
}

/// The ids alone: an item that is bad in another member must not hide the others' leaving.
fn ids_of(response: &Response) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Items {
        items: Vec<serde_json::Value>,
    }
    let items = data::<Items>(response)?.items;
    Ok(items.iter().filter_map(|item| item["employment_id"].as_str().map(str::to_owned)).collect())
}

/// Which of them are leaving. No record cites these pages as its origin, so a record can be traced to the employee's
/// answer alone.
fn leaving(config: &Config, ids: &[String]) -> Result<Leaving, Failure> {
    if ids.is_empty() {
        return Ok(Leaving::new());
    }
    let query = OffboardingQuery { employment_ids: ids, statuses: GRANTED };
    let found: Vec<Offboarding> = all(OFFBOARDING_PAGES_MAX, |token| {
        request(config, "POST", "/open-apis/corehr/v1/offboardings/search")
            .query(USER_IDS.0, USER_IDS.1)
            .query("page_size", SIZE_MAX)
            .query_some("page_token", token)
            .json(&query)
    })?;
    let mut leaving = Leaving::new();
    for Offboarding { offboarding_info: info } in found {
        // Of several, the one with the last day that comes later.
        let later = |known: &OffboardingInfo| known.offboarding_date >= info.offboarding_date;
        if !leaving.get(&info.employment_id).is_some_and(later) {
            leaving.insert(info.employment_id.clone(), info);
        }
    }
    Ok(leaving)
}
