//! Departments: everything each time; the vendor cannot say what changed.

use renmen_plugin::http::Response;
use renmen_plugin::schema::entity::OrgUnit;
use renmen_plugin::{Failure, Page, Pull};

use super::size;
use crate::api::corehr::{DEPARTMENT_FIELDS, Department, DepartmentQuery, USER_IDS};
use crate::api::hire::DEPARTMENT_IDS;
use crate::api::{ask, listing, request};
use crate::{Config, map};

/// The vendor's largest page.
const SIZE_MAX: u32 = 100;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut page = Page::new();
    if !pull.only.is_empty() {
        for ids in pull.only.chunks(SIZE_MAX as usize) {
            let query = DepartmentQuery { active: None, department_id_list: ids, fields: DEPARTMENT_FIELDS };
            add(&mut page, &ask(to(config, "batch_get").json(&query))?)?;
        }
        return Ok(page);
    }
    let query = DepartmentQuery { active: Some(true), department_id_list: &[], fields: DEPARTMENT_FIELDS };
    let request = to(config, "search")
        .query("page_size", size(pull.max_records, 1, SIZE_MAX))
        .query_some("page_token", pull.cursor.as_deref())
        .json(&query);
    let next = add(&mut page, &ask(request)?)?;
    let page = page.everything();
    Ok(match next {
        Some(next) => page.more(next),
        None => page,
    })
}

fn to(config: &Config, call: &str) -> renmen_plugin::http::Request {
    request(config, "POST", &format!("/open-apis/corehr/v2/departments/{call}"))
        .query(USER_IDS.0, USER_IDS.1)
        .query(DEPARTMENT_IDS.0, DEPARTMENT_IDS.1)
}

fn add(page: &mut Page, response: &Response) -> Result<Option<String>, Failure> {
    let listing = listing(response)?;
    if listing.has_items {
        page.map_items::<OrgUnit, Department>(response, "/data/items", |department, item| {
            item.is_about(department.id.as_str());
            item.push(department.id.clone(), None, &map::org_unit(&department)?)
        })?;
    }
    Ok(listing.next)
}
