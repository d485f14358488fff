//! The vendor's objects, with the members that are used. What the app has no permission for is absent: unknown, not cleared.

use renmen_plugin::paging::Token;
use serde::{Deserialize, Deserializer, Serialize};

/// Asks for the children of one department.
#[derive(Debug, Serialize)]
pub struct SubDepartments {
    /// The parent.
    pub dept_id: i64,
}

/// One department.
#[derive(Debug, Deserialize)]
pub struct Department {
    /// Id of the department.
    pub dept_id: i64,
    /// Name of the department.
    pub name: String,
    /// The department above.
    pub parent_id: Option<i64>,
}

/// Asks for members of one department.
#[derive(Debug, Serialize)]
pub struct Users {
    /// The department; members of its children are not included.
    pub dept_id: i64,
    /// Where to go on; 0 first.
    pub cursor: i64,
    /// At most 100.
    pub size: u32,
}

/// Asks for one member.
#[derive(Debug, Serialize)]
pub struct OneUser<'a> {
    /// Id of the member.
    pub userid: &'a str,
}

/// The paging part of an answer that lists members.
#[derive(Debug, Deserialize)]
pub struct UserList {
    /// Ask again?
    pub has_more: bool,
    /// Where to go on.
    pub next_cursor: Token,
}

/// One member.
#[derive(Debug, Deserialize)]
pub struct User {
    /// Id within the company.
    pub userid: String,
    /// Whole name.
    pub name: String,
    /// Calling code of the country.
    pub state_code: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// Number at work.
    pub job_number: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Mail address that the company gave.
    pub org_email: Option<String>,
    /// The place of work.
    pub work_place: Option<String>,
    /// Every department.
    #[serde(default, deserialize_with = "or_empty")]
    pub dept_id_list: Vec<i64>,
    /// Midnight in China, in milliseconds.
    pub hired_date: Option<i64>,
}

/// Asks for people on the job.
#[derive(Debug, Serialize)]
pub struct OnJob {
    /// `2,3,5,-1`: probation, regular, leaving, none.
    pub status_list: &'static str,
    /// From 0.
    pub offset: i64,
    /// At most 50.
    pub size: u32,
}

/// Ids of people on the job. The end is an answer without `next_cursor`.
#[derive(Debug, Deserialize)]
pub struct OnJobIds {
    /// Ids.
    pub data_list: Vec<String>,
    /// Where to go on.
    #[serde(default)]
    pub next_cursor: Token,
}

/// Asks for roster fields of at most 100 people.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterQuery<'a> {
    /// The app's AgentId: required by the page 获取员工花名册字段信息 and by the vendor's SDK.
    pub app_agent_id: i64,
    /// The people asked for.
    pub user_id_list: &'a [String],
    /// The codes of the fields; at most 100.
    pub field_filter_list: &'a [&'a str],
}

/// One person's roster.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterEntry {
    /// Id of the person.
    pub user_id: String,
    /// The fields that the app may read.
    #[serde(default, deserialize_with = "or_empty")]
    pub field_data_list: Vec<RosterField>,
}

impl RosterEntry {
    /// The first value of a field.
    #[must_use]
    pub fn value(&self, code: &str) -> Option<&FieldValue> {
        let field = self.field_data_list.iter().find(|field| field.field_code == code)?;
        field.field_value_list.first().filter(|value| value.text().is_some())
    }

    /// The text of the first value of a field.
    #[must_use]
    pub fn text(&self, code: &str) -> Option<String> {
        self.value(code).and_then(FieldValue::text).map(str::to_owned)
    }
}

/// One field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterField {
    /// `sys00-name`.
    pub field_code: String,
    /// A list field has several.
    #[serde(default, deserialize_with = "or_empty")]
    pub field_value_list: Vec<FieldValue>,
}

/// One value: `value` is the option's key, `label` the text that people see.
#[derive(Debug, Deserialize)]
pub struct FieldValue {
    /// Key.
    pub value: Option<String>,
    /// Text.
    pub label: Option<String>,
}

impl FieldValue {
    /// What people see, or the key where there is no text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let filled = |text: &Option<String>| text.is_some();
        let text = if filled(&self.label) { &self.label } else { &self.value };
        text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Ids of leavers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaverIds {
    /// Ids.
    pub user_id_list: Vec<String>,
    /// Ask again?
    #[serde(default)]
    pub has_more: bool,
    /// Where to go on.
    #[serde(default)]
    pub next_token: Token,
}

/// One leaver.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaver {
    /// Id of the person who left.
    pub user_id: String,
    /// Midnight in China, in milliseconds.
    pub last_work_day: Option<i64>,
    /// The vendor's words for leaving by choice.
    #[serde(default, deserialize_with = "or_empty")]
    pub voluntary_reason: Vec<String>,
    /// The vendor's words for having to leave.
    #[serde(default, deserialize_with = "or_empty")]
    pub passive_reason: Vec<String>,
}

/// A list that has nothing in it may be left out, and may be `null`.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Leaver;

    #[test]
    fn a_list_that_is_null_is_an_empty_one() {
        for reason in ["null", "[]", r#"["裁员"]"#] {
            let leaver: Leaver =
                serde_json::from_str(&format!(r#"{{"userId":"u1","passiveReason":{reason}}}"#)).unwrap();
            assert_eq!(leaver.passive_reason.len(), usize::from(reason.contains('裁')), "{reason}");
        }
    }
}
