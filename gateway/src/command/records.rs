//! `renmen records`: what is in the store.

use std::collections::BTreeMap;

use renmen_api::{Expand, FollowLimits, ReferenceView, Shown, follow};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{EntityKind, text};
use renmen_store::{RecordQuery, RecordRow, Store};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, thousands, time};

/// What to read.
pub(crate) struct Ask {
    pub(crate) collection: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) connection: Option<ConnectionName>,
    pub(crate) external_id: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) expand: Option<String>,
    pub(crate) limit: u32,
}

/// Where it is read, and how it is shown.
struct Reader<'a> {
    store: &'a dyn Store,
    tenant: &'a TenantId,
    limits: FollowLimits,
    out: Output,
}

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = deployment.store_to_read().await?;
    let gateway = &deployment.config.gateway;
    let limits = FollowLimits {
        references_max: gateway.limits.references_max as usize,
        bytes_max: usize::try_from(gateway.limits.page_bytes_max)?,
    };
    let reader = Reader { store: &*store, tenant: &gateway.tenant, limits, out };
    let Some(collection) = &ask.collection else { return reader.counts().await };
    let kind = kind_of(collection)?;
    let expand = ask.expand.as_deref().map(|names| expand_of(kind, names)).transpose()?;
    match &ask.id {
        Some(id) => reader.one(kind, id, expand).await,
        None => {
            let query = RecordQuery {
                entity: Some(kind.name().to_owned()),
                connection: ask.connection,
                external_id: ask.external_id,
                include_deleted: ask.deleted,
                ..RecordQuery::default()
            };
            reader.list((kind, query), expand, ask.limit).await
        }
    }
}

fn expand_of(kind: EntityKind, names: &str) -> Result<Expand, Usage> {
    Expand::of(kind, names).map_err(|expected| {
        Usage(text!("`--expand={names}`: expected {expected}", "`--expand={names}`：应为 {expected}"))
    })
}

fn kind_of(collection: &str) -> Result<EntityKind, Usage> {
    let found = EntityKind::from_collection(collection).or_else(|| EntityKind::from_name(collection));
    if let Some(kind) = found.filter(|kind| kind.is_for_audits_only()) {
        return Err(Usage(text!(
            "only a key with the role `auditor` reads {kind}: make one with `renmen key new audit --role auditor`, and read \
             `GET /v1/{}` with it",
            "只有角色为 `auditor` 的密钥可以读取 {kind}：请用 `renmen key new audit --role auditor` 创建，并用它读取 `GET /v1/{}`",
            kind.collection()
        )));
    }
    found.ok_or_else(|| {
        let known: Vec<&str> = EntityKind::ALL.iter().map(|kind| kind.collection()).collect();
        Usage(text!(
            "there is no collection `{collection}`; there are: {}",
            "没有集合 `{collection}`；可用的为：{}",
            known.join(", ")
        ))
    })
}

impl Reader<'_> {
    async fn counts(&self) -> anyhow::Result<Outcome> {
        let counts = self.store.counts(self.tenant).await?;
        let document: Vec<Value> = counts
            .iter()
            .map(|c| json!({ "entity": c.entity, "connection": c.connection, "live": c.live, "deleted": c.deleted }))
            .collect();
        let number = |n: i64| thousands(u64::try_from(n).unwrap_or(0));
        let rows =
            counts.iter().map(|c| vec![c.entity.clone(), c.connection.to_string(), number(c.live), number(c.deleted)]);
        self.out.table(&["entity", "connection", "live", "deleted"], rows, &document)?;
        Ok(Outcome::Done)
    }

    async fn one(&self, kind: EntityKind, id: &str, expand: Option<Expand>) -> anyhow::Result<Outcome> {
        let id: RecordId = id.parse().map_err(|_| Usage(text!("`{id}` is not a record id", "`{id}` 不是记录编号")))?;
        let Some(row) = self.store.record(self.tenant, id).await?.filter(|row| row.entity == kind.name()) else {
            self.out.say(text!("record not found", "没有该记录"));
            return Ok(Outcome::Failed);
        };
        let mut shown = document(&row)?;
        if let Some(expand) = expand {
            let followed = self.followed(kind, &[row], expand).await?;
            let of_it = followed.of_each.first().map(|(references, truncated)| (json!(references), *truncated));
            let (references, truncated) = of_it.unwrap_or_default();
            shown["references"] = references;
            shown["references_truncated"] = json!(truncated);
            shown["expanded"] = json!(followed.expanded);
            shown["expanded_truncated"] = json!(followed.truncated);
        }
        self.out.document(&shown)?;
        Ok(Outcome::Done)
    }

    async fn list(
        &self,
        (kind, mut query): (EntityKind, RecordQuery),
        expand: Option<Expand>,
        limit: u32,
    ) -> anyhow::Result<Outcome> {
        let mut found = Vec::new();
        while (found.len() as u64) < u64::from(limit) {
            query.limit = (limit - u32::try_from(found.len()).unwrap_or(limit)).min(1_000);
            let slice = self.store.records(self.tenant, &query).await?;
            found.extend(slice.items);
            query.after = slice.next;
            if query.after.is_none() {
                break;
            }
        }
        let documents = found.iter().map(document).collect::<anyhow::Result<Vec<Value>>>()?;
        let rows = found.iter().map(|row| {
            vec![
                row.id.to_string(),
                row.connection.to_string(),
                row.external_id.clone(),
                row.revision.to_string(),
                time(row.recorded_at_ms),
                if row.deleted.is_some() { "gone".into() } else { String::new() },
            ]
        });
        let head = ["id", "connection", "external id", "revision", "recorded", ""];
        let Some(expand) = expand else {
            self.out.fitted_table(&head, &["recorded", "revision"], rows, &documents)?;
            return Ok(Outcome::Done);
        };
        let followed = self.followed(kind, &found, expand).await?;
        let mut data = Vec::with_capacity(documents.len());
        let mut lines = Vec::with_capacity(documents.len());
        for (mut document, (references, truncated)) in documents.into_iter().zip(&followed.of_each) {
            document["references"] = json!(references);
            document["references_truncated"] = json!(truncated);
            data.push(document);
            lines.push((references.as_slice(), *truncated));
        }
        let document = json!({ "data": data, "expanded": followed.expanded, "expanded_truncated": followed.truncated });
        let rows = rows.zip(lines).map(|(mut row, (references, truncated))| {
            row.push(refers_to(references, truncated));
            row
        });
        let head = [&head[..], &["refers to"]].concat();
        self.out.fitted_table(&head, &["recorded", "revision"], rows, &document)?;
        Ok(Outcome::Done)
    }

    async fn followed(&self, kind: EntityKind, rows: &[RecordRow], expand: Expand) -> anyhow::Result<Followed> {
        let shown = Shown { references: expand.clone(), records: expand };
        // Who can read the store can read all of it.
        let found = follow(self.store, self.tenant, (kind, rows), &shown, &|_| true, self.limits).await?;
        let expanded = found.records.iter().map(|row| Ok((row.id.to_string(), document(row)?)));
        let expanded = expanded.collect::<anyhow::Result<_>>()?;
        Ok(Followed { of_each: found.references, expanded, truncated: found.truncated })
    }
}

/// What references mean, as documents.
struct Followed {
    of_each: Vec<(Vec<ReferenceView>, bool)>,
    expanded: BTreeMap<String, Value>,
    truncated: bool,
}

/// A line for each reference.
fn refers_to(references: &[ReferenceView], truncated: bool) -> String {
    let lines = references.iter().map(|reference| reference.line().to_string());
    let more = truncated.then(|| text!("more than are looked up", "超出可查找的数量").to_string());
    lines.chain(more).collect::<Vec<_>>().join("\n")
}

fn document(row: &RecordRow) -> anyhow::Result<Value> {
    let body: Value = if row.body.is_empty() { Value::Null } else { serde_json::from_slice(&row.body)? };
    Ok(json!({
        "id": row.id, "entity": row.entity, "connection": row.connection, "external_id": row.external_id,
        "revision": row.revision, "deleted": row.deleted, "recorded_at": time(row.recorded_at_ms), "origin": row.origin,
        "body": body,
    }))
}
