//! Members of every department. A person in several departments is listed under each, with the same body: the gateway
//! writes it once.

use renmen_plugin::http::{Request, Response, send_all};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::{Failure, Page, Pull};
use serde::Deserialize;

use super::departments::children;
use super::one;
use super::walk::Walk;
use crate::api::{OneUser, User, UserList, Users, old_request};
use crate::{Config, map};

/// The vendor's largest page.
const SIZE_MAX: u32 = 100;

#[derive(Deserialize)]
struct Child {
    dept_id: i64,
}

#[derive(Deserialize)]
struct Children {
    result: Vec<Child>,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    if !pull.only.is_empty() {
        let detail = |id: &str| old_request(config, "/topapi/v2/user/get", &OneUser { userid: id });
        return one::each(&pull.only, detail, map::employee);
    }
    let mut walk = Walk::resume(pull.cursor.as_deref(), config.root_department)?;
    let size = pull.max_records.clamp(1, SIZE_MAX);
    let most = (pull.max_records / size).max(1) as usize;
    let mut page = Page::new();

    // Lists that go on come first, so that few stay open; new departments fill up what is left of the page.
    let mut lists = walk.take_open(most);
    let fresh = walk.take(most - lists.len());
    lists.extend(fresh.iter().map(|&dept_id| (dept_id, 0)));

    let requests = fresh.iter().map(|&dept_id| children(config, dept_id)).collect();
    for (&dept_id, answer) in fresh.iter().zip(send_all(requests)) {
        let below = walk.part(&mut page, dept_id, answer, |_, response| Ok(response.json::<Children>()?.result))?;
        walk.add(below.into_iter().flatten().map(|child| child.dept_id))?;
    }
    let requests = lists.iter().map(|&(dept_id, cursor)| members(config, dept_id, cursor, size)).collect();
    for (&(dept_id, _), answer) in lists.iter().zip(send_all(requests)) {
        if let Some(Some(cursor)) = walk.part(&mut page, dept_id, answer, list)? {
            walk.goes_on(dept_id, cursor);
        }
    }
    walk.finish(page)
}

/// The members in an answer; gives where their list goes on.
fn list(page: &mut Page, response: &Response) -> Result<Option<i64>, Failure> {
    let rest = page.map_items::<Employee, User>(response, "/result/list", |user, item| {
        item.is_about(user.userid.as_str());
        item.push(user.userid.clone(), None, &map::employee(&user)?)
    })?;
    let list = UserList { has_more: rest.get("/result/has_more")?, next_cursor: rest.get("/result/next_cursor")? };
    list.next_cursor.if_more(list.has_more)?.number()
}

fn members(config: &Config, dept_id: i64, cursor: i64, size: u32) -> Request {
    old_request(config, "/topapi/v2/user/list", &Users { dept_id, cursor, size })
}
