//! What an event means: which records are to be read again. An event tells that something changed and seldom what, so none
//! is taken for a record.
//!
//! Official pages, one an event, under "事件订阅": 企业增加员工事件, 企业修改员工事件, 企业删除员工, 创建部门, 人事档案变动,
//! 人事平台员工异动事件v2, 审批实例开始、结束、终止、删除, 审批任务开始，结束，转交, 员工打卡事件.

use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Failure, Refresh, word};
use serde_json::Value;

/// One event, whichever door it came through.
pub(super) struct Event<'a> {
    /// `user_add_org`.
    pub(super) kind: &'a str,
    /// Its JSON object.
    pub(super) body: &'a [u8],
}

/// An event with more ids than this is not of a documented kind.
const IDS_MAX: usize = 1_000;
/// Twelve hours.
const NOON_MS: i64 = 12 * 3_600_000;
/// China's clock.
const CHINA_MINUTES: i32 = 480;

impl Event<'_> {
    /// The vendor tries the address, and no more.
    pub(super) fn says_nothing(&self) -> bool {
        matches!(self.kind, "check_url" | "check_create_suite_url" | "check_update_suite_url")
    }

    /// What is to be read; nothing for an event that is of no use here.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](renmen_plugin::FailureKind) for a known event that does not name whom it is about.
    pub(super) fn refresh(&self) -> Result<Vec<Refresh>, Failure> {
        let body: Value = super::read(self.body)?;
        let (member, streams): (&str, &[&str]) = match self.kind {
            "user_add_org" | "user_modify_org" | "user_active_org" => ("userid", &["users"]),
            "user_leave_org" => ("userid", &["users", "leavers"]),
            "org_dept_create" | "org_dept_modify" | "org_dept_remove" => ("deptid", &["departments"]),
            "hrm_mdm_user_change" if left(&body) => ("staffid", &["leavers"]),
            "hrm_user_record_change" | "hrm_mdm_user_change" | "hrm_mdm_user_info_change" => ("staffid", &["roster"]),
            "bpms_instance_change" | "bpms_task_change" => ("processinstanceid", &["approvals"]),
            "attendance_check_record" => {
                return Ok(vec![Refresh { stream: "attendance".to_owned(), only: self.punched(&body)? }]);
            }
            _ => return Ok(Vec::new()),
        };
        let only = self.ids(&body, member)?;
        Ok(streams.iter().map(|&stream| Refresh { stream: stream.to_owned(), only: only.clone() }).collect())
    }

    /// The ids under a member: a text, a number, or a list of them. The same member is written `userId`, `userid` and
    /// `UserId`, and a department that was modified says `id`, from one page to the next.
    fn ids(&self, body: &Value, member: &str) -> Result<Vec<String>, Failure> {
        let members = body.as_object().into_iter().flatten();
        let named = members.clone().find(|(name, _)| name.eq_ignore_ascii_case(member));
        let found = named.or_else(|| members.clone().find(|(name, _)| member == "deptid" && *name == "id"));
        let mut ids: Vec<String> = match found {
            Some((_, Value::Array(list))) => list.iter().filter_map(text).collect(),
            Some((_, one)) => text(one).into_iter().collect(),
            None => Vec::new(),
        };
        ids.sort_unstable();
        ids.dedup();
        match ids.len() {
            0 => Err(Failure::invalid_input(format!("event {} names no one under `{member}`", word(self.kind)))),
            1..=IDS_MAX => Ok(ids),
            more => {
                Err(Failure::invalid_input(format!("event {} names {more} ids; at most {IDS_MAX}", word(self.kind))))
            }
        }
    }
}

impl Event<'_> {
    /// The days that punches may belong to: the date in China and, before noon, the day before, on which a night shift began.
    fn punched(&self, body: &Value) -> Result<Vec<String>, Failure> {
        let bad = |what: &str| Failure::invalid_input(format!("event {} {what}", word(self.kind)));
        let list = body.get("dataList").and_then(Value::as_array).ok_or_else(|| bad("has no list `dataList`"))?;
        if list.is_empty() || list.len() > IDS_MAX {
            return Err(bad("names no punch, or more than 1,000"));
        }
        let mut days = Vec::new();
        for punch in list {
            let user = punch.get("userId").and_then(text).ok_or_else(|| bad("has a punch without `userId`"))?;
            let at = punch.get("checkTime").and_then(text).and_then(|ms| ms.parse::<i64>().ok());
            let at = at.ok_or_else(|| bad("has a punch without a time in `checkTime`"))?;
            for ms in [at, at.saturating_sub(NOON_MS)] {
                let day = LocalDate::from_epoch_ms_at_offset(ms, CHINA_MINUTES).map_err(|_| bad("has a wrong time"))?;
                days.push(format!("{user}:{day}"));
            }
        }
        days.sort_unstable();
        days.dedup();
        Ok(days)
    }
}

/// Has the person left? `changeType` 1 hired, 2 confirmed, 3 moved, 4 left, 8 promoted (人事平台员工异动事件v2). A person who
/// left is no longer on the roster.
fn left(body: &Value) -> bool {
    body.get("changeType").and_then(text).as_deref() == Some("4")
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
