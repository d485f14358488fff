//! One file a concern. Each check makes the source that it needs and looks at what the connector makes of it.

mod bad;
mod changes;
mod codes;
mod cursors;
mod deletes;
mod errors;
mod exact;
mod kept;
mod limits;
mod pages;
mod records;

use std::collections::BTreeSet;

use renmen_misbehave::model::Edit;
use renmen_misbehave::place;
use serde_json::Value;

use super::bed::{Bed, ROWS};
use super::card::CheckVerdict;
use super::pulled::{Key, Pulled, Run, Stop, some};
use crate::budget;

/// A check's end: what stops it early is its verdict too.
type Checked = Result<(), CheckVerdict>;

/// Makes one check.
pub(super) async fn run(id: &str, bed: &Bed) -> CheckVerdict {
    let checked = match id {
        "limits.records" => limits::records(bed).await,
        "limits.budgets" => limits::budgets(bed).await,
        "pages.complete" => pages::complete(bed).await,
        "pages.ahead" => pages::ahead(bed).await,
        "pages.once" => pages::once(bed).await,
        "pages.empty" => pages::empty(bed).await,
        "pages.moved" => pages::moved(bed).await,
        "pages.order" => pages::order(bed).await,
        "pages.end" => pages::end(bed).await,
        "deterministic" => records::deterministic(bed).await,
        "records.valid" => records::valid(bed).await,
        "records.origin" => records::origin(bed).await,
        "cursor.resume" => cursors::resume(bed).await,
        "cursor.foreign" => cursors::foreign(bed).await,
        "cursor.loop" => cursors::looping(bed).await,
        "changes.seen" => changes::seen(bed).await,
        "changes.ties" => changes::ties(bed).await,
        "changes.skew" => changes::skew(bed).await,
        "changes.late" => changes::late(bed).await,
        "changes.future" => changes::future(bed).await,
        "deletes.reported" => deletes::reported(bed).await,
        "deletes.not_invented" => deletes::not_invented(bed).await,
        "records.bad_one" => bad::one(bed).await,
        "fields.optional" => bad::optional(bed).await,
        "exact.dates" => exact::dates(bed).await,
        "exact.impossible" => exact::impossible(bed).await,
        "exact.instants" => exact::instants(bed).await,
        "exact.money" => exact::money(bed).await,
        "exact.unit" => exact::cases(bed, true).await,
        "exact.cases" => exact::cases(bed, false).await,
        "codes.unknown" => codes::unknown(bed).await,
        "grant.kept" => kept::grant(bed).await,
        "secrets.kept" => kept::secrets(bed).await,
        "people.kept" => kept::people(bed),
        other => errors::run(other, bed).await,
    };
    match checked {
        Ok(()) => CheckVerdict::Passed,
        Err(verdict) => verdict,
    }
}

/// A fresh source of the usual size.
fn rest(bed: &Bed) -> Checked {
    fresh(bed, ROWS)
}

fn fresh(bed: &Bed, rows: usize) -> Checked {
    bed.fresh(rows).map_err(|error| CheckVerdict::failed(error.to_string(), "correct the description"))
}

/// A fresh source whose rows changed an hour from each other: no overlap of two runs reaches from one to the next.
fn spread(bed: &Bed) -> Checked {
    rest(bed)?;
    bed.rows(|rows| rows.spread(3_600_000));
    Ok(())
}

/// What its author does about a run that stopped although the source was well.
fn what_to_change(stop: &Stop) -> &'static str {
    let advice = match stop {
        Stop::Failed(error) => budget::advice(error),
        _ => None,
    };
    advice.unwrap_or(
        "the source was well: make the pull work against it (does the description show what the vendor serves?)",
    )
}

/// A run that must come to its end.
fn ended(run: Run) -> Result<Run, CheckVerdict> {
    match &run.stop {
        None => Ok(run),
        Some(stop) => Err(CheckVerdict::failed(
            format!("the run stopped after {} page(s): {stop}", run.pages.len()),
            what_to_change(stop),
        )),
    }
}

/// Every record of the source is among these; else `lost` says which are not, and `change` what to do about it.
fn none_lost(bed: &Bed, found: &BTreeSet<Key>, lost: &str, change: &str) -> Checked {
    let missing: Vec<Key> = bed.expected().difference(found).cloned().collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(CheckVerdict::failed(format!("{lost}: {}", some(missing)), change)),
    }
}

/// The row that checks change: neither the first nor the last of its page.
const CHOSEN: usize = 1;

/// Changes members of the chosen row and reads the source from the beginning.
async fn with(bed: &Bed, edits: Vec<(String, Edit)>) -> Result<Run, CheckVerdict> {
    rest(bed)?;
    bed.rows(|rows| rows.row_mut(CHOSEN).into_iter().for_each(|row| row.edits = edits.clone()));
    Ok(bed.run(None).await)
}

/// The id of the chosen row.
fn chosen_id(bed: &Bed) -> String {
    bed.rows(|rows| rows.all().get(CHOSEN).map(renmen_misbehave::model::Rows::id_text)).unwrap_or_default()
}

/// The records of the chosen row.
fn chosen<'r>(run: &'r Run, id: &str) -> Vec<&'r Pulled> {
    run.records().filter(|record| record.external_id == id).collect()
}

/// A record's payload as JSON; null if it is not JSON.
fn body(record: &Pulled) -> Value {
    serde_json::from_slice(&record.payload).unwrap_or_default()
}

/// What a canonical pointer holds in the first of the records that has it.
fn canonical(records: &[&Pulled], pointer: &str) -> Option<Value> {
    records.iter().find_map(|record| body(record).pointer(pointer).filter(|value| !value.is_null()).cloned())
}

/// The example's value at a pointer of the vendor's record.
fn example(bed: &Bed, pointer: &str) -> Result<Value, CheckVerdict> {
    bed.described().source.record.pointer(pointer).cloned().ok_or_else(|| {
        CheckVerdict::failed(
            format!("the example has nothing at `{pointer}`"),
            "name a member that the example record has",
        )
    })
}

/// A value of the same JSON type as the example: text or number.
fn like(example: &Value, text: &str) -> Value {
    match example {
        Value::Number(_) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}

/// For a line of the card.
fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| place::text_of(value).unwrap_or_else(|| value.to_string()))
}
