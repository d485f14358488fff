//! Lists with page tokens, and the largest pages that each of them takes.

use std::collections::HashMap;

use axum::response::Response;
use serde_json::{Value, json};

use super::{bad_parameter, ok};

/// The query of a request.
pub(super) type Query = axum::extract::Query<HashMap<String, String>>;

/// A page of these objects; a size above `most`, or a token that was not given out, is a wrong parameter. An empty list is left
/// out of the answer, as the vendor does.
pub(super) fn page<'v>(query: &Query, most: usize, objects: impl Iterator<Item = &'v Value>) -> Response {
    let size = match query.get("page_size").map(|text| text.parse::<usize>()) {
        None => 10,
        Some(Ok(size)) if (1..=most).contains(&size) => size,
        Some(_) => return bad_parameter("page_size"),
    };
    let from = match query.get("page_token").map(|token| token.strip_prefix("sim-").map(str::parse::<usize>)) {
        None => 0,
        Some(Some(Ok(from))) => from,
        Some(_) => return bad_parameter("page_token"),
    };
    let mut rest = objects.skip(from);
    let items: Vec<&Value> = rest.by_ref().take(size).collect();
    let more = rest.next().is_some();
    let mut data = json!({ "has_more": more });
    if !items.is_empty() {
        data["items"] = json!(items);
    }
    if more {
        data["page_token"] = json!(format!("sim-{}", from + size));
    }
    ok(&data)
}

/// `update_start_time`, inclusive, in milliseconds; 0 without one, `None` if it is not a time.
pub(super) fn since(query: &Query) -> Option<i64> {
    query.get("update_start_time").map_or(Some(0), |text| text.parse().ok())
}
