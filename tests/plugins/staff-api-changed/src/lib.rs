//! The connector of the README with one change in its mapping: coordinators get another title. What a replay must find.

#[path = "../../../../plugin-sdk/examples/staff-api/src/record.rs"]
pub mod record;

use record::Staff;
use renmen_plugin::http::Request;
use renmen_plugin::paging::{Since, Token};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Failure, Page, Pull, Source, export_source};

/// The connection's configuration.
#[derive(serde::Deserialize)]
pub struct Config {
    base_url: String,
}

/// The connector.
pub struct Changed;

impl Source for Changed {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        let mut since = Since::resume(pull.cursor.as_deref())?;
        let answer = Request::get(format!("{}/employees", config.base_url))
            .query("limit", pull.max_records)
            .query_some("updated_since", since.from())
            .query_some("cursor", since.page())
            .send()?
            .ok()?;
        let mut page = Page::new();
        let rest = page.map_items::<Employee, Staff<'_>>(&answer, "/data", |row, item| {
            item.is_about(row.id);
            let changed = Instant::parse(row.updated_at)?.epoch_ms();
            if since.is_new(row.updated_at, changed, row.id) {
                let id = row.id;
                let mut employee = row.employee()?;
                if let Some(work) = employee.work.as_mut().filter(|work| work.title.as_deref() == Some("Coordinator")) {
                    work.title = Some("Team Coordinator".to_owned());
                }
                item.push(id, Some(changed), &employee)?;
            }
            Ok(())
        })?;
        since.finish(page, rest.get::<Token>("/next_cursor")?)
    }
}

export_source!(Changed);
