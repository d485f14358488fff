//! Records that are not as they should be.

use renmen_misbehave::model::Edit;
use serde_json::{Value, json};

use super::{CheckVerdict, Checked, chosen, chosen_id, ended, rest, with};
use crate::conformance::bed::Bed;
use crate::conformance::pulled::{Pulled, Run};

/// Looks like a person's data: no reason may quote it.
pub(super) const PERSONAL: &str = "Canary Person 13800138000";

pub(super) async fn one(bed: &Bed) -> Checked {
    rest(bed)?;
    let good = ended(bed.run(None).await)?;
    let fields = &bed.described().fields;
    let source = &bed.described().source;
    // In a table every cell is a text: what can be wrong with a required one is that it is blank.
    let mut cases: Vec<(String, Edit)> = Vec::new();
    for pointer in &fields.required {
        cases.push((pointer.clone(), Edit::Remove));
        if !bed.is_table() {
            cases.push((pointer.clone(), Edit::Set(json!({"of": "another type"}))));
        }
    }
    let typed = fields.dates.keys().chain(fields.instants.keys()).chain(fields.money.keys());
    cases.extend(typed.map(|pointer| (pointer.clone(), Edit::Set(PERSONAL.into()))));
    if cases.is_empty() && !bed.is_table() {
        cases.push((source.change.clone(), Edit::Set(json!({"of": "another type"}))));
    }
    if cases.is_empty() {
        return Err(CheckVerdict::skipped("no member is named under fields.required, dates, instants or money"));
    }
    for (pointer, edit) in cases {
        let what = match &edit {
            Edit::Remove => format!("`{pointer}` is missing"),
            Edit::Set(_) => format!("`{pointer}` is of another type"),
        };
        let run = with(bed, vec![(pointer, edit)]).await?;
        alone(bed, &good, &run, &what)?;
    }
    Ok(())
}

/// Did the chosen row's fault cost its own record and nothing else?
pub(super) fn alone(bed: &Bed, good: &Run, run: &Run, what: &str) -> Checked {
    if let Some(stop) = &run.stop {
        return Err(CheckVerdict::failed(
            format!("in one record {what}, and the whole page fails: {stop}"),
            "map each row on its own and reject the one that does not fit (Page::map_items does)",
        ));
    }
    let id = chosen_id(bed);
    let others = |run: &Run| -> Vec<Pulled> {
        let mut others: Vec<Pulled> = run.records().filter(|record| record.external_id != id).cloned().collect();
        // Pages may be cut elsewhere when a record is missing; what counts is what came in.
        others.iter_mut().for_each(|record| (record.pointer, record.exchange) = (String::new(), 0));
        others.sort_by(|a, b| (&a.entity, &a.external_id).cmp(&(&b.entity, &b.external_id)));
        others.dedup();
        others
    };
    if others(run) != others(good) {
        return Err(CheckVerdict::failed(
            format!("in one record {what}, and other records of the run are missing or changed"),
            "map each row on its own and reject the one that does not fit (Page::map_items does)",
        ));
    }
    let tombstones = &bed.described().tombstones;
    let taken_in = chosen(run, &id).into_iter().any(|record| !tombstones.contains(&record.entity) && is_valid(record));
    // One row may make several records: those that do not hold the member may come in.
    let whole = chosen(run, &id).len() >= chosen(good, &id).len();
    if taken_in && whole {
        return Err(CheckVerdict::failed(
            format!("in record {id} {what}, and it comes in all the same"),
            "reject a record that lacks what it needs; name the member under fields.optional if it may be absent",
        ));
    }
    match run.rejects().next().is_some() || chosen(run, &id).iter().any(|record| !is_valid(record)) {
        true => Ok(()),
        false => Err(CheckVerdict::failed(
            format!("in record {id} {what}, and it is left out without a word"),
            "reject it: what is neither a record nor a reject is lost",
        )),
    }
}

fn is_valid(record: &Pulled) -> bool {
    let kind = renmen_schema::EntityKind::from_name(&record.entity);
    record.deleted || kind.is_some_and(|kind| renmen_schema::canonicalize(kind, &record.payload).is_ok())
}

pub(super) async fn optional(bed: &Bed) -> Checked {
    let optional = &bed.described().fields.optional;
    if optional.is_empty() {
        return Err(CheckVerdict::skipped("no member is named under fields.optional"));
    }
    let id = chosen_id(bed);
    for pointer in optional {
        for (how, edit) in [("absent", Edit::Remove), ("null", Edit::Set(Value::Null))] {
            let run = ended(with(bed, vec![(pointer.clone(), edit)]).await?)?;
            let came = chosen(&run, &id);
            if came.is_empty() || !came.iter().all(|record| is_valid(record)) {
                let reason = run.rejects().next().map_or("nothing is said about it", |reject| &reject.reason);
                return Err(CheckVerdict::failed(
                    format!("`{pointer}` is {how} in record {id}, which does not come in: {reason}"),
                    "make the member an Option",
                ));
            }
        }
    }
    Ok(())
}
