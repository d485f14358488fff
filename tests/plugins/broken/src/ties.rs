//! Paging by "after the newest time": what shares that time is lost.

use renmen_plugin::http::Request;
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull};

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
    let mut newest = from.map(|from| from.epoch_ms() - 1);
    let mut page = Page::new();
    let rest = page.map_items::<Employee, Staff<'_>>(&answer, "/data", |row, item| {
        item.is_about(row.id);
        let changed = Instant::parse(row.updated_at)?.epoch_ms();
        newest = newest.max(Some(changed));
        let id = row.id;
        item.push(id, Some(changed), &row.employee()?)
    })?;
    let after = newest.and_then(|ms| Instant::from_epoch_ms(ms + 1).ok()).map(|at| at.to_string());
    let more = rest.get::<Option<String>>("/next_cursor")?.is_some();
    Ok(match (more, after) {
        (true, Some(after)) => page.more(after),
        // An empty page before anything was read: from the beginning of time.
        (true, None) => page.more("1970-01-01T00:00:00.000Z"),
        (false, Some(after)) => page.done(after),
        (false, None) => page,
    })
}
