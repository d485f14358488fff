//! Which rows of which table are a tenant's.
//!
//! A table with a column `tenant` needs no entry: its rows are those of that name. Any other is named here, or no tenant leaves: a table
//! of a later migration cannot be forgotten.

use renmen_schema::id::TenantId;

use crate::StoreError;
use crate::copy::Table;

/// Tables without the tenant's name, by what leads to it; those that another is reached through come after it.
const REACHED: [(&str, &str); 17] = [
    ("exchange", "page IN (SELECT id FROM page WHERE stream IN {streams})"),
    ("finding", "run IN (SELECT id FROM run WHERE stream IN {streams})"),
    ("omission", "run IN (SELECT id FROM run WHERE stream IN {streams})"),
    ("revision", "record IN (SELECT id FROM record WHERE scope IN {scopes})"),
    ("cause", "record IN (SELECT id FROM record WHERE scope IN {scopes})"),
    ("signature", "record IN (SELECT id FROM record WHERE scope IN {scopes})"),
    ("quarantine", "stream IN {streams}"),
    ("stream_scope", "stream IN {streams}"),
    ("record_key", "scope IN {scopes}"),
    ("insight_row", "scope IN {scopes}"),
    ("gone", "scope IN {scopes}"),
    ("change", "feed IN (SELECT id FROM feed WHERE tenant = {tenant})"),
    ("flow_version", "flow IN (SELECT id FROM flow WHERE tenant = {tenant})"),
    ("record", "scope IN {scopes}"),
    ("page", "stream IN {streams}"),
    (PLUGIN, "id IN (SELECT plugin FROM run WHERE stream IN {streams})"),
    (RUN, "stream IN {streams}"),
];

/// What is a database's own and never a tenant's to take along.
const STAYS: [&str; 7] =
    ["cell_number", "feed_epoch", "feed_mark", "page_in_use", "registry_version", "retention_pass", "tenant_move"];

/// Shared by tenants: a row is found again by what it says, and its number is another one in each database.
pub(super) const PLUGIN: &str = "plugin";
pub(super) const RUN: &str = "run";

/// What other gateways of the target wait for while it is written, so it comes last.
const LAST: [&str; 3] = ["feed", PLUGIN, RUN];
/// What others are reached through, so it is deleted last.
const DELETED_LAST: [&str; 4] = ["flow", "feed", "stream", "scope"];

/// The tables of a tenant, each with the condition that its rows meet, in the order in which they are written.
pub(super) fn of_tenant(all: Vec<Table>, tenant: &TenantId) -> Result<Vec<Table>, StoreError> {
    let mut found = Vec::with_capacity(all.len());
    for table in all.into_iter().filter(|table| !STAYS.contains(&table.name.as_str())) {
        let only = condition(&table, tenant)?;
        found.push(Table { only: Some(only), ..table });
    }
    found.sort_by_key(|table| LAST.iter().position(|last| *last == table.name).map_or(0, |at| at + 1));
    Ok(found)
}

/// The same in the order in which they are deleted; what tenants share is left out.
pub(super) fn to_delete(all: Vec<Table>, tenant: &TenantId) -> Result<Vec<Table>, StoreError> {
    let mut found = of_tenant(all, tenant)?;
    found.retain(|table| table.name != PLUGIN);
    let place = |table: &Table| {
        let reached = REACHED.iter().position(|(name, _)| *name == table.name);
        let last = DELETED_LAST.iter().position(|name| *name == table.name);
        reached.or(last.map(|at| REACHED.len() + 1 + at)).unwrap_or(REACHED.len())
    };
    found.sort_by_key(place);
    Ok(found)
}

fn condition(table: &Table, tenant: &TenantId) -> Result<String, StoreError> {
    // A name has no quotes: see `TenantId`. All the same none could end the text.
    let name = format!("'{}'", tenant.as_str().replace('\'', "''"));
    let reached = REACHED.iter().find(|(name, _)| *name == table.name).map(|(_, only)| *only);
    let only = match reached {
        Some(only) => only,
        None if table.columns.iter().any(|column| column.name == "tenant") => "tenant = {tenant}",
        None => {
            return Err(StoreError::Fault(format!(
                "whose the rows of the table `{}` are is not known: this program cannot move a tenant",
                table.name
            )));
        }
    };
    Ok(only
        .replace("{streams}", "(SELECT id FROM stream WHERE tenant = {tenant})")
        .replace("{scopes}", "(SELECT id FROM scope WHERE tenant = {tenant})")
        .replace("{tenant}", &name))
}
