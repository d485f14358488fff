//! Leavers: ids first, details then.

use renmen_plugin::Failure;
use renmen_plugin::http::Response;

use super::{LeaverIds, accept_new, new_request};
use crate::Config;

/// `GET /v1.0/hrm/employees/dismissions`: at most 50 a page.
///
/// # Errors
/// What the answer's code means.
pub fn leaver_ids(config: &Config, token: Option<i64>, most: u32) -> Result<LeaverIds, Failure> {
    let request = new_request(config, "GET", "/v1.0/hrm/employees/dismissions")
        .query("nextToken", token.unwrap_or(0))
        .query("maxResults", most.clamp(1, 50));
    accept_new(request.send()?)?.json()
}

/// `GET /v1.0/hrm/employees/dimissionInfos` (the vendor's spelling): at most 50 people.
///
/// # Errors
/// What the answer's code means.
pub fn leaver_details(config: &Config, ids: &[String]) -> Result<Response, Failure> {
    let list = serde_json::to_string(ids)?;
    accept_new(new_request(config, "GET", "/v1.0/hrm/employees/dimissionInfos").query("userIdList", list).send()?)
}
