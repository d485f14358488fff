//! Of organisational units.

use serde_json::Value;

use crate::facts::Collector;
use crate::id::{Day, Span};

pub(super) fn read(body: &Value, into: &mut Collector<'_>) {
    into.unit(body["code"].as_str(), None);
    for name in body["name"].as_object().into_iter().flat_map(|name| name.values()).filter_map(Value::as_str) {
        into.unit(None, Some(name));
        into.name(name);
    }
    let day = |member: &str| body["validity"][member].as_str().and_then(Day::parse);
    into.one_each(Span::of(day("valid_from"), day("valid_to")));
}
