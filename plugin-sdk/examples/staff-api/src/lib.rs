//! A whole connector: staff from a JSON API that pages and can be asked what changed.
//!
//! It owns the request and the mapping, and knows nothing of credentials, retries, rates or storage. Were the API to
//! ask for a key, `.slot("api")` on the request would be all: the gateway adds the credential, this code never sees it.

mod record;

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::{Since, Token};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull, Source, export_source};

pub use record::Staff;

/// The connection's configuration.
#[derive(serde::Deserialize)]
pub struct Config {
    base_url: String,
}

/// The connector.
pub struct StaffApi;

/// A row as far as its time.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    updated_at: &'a str,
}

impl Changed<'_> {
    fn time(&self) -> Option<(String, i64)> {
        Some((self.updated_at.to_owned(), Instant::parse(self.updated_at).ok()?.epoch_ms()))
    }
}

impl Source for StaffApi {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        let since = Since::resume(pull.cursor.as_deref())?;
        let employees = |since: &Since| {
            Request::get(format!("{}/employees", config.base_url))
                .query("limit", pull.max_records)
                .query_some("updated_since", since.from())
                .query_some("cursor", since.page())
        };
        let answer = employees(&since).send()?.ok()?;
        since.prefetch(&answer, ("/data", "/next_cursor"), Changed::time, employees);
        page_of(&answer, since)
    }
}

fn page_of(answer: &Response, mut since: Since) -> Result<Page, Failure> {
    let mut page = Page::new();
    let rest = page.map_items::<Employee, Staff<'_>>(answer, "/data", |row, item| {
        item.is_about(row.id);
        let changed = Instant::parse(row.updated_at)?.epoch_ms();
        if since.is_new(row.updated_at, changed, row.id) {
            item.push(row.id, Some(changed), &row.employee()?)?;
        }
        Ok(())
    })?;
    since.finish(page, rest.get::<Token>("/next_cursor")?)
}

export_source!(StaffApi);

/// The mapping without a gateway around it: the very code that runs in the sandbox, for comparing the two.
///
/// # Errors
/// As a pull.
pub fn map(body: Vec<u8>) -> Result<Page, Failure> {
    page_of(&Response::from_parts(200, Vec::new(), body), Since::default())
}
