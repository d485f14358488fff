//! @name@: employees from a list that is read whole, by offset.
//!
//! Here is the request; `record` is the mapping. The gateway fetches the OAuth2 token, keeps it and puts it on each request; this
//! code never sees the secret.

mod record;

use record::Row;
use renmen_plugin::http::Request;
use renmen_plugin::paging::Listing;
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
        // The list is read from its beginning in every run, because this vendor cannot say what changed; the gateway finds out what
        // did, and takes what is no longer listed as gone. A list that shifts while it is read is noticed and read once more.
        let listing = Listing::resume(pull.cursor.as_deref())?;
        // What this vendor gives at once is at most 200 records.
        let limit = listing.limit(pull.max_records.min(199));
        let answer = employees(&config).query("offset", listing.offset()).query("limit", limit).send()?.ok()?;
        let mut page = Page::new();
        // A row that cannot be mapped goes to quarantine with its reason; the others are not touched by it.
        let rest = page.map_items::<Employee, Row>(&answer, "/data", |row, item| {
            item.is_about(&row.id);
            let changed = Instant::parse(&row.updated_at).map_err(|e| Unfit::field("updatedAt", e))?.epoch_ms();
            if !listing.is_overlap(&row.id) {
                item.push(row.id.clone(), Some(changed), &row.employee()?)?;
            }
            Ok(())
        })?;
        page.total = rest.get("/total")?;
        listing.finish(page, &answer, "/data", "/id", limit)
    }

    fn probe(config: Config) -> Result<Vec<Finding>, Failure> {
        employees(&config).query("offset", 0).query("limit", 1).send()?.ok()?;
        Ok(vec![Finding::good("list employees", "the API answers and takes the token")])
    }
}

/// The gateway puts the token on it that it fetched with the slot's secret.
fn employees(config: &Config) -> Request {
    Request::get(format!("{}/employees", config.base_url)).slot("app")
}

export_source!(@type@);
