//! What an author gets to see of a trial: each record next to the vendor's JSON it was made of, what was refused and
//! why, what was sent, and what it cost.

use renmen_plugin_host::{Coverage, Envelope, Page, RunFinding};
use renmen_schema::manifest::{LineageRule, Manifest};
use renmen_schema::{EntityKind, canonicalize};
use serde::Serialize;
use serde_json::Value;

use super::TrialResult;
use crate::budget;

/// Bytes of a vendor's body that are shown where it is not JSON.
const RAW_BYTES_SHOWN: usize = 2_000;

/// The whole of a trial.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The plugin's name and version.
    pub plugin: String,
    /// `sha256:…` of the component.
    pub digest: String,
    /// Records that a gateway would take in.
    pub records: Vec<Taken>,
    /// Records that would go to quarantine.
    pub refused: Vec<Refused>,
    /// Parts of the source that could not be read.
    pub findings: Vec<Told>,
    /// Records that a declared rule left out.
    pub omitted: u64,
    /// What the connector logged: a pointer of a mapping that met nothing is told here.
    pub lines: Vec<String>,
    /// Requests in order.
    pub requests: Vec<Sent>,
    /// What it cost, one entry a page.
    pub figures: Vec<Figures>,
    /// Where the next pull would go on.
    pub next: Option<String>,
    /// There is more behind the last page.
    pub has_more: bool,
    /// `everything` or `changes`; none without a page.
    pub coverage: Option<&'static str>,
    /// Why there is no further page, and what to do.
    pub failure: Option<String>,
}

/// A record next to its source.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// `employee`.
    pub entity: String,
    /// The vendor's id.
    pub external_id: String,
    /// In milliseconds since the epoch.
    pub updated_at_ms: Option<i64>,
    /// The vendor says that it is gone.
    pub deleted: bool,
    /// Where it stood: the number of the request, and the place in its answer.
    pub origin: String,
    /// Field by field.
    pub fields: Vec<Field>,
    /// What a gateway would keep.
    pub canonical: Value,
    /// What the vendor sent.
    pub vendor: Value,
}

/// One canonical field next to the vendor's.
#[derive(Debug, Serialize)]
pub struct Field {
    /// Pointer into the canonical record.
    pub pointer: String,
    /// Its value.
    pub value: Value,
    /// Pointers into the vendor's record, by the manifest's lineage; empty where it says nothing.
    pub from: String,
    /// The vendor's values at them.
    pub vendor: Vec<Value>,
    /// What was done to it.
    pub transform: Option<String>,
}

/// A record that would wait in quarantine.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// What it should have become.
    pub entity: String,
    /// The vendor's id, where it could be read.
    pub external_id: Option<String>,
    /// As [`Taken::origin`].
    pub origin: String,
    /// Which field, and why.
    pub reason: String,
    /// What the vendor sent.
    pub vendor: Value,
}

/// A part of the source that could not be read.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The part of the source.
    pub part: String,
    /// Stable, for programs.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

/// One request.
#[derive(Debug, Serialize)]
pub struct Sent {
    /// Method.
    pub method: String,
    /// URL without its credential.
    pub url: String,
    /// The answer's status.
    pub status: u16,
    /// Of the answer's body.
    pub bytes: usize,
    /// Milliseconds.
    pub took_ms: u32,
}

/// What one page cost.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Records and rejects.
    pub records: u32,
    /// Units of work.
    pub fuel: u64,
    /// Milliseconds from start to end.
    pub wall_ms: u64,
    /// Most memory at one time, in bytes.
    pub memory_peak_bytes: u64,
    /// Requests.
    pub http_calls: u32,
    /// Bytes of answers.
    pub bytes_in: u64,
    /// Lines that were logged.
    pub log_lines: u32,
}

impl Report {
    /// What an outcome amounts to.
    #[must_use]
    pub fn of(outcome: &TrialResult, stream: &str) -> Self {
        let manifest = outcome.plugin.manifest();
        let mut report = Self {
            plugin: format!("{} {}", manifest.name, manifest.version),
            digest: outcome.plugin.digest().to_owned(),
            records: Vec::new(),
            refused: Vec::new(),
            findings: outcome.pages.iter().flat_map(|page| &page.findings).map(Told::of).collect(),
            omitted: outcome.pages.iter().flat_map(|page| &page.omissions).map(|omission| omission.count).sum(),
            lines: outcome.lines.clone(),
            requests: outcome.exchanges.iter().map(|exchange| Sent::of(exchange)).collect(),
            figures: outcome.pages.iter().map(Figures::of).collect(),
            next: outcome.pages.last().and_then(|page| page.next.clone()),
            has_more: outcome.pages.last().is_some_and(|page| page.has_more),
            coverage: outcome.pages.last().map(|page| match page.coverage {
                Coverage::Changes => "changes",
                Coverage::Everything => "everything",
            }),
            failure: outcome.failure.as_ref().map(budget::told),
        };
        let declared = manifest.streams.iter().find(|(name, _)| name.as_str() == stream);
        let declared = declared.map(|(_, stream)| stream.entities.as_slice()).unwrap_or_default();
        // Requests are counted over the run, as the table of them is.
        let mut before = 0;
        for page in &outcome.pages {
            let bodies: Vec<Option<Value>> =
                page.exchanges.iter().map(|exchange| serde_json::from_slice(&exchange.response.body).ok()).collect();
            for record in &page.records {
                report.judge(record, before, &bodies, declared, manifest);
            }
            for reject in &page.rejects {
                report.refused.push(Refused {
                    entity: reject.entity.clone(),
                    external_id: reject.external_id.clone(),
                    origin: origin(before + reject.exchange, &reject.pointer),
                    reason: reject.reason.clone(),
                    vendor: shown(&reject.raw),
                });
            }
            before += u32::try_from(page.exchanges.len()).unwrap_or(u32::MAX);
        }
        report
    }

    /// Would a gateway take all of it?
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failure.is_none() && self.refused.is_empty() && self.findings.is_empty()
    }

    fn judge(
        &mut self,
        record: &Envelope,
        before: u32,
        bodies: &[Option<Value>],
        declared: &[String],
        manifest: &Manifest,
    ) {
        let body = bodies.get(record.exchange as usize).and_then(Option::as_ref);
        let vendor = body.and_then(|body| body.pointer(&record.pointer)).cloned().unwrap_or_default();
        match taken(record, declared) {
            Ok(canonical) => self.records.push(Taken {
                entity: record.entity.clone(),
                external_id: record.external_id.clone(),
                updated_at_ms: record.updated_at_ms,
                deleted: record.deleted,
                origin: origin(before + record.exchange, &record.pointer),
                fields: fields(&canonical, &vendor, &record.entity, manifest),
                canonical,
                vendor,
            }),
            Err(reason) => self.refused.push(Refused {
                entity: record.entity.clone(),
                external_id: Some(record.external_id.clone()),
                origin: origin(before + record.exchange, &record.pointer),
                reason,
                vendor,
            }),
        }
    }
}

/// The canonical record, or why a gateway would not take it.
fn taken(record: &Envelope, declared: &[String]) -> Result<Value, String> {
    if !declared.contains(&record.entity) {
        return Err(format!(
            "the stream declares {}, not `{}`: name it in plugin.toml",
            declared.join(", "),
            record.entity
        ));
    }
    let kind = EntityKind::from_name(&record.entity)
        .ok_or_else(|| format!("`{}` is not an entity; `renmen schema` lists them", record.entity))?;
    if record.external_id.trim().is_empty() {
        return Err("the external id is empty".to_owned());
    }
    if record.deleted && record.payload.is_empty() {
        return Ok(Value::Null);
    }
    let bytes = canonicalize(kind, &record.payload)
        .map_err(|defects| defects.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Every leaf of the canonical record with what the manifest's lineage says of it.
fn fields(canonical: &Value, vendor: &Value, entity: &str, manifest: &Manifest) -> Vec<Field> {
    let empty = std::collections::BTreeMap::new();
    let rules = manifest.lineage.get(entity).unwrap_or(&empty);
    let mut leaves = Vec::new();
    walk(canonical, &mut String::new(), &mut |pointer, value| leaves.push((pointer.to_owned(), value.clone())));
    leaves
        .into_iter()
        .map(|(pointer, value)| {
            // The rule of the field itself or of the nearest thing that it is in.
            let rule = rules.iter().filter(|(key, _)| covers(key, &pointer)).max_by_key(|(key, _)| key.len());
            let (from, transform) = match rule {
                Some((_, LineageRule::From(from))) => (from.clone(), None),
                Some((_, LineageRule::Transformed { from, transform })) => (from.clone(), Some(transform.clone())),
                None => (String::new(), None),
            };
            let found = from.split(' ').filter(|from| !from.is_empty());
            let vendor = found.map(|from| vendor.pointer(from).cloned().unwrap_or_default()).collect();
            Field { pointer, value, from, vendor, transform }
        })
        .collect()
}

/// Is the pointer the rule's own, or below it?
pub(crate) fn covers(rule: &str, pointer: &str) -> bool {
    pointer.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Calls back with every leaf and its pointer.
pub(crate) fn walk(value: &Value, pointer: &mut String, leaf: &mut impl FnMut(&str, &Value)) {
    let length = pointer.len();
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                pointer.push('/');
                pointer.push_str(&renmen_schema::pointer::escape(key));
                walk(member, pointer, leaf);
                pointer.truncate(length);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                walk(item, pointer, leaf);
                pointer.truncate(length);
            }
        }
        leaf_value => leaf(pointer, leaf_value),
    }
}

fn origin(exchange: u32, pointer: &str) -> String {
    format!("request {exchange}, {}", if pointer.is_empty() { "the whole answer" } else { pointer })
}

fn shown(raw: &[u8]) -> Value {
    serde_json::from_slice(raw).unwrap_or_else(|_| {
        let text: String = String::from_utf8_lossy(raw).chars().take(RAW_BYTES_SHOWN).collect();
        Value::String(text)
    })
}

impl Told {
    fn of(finding: &RunFinding) -> Self {
        Self { part: finding.part.clone(), code: finding.code.clone(), message: finding.message.clone() }
    }
}

impl Sent {
    fn of(exchange: &renmen_egress::Exchange) -> Self {
        Self {
            method: exchange.method.clone(),
            url: exchange.url.clone(),
            status: exchange.response.status,
            bytes: exchange.response.body.len(),
            took_ms: exchange.took_ms,
        }
    }
}

impl Figures {
    fn of(page: &Page) -> Self {
        let usage = &page.usage;
        Self {
            records: usage.records,
            fuel: usage.fuel,
            wall_ms: usage.wall_ms,
            memory_peak_bytes: usage.memory_peak_bytes,
            http_calls: usage.http_calls,
            bytes_in: usage.bytes_in,
            log_lines: usage.log_lines,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn envelope(entity: &str, id: &str, payload: &Value) -> Envelope {
        Envelope {
            entity: entity.into(),
            external_id: id.into(),
            updated_at_ms: None,
            deleted: false,
            exchange: 0,
            pointer: "/data/0".into(),
            payload: payload.to_string().into_bytes(),
        }
    }

    #[test]
    fn what_a_gateway_refuses_has_the_reason_and_the_fix() {
        let declared = ["employee".to_owned()];
        let bad_date = json!({ "person": { "names": { "formatted": "A" } }, "work": { "hire_date": "2023-02-29" } });
        let reason = taken(&envelope("employee", "1", &bad_date), &declared).unwrap_err();
        assert!(reason.contains("hire_date"), "{reason}");
        let reason = taken(&envelope("org_unit", "1", &json!({})), &declared).unwrap_err();
        assert!(reason.contains("name it in plugin.toml"), "{reason}");
        assert!(taken(&envelope("employee", " ", &json!({})), &declared).unwrap_err().contains("external id"));
    }

    #[test]
    fn a_field_stands_beside_the_vendors_value_of_the_nearest_rule() {
        let manifest = Manifest::parse(
            "name = \"a\"\nversion = \"1.0.0\"\ndescription = \"\"\ncontract = \"0.2.0\"\n[lineage.employee]\n\
             \"/work\" = \"/job\"\n\"/work/status\" = { from = \"/state /old_state\", transform = \"coded\" }\n",
        )
        .unwrap();
        let canonical = json!({ "work": { "title": "T", "status": { "code": "ACTIVE" } }, "number": "7" });
        let vendor = json!({ "job": "T", "state": "on" });
        let fields = fields(&canonical, &vendor, "employee", &manifest);
        let row = |pointer: &str| fields.iter().find(|field| field.pointer == pointer).unwrap();
        assert_eq!(row("/work/title").vendor, [json!("T")]);
        assert_eq!(row("/work/status/code").vendor, [json!("on"), Value::Null]);
        assert_eq!(row("/work/status/code").transform.as_deref(), Some("coded"));
        assert_eq!((row("/number").from.as_str(), row("/number").vendor.len()), ("", 0));
    }
}
