//! An incremental sync as `changes` of `mapping.toml`, with the places of the window's ends in the request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::left::Lefts;
use super::request::Request;
use super::translate::{Scope, span, text, time_format};
use super::yaml::Node;

/// How a list is asked what changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Changes {
    /// `changes` of mapping.toml; none reads all.
    pub(super) by: Option<Value>,
    /// The member that tells when an item changed, as the schema names it.
    pub(super) field: Option<String>,
    /// `unit` and `zone` of that member.
    pub(super) clock: Map<String, Value>,
}

/// The functions that give the window's ends the vendor's form; none where there is no window.
pub(super) fn window(sync: Option<&Node>) -> Option<Vec<String>> {
    let sync = sync.filter(|sync| sync.component() == "DatetimeBasedCursor")?;
    Some(sync.word("datetime_format").and_then(|format| time_format(format).ok()).unwrap_or_default())
}

impl Changes {
    /// `alone`: the list is not read once for each of something.
    pub(super) fn of(
        sync: Option<&Node>,
        alone: bool,
        request: &mut Request,
        scope: &Scope<'_>,
        left: &mut Lefts,
    ) -> Self {
        let Some(sync) = sync else { return Self::default() };
        if sync.component() != "DatetimeBasedCursor" {
            left.add(sync, sync.component(), "each run reads the whole list");
            return Self::default();
        }
        let field = sync.word("cursor_field").filter(|field| !field.contains("{{")).map(str::to_owned);
        let clock = clock(sync, left);
        if !alone {
            left.add(
                sync,
                "incremental_sync",
                "a list that is read once for each of something is read whole in each run",
            );
            return Self { by: None, field, clock };
        }
        let Some(at) = &field else {
            left.add(sync, "cursor_field", "not a constant name; each run reads the whole list");
            return Self { by: None, field, clock };
        };
        let mut by = Map::from_iter([
            ("by".to_owned(), Value::from("time")),
            ("modified".to_owned(), format!("/{}", at.replace('~', "~0").replace('/', "~1").replace('.', "/")).into()),
        ]);
        by.extend(clock.clone());
        if let Some(lookback) = sync.get("lookback_window").filter(|lookback| !lookback.is_falsy()) {
            match lookback.text().map(span) {
                Some(Ok(span)) => drop(by.insert("overlap".to_owned(), span.into())),
                _ => left.add(lookback, "lookback_window", "not a constant span of days or less; `overlap` is 10m"),
            }
        }
        ends(sync, request, left);
        begin(sync, scope, request, &mut by, left);
        told(sync, left);
        Self { by: Some(Value::Object(by)), field, clock }
    }
}

/// Puts the window's ends where the request wants them.
fn ends(sync: &Node, request: &mut Request, left: &mut Lefts) {
    let format = sync.get("datetime_format");
    let functions = match format.and_then(Node::text).map(time_format) {
        None => Vec::new(),
        Some(Ok(functions)) => functions,
        Some(Err(why)) => {
            left.add(
                format.unwrap_or(sync),
                "datetime_format",
                format!("{why}; the time goes as the vendor writes it"),
            );
            Vec::new()
        }
    };
    let functions: String = functions.iter().map(|function| format!(" | {function}")).collect();
    for (option, root) in [("start_time_option", "since"), ("end_time_option", "until")] {
        if let Some(option) = sync.get(option) {
            request.inject(option, &format!("{{{root}{functions}}}"), left);
        }
    }
}

/// Where the first run begins.
fn begin(sync: &Node, scope: &Scope<'_>, request: &mut Request, by: &mut Map<String, Value>, left: &mut Lefts) {
    let Some(start) = sync.get("start_datetime") else { return };
    let raw = start.text().or_else(|| start.word("datetime"));
    for bound in ["min_datetime", "max_datetime"] {
        if let Some(bound) = start.get(bound) {
            left.add(bound, "MinMaxDatetime", "the bound does not count");
        }
    }
    match raw.map(|raw| text(raw, scope)) {
        Some(Ok(translated)) => {
            // The beginning of time is where a run begins by itself.
            let Some(text) = translated.text.filter(|text| !text.starts_with("1970-01-01")) else { return };
            request.config.extend(translated.config);
            by.insert("start".to_owned(), text.into());
        }
        Some(Err(why)) => {
            left.add(start, "start_datetime", format!("{why} has no counterpart; the first run reads all"));
        }
        None => {}
    }
}

/// What counts in there and not here.
fn told(sync: &Node, left: &mut Lefts) {
    if let Some(step) = sync.get("step") {
        left.add(step, "step", "one request asks for the whole time since the last run, and not one for each step");
    }
    if sync.truth("is_data_feed") == Some(true) {
        left.add(sync, "is_data_feed", "the list is read to its end");
    }
    if sync.truth("is_client_side_incremental") == Some(true) {
        left.add(
            sync,
            "is_client_side_incremental",
            "every item of the list is taken in, as the vendor is not asked for less",
        );
    }
    let now = |text: &str| text.contains("now_utc") || text.contains("today_utc");
    let end = sync.get("end_datetime").filter(|_| sync.get("end_time_option").is_some());
    if let Some(end) = end.filter(|end| !end.text().or_else(|| end.word("datetime")).is_some_and(now)) {
        left.add(end, "end_datetime", "a run asks for what changed up to its own beginning");
    }
}

/// How the member is written: `unit`, or the zone of a time without one.
fn clock(sync: &Node, left: &mut Lefts) -> Map<String, Value> {
    let own = sync.get("cursor_datetime_formats").map(Node::items).unwrap_or_default();
    let formats: Vec<&str> = own.iter().filter_map(Node::text).collect();
    let formats = if formats.is_empty() { sync.word("datetime_format").into_iter().collect() } else { formats };
    let table = |key: &str, value: &str| Map::from_iter([(key.to_owned(), json!(value))]);
    let kinds: BTreeSet<&str> = formats.iter().map(|format| kind(format)).collect();
    let one = if kinds.len() == 1 { kinds.first().copied() } else { None };
    match one {
        Some("utc") => Map::new(),
        Some("ms") => table("unit", "ms"),
        Some("s") => table("unit", "s"),
        Some("zone") => table("zone", "Z"),
        _ => {
            let node = sync.get("cursor_datetime_formats").or_else(|| sync.get("datetime_format")).unwrap_or(sync);
            left.add(node, "cursor_datetime_formats", "times are read as RFC 3339, or as days and times in UTC");
            table("zone", "Z")
        }
    }
}

/// How a form of time is read here.
fn kind(format: &str) -> &'static str {
    let has_zone =
        format.ends_with('Z') || format.ends_with("%z") || format.ends_with("%:z") || format.ends_with("+00:00");
    match format {
        "%s" => "s",
        "%ms" => "ms",
        "%Y-%m-%d" => "zone",
        _ if format.starts_with("%Y-%m-%dT%H:%M:%S") && has_zone => "utc",
        _ if (format.starts_with("%Y-%m-%dT%H:%M") || format.starts_with("%Y-%m-%d %H:%M")) && !has_zone => "zone",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::yaml::read;
    use super::*;

    fn changes(text: &str, alone: bool) -> (Value, Request, Vec<String>) {
        let (mut request, mut left) = (Request::default(), Lefts::default());
        let node = read(&format!("{{ type: DatetimeBasedCursor, {text} }}")).unwrap();
        let changes = Changes::of(Some(&node), alone, &mut request, &Scope::default(), &mut left);
        (changes.by.unwrap_or_default(), request, left.sorted().into_iter().map(|left| left.what).collect())
    }

    #[test]
    fn windows_become_changes_with_their_ends_in_the_request() {
        let (by, request, left) = changes(
            "cursor_field: updatedAt, cursor_datetime_formats: ['%ms'], datetime_format: '%ms', lookback_window: P1D, start_datetime: { datetime: \"{{ config['start'] }}\" }, start_time_option: { inject_into: request_parameter, field_name: from }, end_time_option: { inject_into: request_parameter, field_name: to }, end_datetime: { datetime: '{{ now_utc() }}' }",
            true,
        );
        assert_eq!(
            by,
            json!({ "by": "time", "modified": "/updatedAt", "unit": "ms", "overlap": "1d", "start": "{config/start}" })
        );
        assert_eq!(json!(request.query), json!({ "from": "{since | ms}", "to": "{until | ms}" }));
        assert_eq!((request.config.len(), left.len()), (1, 0), "{left:?}");
        let (by, _, left) = changes("cursor_field: d, datetime_format: '%Y-%m-%d', start_datetime: '1970-01-01'", true);
        assert_eq!(by, json!({ "by": "time", "modified": "/d", "zone": "Z" }));
        assert_eq!(left, Vec::<String>::new());
    }

    #[test]
    fn what_counts_there_and_not_here_is_told() {
        let (_, _, left) = changes(
            "cursor_field: d, datetime_format: '%d.%m.%Y', step: P30D, is_data_feed: true, is_client_side_incremental: true, lookback_window: P1M, start_datetime: { datetime: '{{ last_record }}', min_datetime: x }",
            true,
        );
        for what in [
            "step",
            "is_data_feed",
            "is_client_side_incremental",
            "lookback_window",
            "start_datetime",
            "MinMaxDatetime",
            "cursor_datetime_formats",
        ] {
            assert!(left.iter().any(|left| left == what), "{what}: {left:?}");
        }
        let (by, request, left) = changes(
            "cursor_field: d, datetime_format: '%s', start_time_option: { inject_into: request_parameter, field_name: from }",
            false,
        );
        assert_eq!((by, request.query.len()), (Value::Null, 0));
        assert_eq!(left, ["incremental_sync"]);
    }
}
