//! Is every change seen?

use renmen_misbehave::model::Rows;
use renmen_misbehave::{Fault, Plan, Planned};

use super::{CHOSEN, CheckVerdict, Checked, chosen, chosen_id, ended, none_lost, rest};
use crate::conformance::bed::{Bed, Manner};
use crate::conformance::pulled::Run;

/// How long after the newest row something changes, in milliseconds.
const LATER_MS: i64 = 5_000;

pub(super) async fn seen(bed: &Bed) -> Checked {
    rest(bed)?;
    let first = ended(bed.run(None).await)?;
    change_and_add(bed);
    let second = ended(bed.run_after(&first).await)?;
    came(bed, &first, &second, "the cursor of a run must lead to what changes after it")
}

/// One row changes, one is new.
fn change_and_add(bed: &Bed) {
    bed.rows(|rows| {
        let newest = rows.newest_ms();
        rows.touch(CHOSEN, newest + LATER_MS);
        rows.insert(newest + LATER_MS + 1_000);
    });
}

/// Are the changed row and the new one in the second run?
fn came(bed: &Bed, first: &Run, second: &Run, change: &str) -> Checked {
    let id = chosen_id(bed);
    let (before, after) = (chosen(first, &id), chosen(second, &id));
    let is_news =
        |record: &&crate::conformance::pulled::Pulled| !before.iter().any(|old| old.payload == record.payload);
    if !after.iter().any(is_news) {
        let told = if after.is_empty() { "is not in the next run" } else { "is in the next run without its change" };
        return Err(CheckVerdict::failed(
            format!("record {id} changed after the run and {told}"),
            format!(
                "{change} (or does no canonical field hold `{}`, the member named under `change`?)",
                bed.described().source.change
            ),
        ));
    }
    let new: String = bed.rows(|rows| rows.all().last().map(Rows::id_text)).unwrap_or_default();
    match second.records().any(|record| record.external_id == new) {
        true => Ok(()),
        false => Err(CheckVerdict::failed(format!("the new record {new} is not in the next run"), change)),
    }
}

pub(super) async fn ties(bed: &Bed) -> Checked {
    timed(bed)?;
    rest(bed)?;
    // More of one time than a page holds, in the middle and at the end.
    bed.server.follow(Plan::of(vec![Planned::always(Fault::TiesAtEdge, None)], 0));
    let first = ended(bed.run(None).await)?;
    let lost = "several records share a time, and at the seam of two pages are lost";
    none_lost(bed, &first.keys(), lost, "ask again from the newest time, that time included (paging::Since does)")?;
    bed.rows(|rows| rows.insert(rows.newest_ms()));
    let second = ended(bed.run_after(&first).await)?;
    let found = first.keys().union(&second.keys()).cloned().collect();
    let lost = "a record of the newest time came after the run and is never seen";
    none_lost(bed, &found, lost, "let the next run ask from the newest time, that time included")
}

pub(super) async fn skew(bed: &Bed) -> Checked {
    timed(bed)?;
    for fault in [Fault::ClockAhead, Fault::ClockBehind] {
        rest(bed)?;
        bed.server.follow(Plan::of(vec![Planned::always(fault, None)], 0));
        // A minute after the newest row by our own clock: ten minutes before it by the vendor's, or after.
        let now_ms = bed.rows(|rows| rows.newest_ms()) + 60_000;
        let manner = Manner { now_ms, ..Manner::default() };
        let first = ended(bed.run_in(None, manner).await)?;
        change_and_add(bed);
        let next = if bed.manifest.mode == renmen_schema::manifest::StreamMode::Full { None } else { first.next() };
        let second = ended(bed.run_in(next, manner).await)?;
        let which = fault.facts().what;
        came(
            bed,
            &first,
            &second,
            &format!("{which}: ask from the times that the vendor wrote, never from our own clock"),
        )?;
    }
    Ok(())
}

pub(super) async fn late(bed: &Bed) -> Checked {
    timed(bed)?;
    rest(bed)?;
    bed.server.follow(Plan::of(vec![Planned::always(Fault::LateRecord, None)], 0));
    let first = ended(bed.run(None).await)?;
    bed.server.follow(Plan::default());
    let second = ended(bed.run_after(&first).await)?;
    let found = first.keys().union(&second.keys()).cloned().collect();
    let lost = "a record that shows up a minute after its own time, which is before the newest one, is never asked for";
    none_lost(bed, &found, lost, "ask again from some minutes before the newest time (paging::Since does)")
}

pub(super) async fn future(bed: &Bed) -> Checked {
    timed(bed)?;
    rest(bed)?;
    bed.server.follow(Plan::of(vec![Planned::always(Fault::FutureTime, None)], 0));
    let first = ended(bed.run(None).await)?;
    none_lost(bed, &first.keys(), "one record is dated 2062; lost", "accept a record regardless of the time it names")?;
    change_and_add(bed);
    let second = ended(bed.run_after(&first).await)?;
    let change = "one record is dated 2062: let no cursor pass the clock (paging::Since does not)";
    came(bed, &first, &second, change)
}

/// Do the rows have a time of change?
fn timed(bed: &Bed) -> Checked {
    match bed.described().source.modified {
        Some(_) => Ok(()),
        None => Err(CheckVerdict::skipped("the rows have no time of change")),
    }
}
