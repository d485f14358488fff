//! @name@: employees from a paged JSON API that can be asked what changed.
//!
//! Here is the request; `record` is the mapping. No credential, no retry, no rate, no storage: those are the gateway's.

mod record;

use record::Row;
use renmen_plugin::http::Request;
use renmen_plugin::paging::{Since, Token};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Finding, Page, Pull, Source, Unfit, export_source};

/// The connection's `config`, as `config_schema` in plugin.toml allows it.
#[derive(serde::Deserialize)]
pub struct Config {
    base_url: String,
}

/// The connector.
pub struct @type@;

impl Source for @type@ {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        if pull.stream != "employees" {
            return Err(pull.unknown_stream());
        }
        // The cursor remembers the newest time that was seen; an empty one reads everything. Each run asks from ten minutes before
        // it, and a time far ahead of the clock moves nothing: `Since::resume_within` takes other limits. The list must come oldest
        // first, which is checked; for one in no order end with `since.finish_unsorted`.
        let mut since = Since::resume(pull.cursor.as_deref())?;
        let list = |since: &Since| {
            employees(&config)
                .query("limit", pull.max_records)
                .query_some("updated_since", since.from())
                .query_some("cursor", since.page())
        };
        let answer = list(&since).send()?.ok()?;
        // Where the list goes on can be told from its last row: the gateway fetches the next page while this one is mapped.
        since.prefetch(&answer, ("/data", "/next_cursor"), Changed::time, list);
        let mut page = Page::new();
        // A row that cannot be mapped goes to quarantine with its reason; the others are not touched by it.
        let rest = page.map_items::<Employee, Row>(&answer, "/data", |row, item| {
            item.is_about(&row.id);
            let changed = Instant::parse(&row.updated_at).map_err(|e| Unfit::field("updatedAt", e))?.epoch_ms();
            if since.is_new(&row.updated_at, changed, &row.id) {
                item.push(row.id.clone(), Some(changed), &row.employee()?)?;
            }
            Ok(())
        })?;
        since.finish(page, rest.get::<Token>("/next_cursor")?)
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        employees(&config).query("limit", 1).send()?.ok()?;
        Ok(vec![Finding::good("list employees", "the API answers and takes the key")])
    }
}

/// A row as far as its time.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    updated_at: String,
}

impl Changed {
    /// The vendor's words, and the same in milliseconds.
    fn time(&self) -> Option<(String, i64)> {
        Some((self.updated_at.clone(), Instant::parse(&self.updated_at).ok()?.epoch_ms()))
    }
}

/// The gateway puts the credential of the slot on it.
fn employees(config: &Config) -> Request {
    Request::get(format!("{}/employees", config.base_url)).slot("api_key")
}

export_source!(@type@);
