//! Paging by "after the newest time": what shares that time is lost. Between runs it has an overlap, so that this is all.

use renmen_plugin::http::Request;
use renmen_plugin::paging::Token;
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull, clock};

use crate::Config;
use crate::record::Staff;

pub(crate) fn pull(config: &Config, pull: &Pull) -> Result<Page, Failure> {
    let from = match pull.cursor.as_deref() {
        None => None,
        Some(text) => Some(Instant::parse(text).map_err(|_| Failure::invalid_input("the cursor is no time"))?),
    };
    let answer = Request::get(format!("{}/employees", config.base_url))
        .query("limit", pull.max_records)
        .query_some("updated_since", from)
        .send()?
        .ok()?;
    let ceiling_ms = clock::now_ms() + 900_000;
    let mut newest = from.map(|from| from.epoch_ms() - 1);
    let (mut first, mut last, mut sorted) = (None::<String>, i64::MIN, true);
    let mut page = Page::new();
    let rest = page.map_items::<Employee, Staff<'_>>(&answer, "/data", |row, item| {
        item.is_about(row.id);
        let changed = Instant::parse(row.updated_at)?.epoch_ms();
        // A page with a bad row comes a second time.
        sorted &= last <= changed || first.as_ref().is_some_and(|first| first == row.id);
        first.get_or_insert_with(|| row.id.to_owned());
        last = changed;
        newest = newest.max(Some(changed).filter(|changed| *changed <= ceiling_ms));
        let id = row.id;
        item.push(id, Some(changed), &row.employee()?)
    })?;
    if !sorted {
        return Err(Failure::upstream_changed("the list is not in order"));
    }
    let more = rest.get::<Token>("/next_cursor")?.text().is_some();
    let back_ms = if more { -1 } else { 600_000 };
    let after = newest.and_then(|ms| Instant::from_epoch_ms(ms - back_ms).ok()).map(|at| at.to_string());
    Ok(match (more, after) {
        (true, Some(after)) => page.more(after),
        // An empty page before anything was read: from the beginning of time.
        (true, None) => page.more("1970-01-01T00:00:00.000Z"),
        (false, Some(after)) => page.done(after),
        (false, None) => page,
    })
}
