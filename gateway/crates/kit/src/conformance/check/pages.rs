//! Do the pages of a run cover the source?

use std::collections::BTreeMap;

use renmen_egress::PrefetchFigures;
use renmen_misbehave::{Fault, Plan, Planned};
use renmen_plugin_host::CallError;
use renmen_schema::FailureKind;

use super::{CheckVerdict, Checked, ended, none_lost, rest, spread};
use crate::conformance::bed::Bed;
use crate::conformance::pulled::{Key, Run, Stop, some};

pub(super) async fn complete(bed: &Bed) -> Checked {
    rest(bed)?;
    let run = ended(bed.run(None).await)?;
    let (expected, found) = (bed.expected(), run.keys());
    let missing: Vec<Key> = expected.difference(&found).cloned().collect();
    if !missing.is_empty() {
        let rejects: Vec<&str> = run.rejects().take(2).map(|reject| reject.reason.as_str()).collect();
        let rejects = if rejects.is_empty() { String::new() } else { format!("; rejected: {}", rejects.join("; ")) };
        return Err(CheckVerdict::failed(
            format!("{} of {} records are missing: {}{rejects}", missing.len(), expected.len(), some(missing)),
            "follow the vendor's pages to the last one, and map every row",
        ));
    }
    let strange: Vec<Key> = found.difference(&expected).cloned().collect();
    if strange.is_empty() {
        return Ok(());
    }
    Err(CheckVerdict::failed(
        format!("records that the source does not have: {}", some(strange)),
        "use the vendor's id as external id, unchanged; list others under `also` if they are right",
    ))
}

pub(super) async fn once(bed: &Bed) -> Checked {
    rest(bed)?;
    let run = ended(bed.run(None).await)?;
    let mut times = BTreeMap::<Key, usize>::new();
    for record in run.records() {
        *times.entry((record.entity.clone(), record.external_id.clone())).or_default() += 1;
    }
    let twice: Vec<Key> = times.into_iter().filter(|(_, times)| *times > 1).map(|(key, _)| key).collect();
    if twice.is_empty() {
        return Ok(());
    }
    Err(CheckVerdict::failed(
        format!("more than once: {}", some(twice)),
        "leave out at the seam of two pages what the page before brought (paging::Since::is_new does)",
    ))
}

pub(super) async fn ahead(bed: &Bed) -> Checked {
    rest(bed)?;
    let plain = ended(bed.run(None).await)?;
    let (run, figures) = bed.run_prefetching().await;
    let run = ended(run)?;
    if figures == PrefetchFigures::default() {
        return Err(CheckVerdict::skipped("the connector names no request ahead"));
    }
    let PrefetchFigures { used, unused, ignored, refused } = figures;
    if unused + ignored + refused > 0 {
        return Err(CheckVerdict::failed(
            format!(
                "of the requests named ahead {used} were sent later; {unused} were not, {ignored} were named while another one was \
                 still to be sent, {refused} may not be sent ahead"
            ),
            "name only the very next request: a GET, the same to the byte, and none after the last page",
        ));
    }
    let bytes = |run: &Run| -> Vec<(String, Vec<u8>)> {
        run.records().map(|record| (record.external_id.clone(), record.payload.clone())).collect()
    };
    match bytes(&plain) == bytes(&run) {
        true => Ok(()),
        false => Err(CheckVerdict::failed(
            "the pages are others when requests are named ahead",
            "do the same whether or not a request was named ahead",
        )),
    }
}

pub(super) async fn empty(bed: &Bed) -> Checked {
    paged(bed)?;
    rest(bed)?;
    bed.server.follow(Plan::of(vec![Planned { first: 1, ..Planned::usual(Fault::PageEmpty) }], 0));
    let run = ended(bed.run(None).await)?;
    let change = "end a run when the vendor says that there are no further pages, not when a page is empty";
    none_lost(bed, &run.keys(), "missing after an empty page", change)
}

pub(super) async fn moved(bed: &Bed) -> Checked {
    paged(bed)?;
    if bed.described().source.modified.is_none() {
        return Err(CheckVerdict::skipped("the rows have no time of change: nothing says that they moved"));
    }
    spread(bed)?;
    bed.server.follow(Plan::of(vec![Planned::usual(Fault::RowsMoved)], 0));
    let first = ended(bed.run(None).await)?;
    let second = ended(bed.run_after(&first).await)?;
    let found = first.keys().union(&second.keys()).cloned().collect();
    let change = "go on by the time of change instead of the vendor's page cursor, which shifts (paging::Since does)";
    none_lost(bed, &found, "a row changed while the second page was read; lost", change)
}

pub(super) async fn order(bed: &Bed) -> Checked {
    paged(bed)?;
    rest(bed)?;
    bed.server.follow(Plan::of(vec![Planned::always(Fault::WrongOrder, None)], 0));
    let first = bed.run(None).await;
    match &first.stop {
        None => {}
        Some(Stop::Failed(CallError::Failure { kind: FailureKind::UpstreamChanged, .. })) => return Ok(()),
        Some(stop) => {
            return Err(CheckVerdict::failed(
                format!("a list in the opposite order stops the run, and not as one that the vendor changed: {stop}"),
                "say Failure::upstream_changed (paging::Since::finish does)",
            ));
        }
    }
    let second = ended(bed.run_after(&first).await)?;
    let found = first.keys().union(&second.keys()).cloned().collect();
    let change = "check that each page is in the order that was asked for, and refuse one that is not (paging::Since::finish \
                  does), or read the whole list before the time moves (finish_unsorted)";
    none_lost(bed, &found, "a list in the opposite order was taken for the one that was asked for; lost", change)
}

pub(super) async fn end(bed: &Bed) -> Checked {
    paged(bed)?;
    rest(bed)?;
    bed.server.follow(Plan::of(vec![Planned::always(Fault::CursorEmpty, None)], 0));
    let run = bed.run(None).await;
    let change = "take an empty text for the end of the list (paging::Token does)";
    match &run.stop {
        None => none_lost(bed, &run.keys(), "the last page says \"\" for the next cursor; lost", change),
        Some(stop) => Err(CheckVerdict::failed(format!("the last page says \"\" for the next cursor: {stop}"), change)),
    }
}

/// Is there more than one page?
pub(super) fn paged(bed: &Bed) -> Checked {
    match bed.described().source.serve.iter().any(|serve| serve.next.is_some() || serve.link) {
        true => Ok(()),
        false => Err(CheckVerdict::skipped("the vendor gives no page cursor")),
    }
}
