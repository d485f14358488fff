//! The mapping of the example `staff-api` as a guest of Extism: its record file, the SDK's page, and records as JSON.

use extism_pdk::{FnResult, plugin_fn};
use renmen_plugin::Page;
use renmen_plugin::http::Response;
use renmen_plugin::schema::entity::Employee;
use renmen_plugin::schema::types::Instant;
use serde::Serialize;
use serde_json::value::RawValue;

#[path = "../../../../plugin-sdk/examples/staff-api/src/record.rs"]
mod record;

#[derive(Serialize)]
struct Record<'a> {
    external_id: &'a str,
    updated_at_ms: Option<i64>,
    pointer: &'a str,
    payload: &'a RawValue,
}

/// A vendor's page in, records out.
#[plugin_fn]
pub fn map(body: Vec<u8>) -> FnResult<String> {
    let answer = Response::from_parts(200, Vec::new(), body);
    let mut page = Page::new();
    page.map_items::<Employee, record::Staff<'_>>(&answer, "/data", |row, item| {
        let changed = Instant::parse(row.updated_at)?.epoch_ms();
        item.push(row.id, Some(changed), &row.employee()?)
    })
    .map_err(|failure| extism_pdk::Error::msg(failure.message))?;
    let records = page.records.iter().map(|one| {
        let payload = serde_json::from_slice::<&RawValue>(&one.payload)?;
        Ok(Record { external_id: &one.external_id, updated_at_ms: one.updated_at_ms, pointer: &one.pointer, payload })
    });
    Ok(serde_json::to_string(&records.collect::<Result<Vec<_>, serde_json::Error>>()?)?)
}
