//! @name@: employees from a JSON API that calls back when one changes.
//!
//! The gateway proves each delivery (`[webhook.proof]` in plugin.toml) before this code sees it, keeps it, and answers the vendor.
//! Here is what a delivery means, and the requests for what it does not hold; `record` is the mapping.

mod record;

use record::Row;
use renmen_plugin::http::{Request, Response};
use renmen_plugin::page::Origin;
use renmen_plugin::paging::{Since, Token};
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use renmen_plugin::{
    Delivery, Failure, Finding, Item, Outcome, Page, Pull, Source, Unfit, Webhook, export_source, export_webhook,
};
use serde::Deserialize;

/// The connection's `config`, as `config_schema` in plugin.toml allows it.
#[derive(Deserialize)]
pub struct Config {
    base_url: String,
}

/// What the vendor sends: `{"id": "evt-1", "type": "employee.updated", "data": […]}`.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

/// An employee of whom the event says no more than the id.
#[derive(Deserialize)]
struct Named {
    id: String,
}

/// The connector.
pub struct @type@;

impl Webhook for @type@ {
    type Config = Config;

    fn receive(_: Config, delivery: Delivery) -> Result<Outcome, Failure> {
        let body = delivery.as_response();
        let event: Event = body.json().map_err(|fault| Failure::invalid_input(fault.message))?;
        // By this id a delivery that the vendor repeats is known, and is not taken in twice.
        let outcome = Outcome::json(r#"{"received":true}"#).with_id(event.id);
        match event.kind.as_str() {
            "employee.updated" => {
                let mut page = Page::new();
                page.map_items::<Employee, Row>(&body, "/data", |row, item| push(item, row))?;
                Ok(outcome.with_page(page))
            }
            "employee.deleted" => {
                let mut page = Page::new();
                page.map_items::<Employee, Named>(&body, "/data", |row, item| {
                    item.push_deleted::<Employee>(row.id, None);
                    Ok(())
                })?;
                Ok(outcome.with_page(page))
            }
            // It says who changed and not how: the gateway pulls these employees, with their ids in `pull.only`.
            "employee.changed" => Ok(outcome.refresh("employees", named(&body)?)),
            // An event that means nothing to us is accepted, or the vendor would send it again and again.
            _ => Ok(outcome),
        }
    }
}

fn named(body: &Response) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Data {
        data: Vec<Named>,
    }
    let data: Data = body.json().map_err(|fault| Failure::invalid_input(fault.message))?;
    Ok(data.data.into_iter().map(|row| row.id).collect())
}

impl Source for @type@ {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        if pull.stream != "employees" {
            return Err(pull.unknown_stream());
        }
        if !pull.only.is_empty() {
            return some(&config, &pull.only);
        }
        // Deliveries get lost: the changes are read on schedule too, from ten minutes before the newest that was seen.
        let mut since = Since::resume(pull.cursor.as_deref())?;
        let answer = employees(&config)
            .query("limit", pull.max_records)
            .query_some("updated_since", since.from())
            .query_some("cursor", since.page())
            .send()?
            .ok()?;
        let mut page = Page::new();
        let rest = page.map_items::<Employee, Row>(&answer, "/data", |row, item| {
            item.is_about(&row.id);
            if since.is_new(&row.updated_at, changed_ms(&row)?, &row.id) {
                push(item, row)?;
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

/// Reads the employees that an event named. One that the vendor no longer has is gone.
fn some(config: &Config, ids: &[String]) -> Result<Page, Failure> {
    let mut page = Page::new();
    for id in ids {
        let answer = employees(config).query("id", id).send()?.ok()?;
        let rest = page.map_items::<Employee, Row>(&answer, "/data", |row, item| push(item, row))?;
        if rest.items == 0 {
            let origin = Origin { exchange: answer.exchange(), pointer: "/data" };
            page.push_deleted::<Employee>(origin, id.clone(), None);
        }
    }
    Ok(page.done(""))
}

fn push(item: &mut Item<'_>, row: Row) -> Result<(), Unfit> {
    item.is_about(&row.id);
    let changed = changed_ms(&row)?;
    item.push(row.id.clone(), Some(changed), &row.employee()?)
}

fn changed_ms(row: &Row) -> Result<i64, Unfit> {
    Ok(Instant::parse(&row.updated_at).map_err(|e| Unfit::field("updatedAt", e))?.epoch_ms())
}

/// The gateway puts the credential of the slot on it.
fn employees(config: &Config) -> Request {
    Request::get(format!("{}/employees", config.base_url)).slot("api_key")
}

export_source!(@type@);
export_webhook!(@type@);
