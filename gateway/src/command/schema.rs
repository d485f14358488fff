//! `renmen schema`: the canonical records as JSON Schema.

use renmen_schema::EntityKind;
use serde_json::json;

use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(out: Output, entity: Option<&str>) -> anyhow::Result<Outcome> {
    let Some(name) = entity else {
        let document: Vec<_> = EntityKind::ALL
            .iter()
            .map(|kind| json!({ "entity": kind.name(), "collection": kind.collection() }))
            .collect();
        let rows =
            EntityKind::ALL.iter().map(|kind| vec![kind.name().to_owned(), format!("/v1/{}", kind.collection())]);
        out.table(&["entity", "read at"], rows, &document)?;
        return Ok(Outcome::Done);
    };
    let kind = EntityKind::from_name(name)
        .or_else(|| EntityKind::from_collection(name))
        .ok_or_else(|| Usage(format!("there is no entity `{name}`: `renmen schema` lists them")))?;
    out.document(&renmen_schema::json_schema(kind))?;
    Ok(Outcome::Done)
}
