//! A vendor made up for tests: it signs its events as the Standard Webhooks specification says (HMAC-SHA256 over
//! `id.timestamp.body`, several signatures side by side), and lets employees be read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_plugin::http::Request;
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::seal;
use renmen_plugin::{
    Delivery, Failure, Outcome, Page, Pull, Source, Webhook, export_source, export_webhook, page::Origin,
};
use serde::Deserialize;
use serde_json::json;

/// The connection's configuration.
#[derive(Deserialize)]
pub struct Config {
    base_url: String,
}

/// An event of the vendor's.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    data: Option<Row>,
}

/// An employee as the vendor writes one.
#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    at_ms: Option<i64>,
}

/// The connector.
pub struct SignedEvents;

impl Webhook for SignedEvents {
    type Config = Config;

    fn receive(_: Config, delivery: Delivery) -> Result<Outcome, Failure> {
        let id = prove(&delivery)?;
        let event: Event<'_> = serde_json::from_slice(&delivery.body)
            .map_err(|error| Failure::invalid_input(format!("the event is not valid JSON (line {})", error.line())))?;
        let outcome = Outcome::json(r#"{"received":true}"#).with_id(id);
        let Some(row) = event.data else { return Ok(outcome) };
        let mut page = Page::new();
        let origin = Origin { exchange: 0, pointer: "/data" };
        match event.kind {
            "employee.updated" => push(&mut page, origin, &row)?,
            "employee.deleted" => page.push_deleted::<Employee>(origin, row.id, row.at_ms),
            "employee.changed" => return Ok(outcome.refresh("employees", vec![row.id])),
            _ => {}
        }
        Ok(outcome.with_page(page))
    }
}

/// The delivery's id, once its signature and its age are good.
fn prove(delivery: &Delivery) -> Result<String, Failure> {
    let wanted = |name: &str| {
        delivery.header(name).ok_or_else(|| Failure::auth_required(format!("the header {name} is missing")))
    };
    let (id, time, signatures) = (wanted("webhook-id")?, wanted("webhook-timestamp")?, wanted("webhook-signature")?);
    let parts = [id.as_bytes(), b".", time.as_bytes(), b".", &delivery.body];
    let mut good = false;
    // More than one while a secret is being changed.
    for signature in signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).take(8) {
        let Ok(signature) = STANDARD.decode(signature) else { continue };
        good = good || seal::verify("events", &parts, &signature)?;
    }
    if !good {
        return Err(Failure::auth_required("the signature is wrong"));
    }
    let seconds: i64 = time.parse().map_err(|_| Failure::auth_required("webhook-timestamp is no number"))?;
    delivery.check_age(seconds.saturating_mul(1000))?;
    Ok(id.to_owned())
}

impl Source for SignedEvents {
    type Config = Config;

    fn pull(config: Config, pull: Pull) -> Result<Page, Failure> {
        let answer =
            Request::get(format!("{}/employees", config.base_url)).query("ids", pull.only.join(",")).send()?.ok()?;
        let rows: Vec<Row> = answer.json()?;
        let mut page = Page::new();
        for (at, row) in rows.iter().enumerate() {
            let pointer = format!("/{at}");
            push(&mut page, Origin { exchange: answer.exchange(), pointer: &pointer }, row)?;
        }
        Ok(page.done("read"))
    }
}

fn push(page: &mut Page, origin: Origin<'_>, row: &Row) -> Result<(), Failure> {
    let employee: Employee = serde_json::from_value(json!({ "person": { "names": { "formatted": row.name } } }))?;
    page.push(origin, row.id.as_str(), row.at_ms, &employee).map_err(|unfit| Failure::internal(unfit.reason))
}

export_source!(SignedEvents);
export_webhook!(SignedEvents);
