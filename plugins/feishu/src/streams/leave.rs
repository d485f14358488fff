//! Leave that ends some days back or later, and balances of everybody; both page by page.

use renmen_plugin::http::Response;
use renmen_plugin::paging::Token;
use renmen_plugin::schema::entity::{Leave, LeaveBalance};
use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Failure, Page, Pull, clock};
use serde_json::{Map, Value};

use super::size;
use crate::api::attendance::{EmployeeBalances, LEAVE_MAX, LeaveRequest, leave_balances, leave_requests};
use crate::api::{ask, data};
use crate::{Config, map};

const DAY_MS: i64 = 86_400_000;
/// Kinds of leave that one employee may have.
const KINDS_EACH: u32 = 20;

pub(crate) fn requests(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    not_by_id(pull)?;
    let day = LocalDate::from_epoch_ms_at_offset(clock::now_ms() - i64::from(config.leave_days) * DAY_MS, 480);
    let day = day.map_err(|e| Failure::bad_config(format!("`leave_days` leads out of the calendar: {e}")))?;
    // The first day moves with the clock; the vendor's token goes on with the question that it was given for.
    let request =
        leave_requests(config, &day.to_string(), size(pull.max_records, 1, LEAVE_MAX), pull.cursor.as_deref());
    let response = ask(request)?;
    let next = listed(&response, "leave_request_list")?;
    let mut page = Page::new();
    if next.has_items {
        page.map_items::<Leave, LeaveRequest>(&response, "/data/leave_request_list", |leave, item| {
            item.is_about(leave.leave_request_id.as_str());
            item.push(leave.leave_request_id.clone(), None, &map::leave(&leave)?)
        })?;
    }
    Ok(go_on(page, next.token))
}

pub(crate) fn balances(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    not_by_id(pull)?;
    let size = size(pull.max_records, KINDS_EACH, LEAVE_MAX);
    let response = ask(leave_balances(config, size, pull.cursor.as_deref()))?;
    let next = listed(&response, "employment_leave_balance_list")?;
    let mut page = Page::new();
    if next.has_items {
        page.map_items::<LeaveBalance, EmployeeBalances>(
            &response,
            "/data/employment_leave_balance_list",
            |employee, item| {
                item.is_about(employee.employment_id.as_str());
                for balance in &employee.leave_balance_list {
                    let id = format!("{}:{}", employee.employment_id, balance.leave_type_id);
                    item.push(id, None, &map::leave_balance(&employee.employment_id, balance)?)?;
                }
                Ok(())
            },
        )?;
    }
    Ok(go_on(page, next.token))
}

fn not_by_id(pull: &Pull) -> Result<(), Failure> {
    if pull.only.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid_input("leave and balances are not read by id: run the stream as a whole"))
}

struct Next {
    has_items: bool,
    token: Option<String>,
}

/// What an answer says about its list, which has a name of its own here. An answer in another shape is not an empty list.
fn listed(response: &Response, list: &str) -> Result<Next, Failure> {
    let data: Map<String, Value> = data(response)?;
    let found = data.get(list).filter(|found| !found.is_null());
    let Some(has_more) = data.get("has_more").and_then(Value::as_bool).or(found.map(|_| false)) else {
        return Err(Failure::upstream_changed(format!("the answer has neither `{list}` nor `has_more`")));
    };
    let token = data.get("page_token").and_then(Value::as_str).map(str::to_owned);
    Ok(Next { has_items: found.is_some(), token: Token::from(token).if_more(has_more)?.text() })
}

fn go_on(page: Page, token: Option<String>) -> Page {
    match token {
        Some(token) => page.more(token),
        None => page,
    }
}
