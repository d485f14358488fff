//! Are the records what they say they are?

use std::collections::BTreeSet;

use renmen_schema::{EntityKind, canonicalize};
use serde_json::Value;

use super::{CheckVerdict, Checked, ended, rest};
use crate::conformance::bed::{Bed, Manner, NOW_MS};
use crate::conformance::pulled::{PulledPage, Run};

/// Two other hours, neither of them a round number away.
const OTHER_HOURS_MS: [i64; 2] = [NOW_MS + 5_000_123, NOW_MS + 86_400_000 * 3 + 7_654_321];

pub(super) async fn deterministic(bed: &Bed) -> Checked {
    rest(bed)?;
    let first = ended(bed.run(None).await)?;
    rest(bed)?;
    let second = ended(bed.run(None).await)?;
    same(&first, &second, "a second time")?;
    for now_ms in OTHER_HOURS_MS {
        rest(bed)?;
        let later = ended(bed.run_in(None, Manner { now_ms, ..Manner::default() }).await)?;
        same(&first, &later, "at another hour")?;
    }
    Ok(())
}

fn same(first: &Run, other: &Run, when: &str) -> Checked {
    let differs = |(a, b): &(&PulledPage, &PulledPage)| !a.is_same(b);
    let page = first.pages.iter().zip(&other.pages).position(|pair| differs(&pair));
    match (page, first.pages.len() == other.pages.len()) {
        (None, true) => Ok(()),
        (at, _) => Err(CheckVerdict::failed(
            format!("page {} differs when the same source is read {when}", at.unwrap_or(other.pages.len()) + 1),
            "make records from the vendor's response alone, without a clock or the order of a hash map; otherwise a replay finds false changes",
        )),
    }
}

pub(super) async fn valid(bed: &Bed) -> Checked {
    rest(bed)?;
    let run = ended(bed.run(None).await)?;
    for record in run.records() {
        let fail = |seen: String, change: &str| Err(CheckVerdict::failed(seen, change));
        let (entity, id) = (&record.entity, &record.external_id);
        if !bed.manifest.entities.contains(entity) {
            return fail(format!("a record of `{entity}`"), "declare the entity under the stream in plugin.toml");
        }
        let Some(kind) = EntityKind::from_name(entity) else {
            return fail(
                format!("the manifest declares `{entity}`, which is not a known entity"),
                "see `renmen schema` for the entities",
            );
        };
        if id.trim().is_empty() || id.chars().any(char::is_control) {
            return fail(
                format!("an external id of a {entity} is empty or holds control characters"),
                "use the vendor's own id",
            );
        }
        if record.deleted {
            continue;
        }
        if let Err(defects) = canonicalize(kind, &record.payload) {
            let first = defects.first().map(ToString::to_string).unwrap_or_default();
            return fail(format!("{entity} {id}: {first}"), "build the record with the types of renmen_plugin::schema");
        }
    }
    Ok(())
}

pub(super) async fn origin(bed: &Bed) -> Checked {
    rest(bed)?;
    let run = ended(bed.run(None).await)?;
    let mut seen = BTreeSet::new();
    for page in &run.pages {
        for record in &page.records {
            let (entity, id, pointer) = (&record.entity, &record.external_id, &record.pointer);
            let Some(exchange) = page.exchanges.get(record.exchange as usize) else {
                return Err(CheckVerdict::failed(
                    format!("{entity} {id} names exchange {}, the page has {}", record.exchange, page.exchanges.len()),
                    "pass on Response::exchange of the response that the record was in",
                ));
            };
            let Ok(answer) = serde_json::from_slice::<Value>(&exchange.response.body) else { continue };
            if answer.pointer(pointer).is_none() {
                return Err(CheckVerdict::failed(
                    format!("{entity} {id} points to `{pointer}`, where its answer holds nothing"),
                    "give the RFC 6901 pointer to the row inside the answer (Page::map_items does)",
                ));
            }
            if !seen.insert((entity.clone(), exchange.at_ms, record.exchange, page.asked.clone(), pointer.clone())) {
                return Err(CheckVerdict::failed(
                    format!("two records of {entity} point to `{pointer}` of one answer"),
                    "give each record the pointer to its own row",
                ));
            }
        }
    }
    Ok(())
}
