//! The department tree.

use renmen_plugin::http::{Request, Response, send_all};
use renmen_plugin::schema::entity::OrgUnit;
use renmen_plugin::{Failure, Page, Pull};

use super::one;
use super::walk::{Walk, is_of_company};
use crate::api::{Department, SubDepartments, accept_old, old_request};
use crate::{Config, map};

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        return named(config, &pull.only);
    }
    let mut walk = Walk::resume(pull.cursor.as_deref(), config.root_department)?;
    let mut page = Page::new();
    if pull.cursor.is_none() {
        root(config, &mut page)?;
    }
    let asked = walk.take(pull.max_records.max(1) as usize);
    let requests = asked.iter().map(|&dept_id| children(config, dept_id)).collect();
    for (&dept_id, answer) in asked.iter().zip(send_all(requests)) {
        if let Some(found) = walk.part(&mut page, dept_id, answer, below)? {
            walk.add(found)?;
        }
    }
    walk.finish(page)
}

/// The children in an answer; gives their ids.
fn below(page: &mut Page, response: &Response) -> Result<Vec<i64>, Failure> {
    let mut found = Vec::new();
    page.map_items::<OrgUnit, Department>(response, "/result", |department, item| {
        item.is_about(department.dept_id.to_string());
        // Before its mapping: below a department that cannot be taken in there may be good ones.
        found.push(department.dept_id);
        if !is_of_company(department.dept_id) {
            return Ok(());
        }
        item.push(department.dept_id.to_string(), None, &map::org_unit(&department)?)
    })?;
    // A page that was read twice, item by item, has named its departments twice.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

pub(super) fn children(config: &Config, dept_id: i64) -> Request {
    old_request(config, "/topapi/v2/department/listsub", &SubDepartments { dept_id })
}

/// The root is not the child of any department, so it is asked for by its id.
fn root(config: &Config, page: &mut Page) -> Result<(), Failure> {
    let response = accept_old(detail(config, config.root_department).send()?)?;
    // Below a root in another shape nothing can be trusted to be as it was.
    response.json::<Root>()?;
    one::add(page, &response, &config.root_department.to_string(), map::org_unit)
}

#[derive(serde::Deserialize)]
struct Root {
    #[serde(rename = "result")]
    _result: Department,
}

fn detail(config: &Config, dept_id: i64) -> Request {
    old_request(config, "/topapi/v2/department/get", &SubDepartments { dept_id })
}

fn named(config: &Config, ids: &[String]) -> Result<Page, Failure> {
    if let Some(strange) = ids.iter().find(|id| id.parse::<i64>().is_err()) {
        return Err(Failure::invalid_input(format!("`{strange}` is not a department id; department ids are numbers")));
    }
    one::each(ids, |id| detail(config, id.parse().unwrap_or_default()), map::org_unit)
}
