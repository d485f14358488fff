//! `renmen changes`: the feed, from the command line.

use renmen_schema::EntityKind;
use renmen_store::ChangeRow;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::Outcome;
use crate::output::{Output, time};

/// Entries read at a time.
const BATCH: u32 = 1_000;

/// Runs the command.
pub(crate) async fn run(
    common: &Common,
    out: Output,
    mut after: i64,
    entity: Option<&str>,
    limit: u32,
) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = deployment.store_to_read().await?;
    let mut found: Vec<ChangeRow> = Vec::new();
    while (found.len() as u64) < u64::from(limit) {
        let wanted = BATCH.min(limit - u32::try_from(found.len()).unwrap_or(limit));
        let batch = store.changes(&deployment.config.gateway.tenant, after, entity, wanted).await?;
        let Some(last) = batch.last() else { break };
        after = last.seq;
        // What only an auditor reads is not told of here either.
        let kept = |row: &ChangeRow| EntityKind::from_name(&row.entity).is_some_and(EntityKind::is_for_audits_only);
        found.extend(batch.into_iter().filter(|row| !kept(row)));
    }
    let document: Vec<Value> = found
        .iter()
        .map(|c| {
            json!({ "seq": c.seq, "kind": c.kind, "id": c.id, "entity": c.entity, "connection": c.connection,
                    "external_id": c.external_id, "revision": c.revision, "at": time(c.at_ms) })
        })
        .collect();
    let rows = found.iter().map(|c| {
        let kind = format!("{:?}", c.kind).to_lowercase();
        vec![
            c.seq.to_string(),
            kind,
            c.entity.clone(),
            c.external_id.clone(),
            c.revision.to_string(),
            time(c.at_ms),
            c.id.to_string(),
        ]
    });
    let head = ["seq", "what", "entity", "external id", "revision", "at", "id"];
    out.fitted_table(&head, &["id", "at", "revision"], rows, &document)?;
    Ok(Outcome::Done)
}
