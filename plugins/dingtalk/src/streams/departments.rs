//! The department tree.

use renmen_plugin::http::send_all;
use renmen_plugin::schema::entity::OrgUnit;
use renmen_plugin::{Failure, Page, Pull};
use serde::Deserialize;

use super::walk::Walk;
use crate::api::{Department, SubDepartments, accept_old, old_request};
use crate::{Config, map};

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let mut walk = Walk::resume(pull.cursor.as_deref(), config.root_department)?;
    let mut page = Page::new();
    if pull.cursor.is_none() {
        root(config, &mut page)?;
    }
    let asked = walk.take(pull.max_records.max(1) as usize);
    let requests = asked.iter().map(|&dept_id| children(config, dept_id)).collect();
    for answer in send_all(requests) {
        let response = accept_old(answer?)?;
        let mut found = Vec::new();
        page.map_items::<OrgUnit, Department>(&response, "/result", |department, item| {
            item.is_about(department.dept_id.to_string());
            // Before its mapping: below a department that cannot be taken in there may be good ones.
            found.push(department.dept_id);
            item.push(department.dept_id.to_string(), None, &map::org_unit(&department)?)
        })?;
        // A page that was read twice, item by item, has named its departments twice.
        found.sort_unstable();
        found.dedup();
        walk.add(found)?;
    }
    walk.finish(page)
}

pub(super) fn children(config: &Config, dept_id: i64) -> renmen_plugin::http::Request {
    old_request(config, "/topapi/v2/department/listsub", &SubDepartments { dept_id })
}

/// The root is nobody's child, so it is asked for by its id.
fn root(config: &Config, page: &mut Page) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Answer {
        result: Department,
    }
    let asked = SubDepartments { dept_id: config.root_department };
    let response = accept_old(old_request(config, "/topapi/v2/department/get", &asked).send()?)?;
    let root = response.json::<Answer>()?.result;
    let origin = renmen_plugin::page::Origin { exchange: response.exchange(), pointer: "/result" };
    let mapped = map::org_unit(&root).and_then(|unit| page.push(origin, root.dept_id.to_string(), None, &unit));
    if let Err(unfit) = mapped {
        page.reject::<OrgUnit>(origin, Some(root.dept_id.to_string()), unfit.reason, response.body());
    }
    Ok(())
}
