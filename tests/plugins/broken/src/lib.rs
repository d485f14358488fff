//! The staff connector with one fault, which its configuration names: what the conformance kit must find, each by the check
//! that is about it. With `fault = "none"` it has none.

#[path = "../../../../plugin-sdk/examples/staff-api/src/record.rs"]
pub mod record;

mod mapping;
mod newest;
mod ties;

use record::Staff;
use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::{Since, Token};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{Coverage, Failure, FailureKind, Page, Pull, Source, clock, export_source, log};

/// The connection's configuration.
#[derive(serde::Deserialize)]
pub struct Config {
    base_url: String,
    fault: String,
    #[serde(default)]
    tenant_key: String,
}

impl Config {
    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }
}

/// The connector.
pub struct Broken;

impl Source for Broken {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        if config.is("loses_ties") {
            return ties::pull(&config, &pull);
        }
        if newest::FAULTS.contains(&config.fault.as_str()) {
            return newest::pull(&config, &pull);
        }
        let since = match Since::resume(pull.cursor.as_deref()) {
            Err(_) if config.is("begins_anew") => Since::default(),
            since => since?,
        };
        talk(&config);
        let answer = ask(&config, &pull, &since)?;
        if config.is("html_is_empty") && answer.body().starts_with(b"<") {
            return Ok(Page::new());
        }
        page_of(&config, &answer, since)
    }
}

/// Logs and requests that the connector makes in addition.
fn talk(config: &Config) {
    if config.is("logs_secret") {
        log::write(log::Level::Info, &format!("pulling with {}", config.tenant_key));
    }
    if config.is("asks_elsewhere") {
        // No one would notice: the answer is not needed.
        let _ = Request::get("https://telemetry.example/collect").send();
    }
}

fn ask(config: &Config, pull: &Pull, since: &Since) -> Result<Response, Failure> {
    let limit = if config.is("ignores_max_records") { 100 } else { pull.max_records };
    let answer = Request::get(format!("{}/employees", config.base_url))
        .query("limit", limit)
        .query_some("updated_since", since.from())
        .query_some("cursor", since.page())
        .send()?
        .ok();
    match answer {
        Err(failure) if config.is("auth_is_internal") && failure.kind == FailureKind::AuthRequired => {
            Err(Failure::internal(failure.message))
        }
        answer => answer,
    }
}

fn page_of(config: &Config, answer: &Response, mut since: Since) -> Result<Page, Failure> {
    if config.is("page_fails_for_one") {
        // As is easily written: all rows or none.
        let whole: serde_json::Value = answer.json()?;
        let rows = whole["data"].as_array().ok_or_else(|| Failure::upstream_changed("no list"))?;
        for row in rows {
            let row = row.to_string();
            let staff: Staff<'_> =
                serde_json::from_str(&row).map_err(|_| Failure::upstream_changed("a row does not fit"))?;
            staff.employee().map_err(|_| Failure::upstream_changed("a row cannot be mapped"))?;
        }
    }
    let mut page = Page::new();
    let rest = page.map_items::<Employee, Staff<'_>>(answer, "/data", |row, item| {
        item.is_about(row.id);
        let changed = Instant::parse(row.updated_at)?.epoch_ms();
        if since.is_new(row.updated_at, changed, row.id) {
            if config.is("logs_people") {
                log::write(log::Level::Info, &format!("mapping {}", row.display_name));
            }
            let id = row.id;
            item.push(id, Some(changed), &mapping::employee(config, row)?)?;
        }
        Ok(())
    })?;
    let next = rest.get::<Token>("/next_cursor")?.text();
    let is_empty = page.records.is_empty() && page.rejects.is_empty();
    if config.is("drops_bad_rows") {
        page.rejects.clear();
    }
    if config.is("order_by_clock") && !page.records.is_empty() {
        let by = clock::now_ms().unsigned_abs() as usize % page.records.len();
        page.records.rotate_left(by);
    }
    if config.is("skips_last_page") && next.is_none() && since.from().is_some() {
        page.records.clear();
    }
    if config.is("stops_at_empty") && is_empty {
        return since.finish(page, None);
    }
    if config.is("follows_offset") {
        return since.finish_unsorted(page, next);
    }
    let page = since.finish(page, next)?;
    // The coverage that only a whole listing may claim.
    let coverage = if config.is("invents_deletes") { Coverage::Everything } else { page.coverage };
    Ok(Page { coverage, ..page })
}

export_source!(Broken);
