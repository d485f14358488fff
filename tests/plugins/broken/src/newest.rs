//! "The newest time is the cursor", as connectors were written before they learnt not to trust a vendor's clock and order. Each
//! fault leaves one of the four precautions out; `newest_is_the_cursor` has none of them.

use renmen_plugin::http::Request;
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull, clock};
use serde::{Deserialize, Serialize};

use crate::Config;
use crate::record::Staff;

pub(crate) const FAULTS: [&str; 5] = [
    "reads_without_overlap",
    "believes_the_future",
    "believes_the_order",
    "follows_an_empty_cursor",
    "newest_is_the_cursor",
];

/// More than the kit asks for.
const OVERLAP_MS: i64 = 600_000;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// Asked from, inclusive.
    from_ms: Option<i64>,
    /// What was read at that time.
    ids: Vec<String>,
    /// The vendor's cursor.
    page: Option<String>,
    /// The newest time of the run.
    newest_ms: Option<i64>,
}

/// What a page held.
#[derive(Default)]
struct Seen {
    first: Option<String>,
    newest_ms: Option<i64>,
    ids: Vec<String>,
    last_ms: Option<i64>,
    ahead: bool,
    sorted: bool,
}

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let lacks = |fault: &str| config.is(fault) || config.is("newest_is_the_cursor");
    let cursor: Cursor = match pull.cursor.as_deref() {
        None => Cursor::default(),
        Some(text) => {
            serde_json::from_str(text).map_err(|_| Failure::invalid_input("the cursor is not of this connector"))?
        }
    };
    let from = cursor.from_ms.map(Instant::from_epoch_ms).transpose();
    let answer = Request::get(format!("{}/employees", config.base_url))
        .query("limit", pull.max_records)
        .query_some("updated_since", from.map_err(|_| Failure::invalid_input("the cursor is not a time"))?)
        .query_some("cursor", cursor.page.as_deref())
        .send()?
        .ok()?;
    let ceiling_ms = if lacks("believes_the_future") { i64::MAX } else { clock::now_ms() + 900_000 };
    let (mut page, mut seen) = (Page::new(), Seen { sorted: true, ..Seen::default() });
    let rest = page.map_items::<Employee, Staff<'_>>(&answer, "/data", |row, item| {
        item.is_about(row.id);
        let changed_ms = Instant::parse(row.updated_at)?.epoch_ms();
        // A page with a bad row comes a second time.
        let again = seen.first.get_or_insert_with(|| row.id.to_owned()) == row.id;
        seen.sorted &= again || seen.last_ms.is_none_or(|last_ms| last_ms <= changed_ms);
        seen.last_ms = Some(changed_ms);
        seen.ahead |= changed_ms > ceiling_ms;
        if changed_ms <= ceiling_ms && seen.newest_ms.is_none_or(|newest_ms| newest_ms < changed_ms) {
            (seen.newest_ms, seen.ids) = (Some(changed_ms), Vec::new());
        }
        if seen.newest_ms == Some(changed_ms) {
            seen.ids.push(row.id.to_owned());
        }
        if cursor.from_ms == Some(changed_ms) && cursor.ids.iter().any(|id| id == row.id) {
            return Ok(());
        }
        let id = row.id;
        item.push(id, Some(changed_ms), &row.employee()?)
    })?;
    if !seen.sorted && !lacks("believes_the_order") {
        return Err(Failure::upstream_changed("the list is not in order"));
    }
    let next: Option<String> = rest.get("/next_cursor")?;
    let next = next.filter(|next| !next.is_empty() || lacks("follows_an_empty_cursor"));
    let newest_ms = cursor.newest_ms.max(seen.newest_ms);
    let moved = seen.newest_ms > cursor.from_ms;
    Ok(match next {
        None => {
            let overlap_ms = if lacks("reads_without_overlap") { 0 } else { OVERLAP_MS };
            let from_ms = newest_ms.map_or(cursor.from_ms, |newest_ms| Some(newest_ms - overlap_ms));
            page.done(serde_json::to_string(&Cursor { from_ms, ..Cursor::default() })?)
        }
        Some(_) if moved && !seen.ahead => {
            let next = Cursor { from_ms: seen.newest_ms, ids: seen.ids, page: None, newest_ms };
            page.more(serde_json::to_string(&next)?)
        }
        next => page.more(serde_json::to_string(&Cursor { page: next, newest_ms, ..cursor })?),
    })
}
