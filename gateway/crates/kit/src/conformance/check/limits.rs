//! What a page may hold and use up.

use renmen_plugin_host::CallError;

use super::{CheckVerdict, Checked, ended, fresh, rest, what_to_change};
use crate::conformance::bed::{Bed, Manner};
use crate::conformance::pulled::{PulledPage, Stop};

/// Rows of a large source.
const LARGE: usize = 1_000;

pub(super) async fn records(bed: &Bed) -> Checked {
    rest(bed)?;
    let asked = bed.page_records();
    match bed.run(None).await.stop {
        Some(Stop::Failed(CallError::Budget { budget: "page_records_max", message, .. })) => Err(CheckVerdict::failed(
            message,
            "pass max_records to the vendor, and where the vendor gives more, keep the rest for the next page",
        )),
        Some(stop) => Err(CheckVerdict::failed(format!("pages of {asked}: {stop}"), what_to_change(&stop))),
        None => Ok(()),
    }
}

pub(super) async fn budgets(bed: &Bed) -> Checked {
    let source = &bed.described().source;
    let paged = source.serve.iter().any(|serve| serve.size.is_some() || serve.csv.is_some());
    if !paged {
        return Err(CheckVerdict::skipped("the vendor's list is not paged"));
    }
    fresh(bed, LARGE)?;
    let usual = bed.page_records();
    bed.set_page_records(1_000);
    let run = bed.run(None).await;
    bed.set_page_records(usual);
    let run = ended(run)?;
    match run.keys().len() >= LARGE {
        true => Ok(()),
        false => Err(CheckVerdict::failed(
            format!("{} of {LARGE} rows came in", run.keys().len()),
            "read large pages as completely as small ones",
        )),
    }
}

/// Where a source that fails ends the run: the error, or the last page where it came to its end all the same (of several that with rejects).
/// What a stream lists second is asked for in a later page than the first.
pub(super) async fn until_failure(bed: &Bed, manner: Manner) -> Result<PulledPage, CallError> {
    let mut run = bed.run_in(None, manner).await;
    match run.stop.take() {
        Some(Stop::Failed(error)) => Err(error),
        _ => {
            let at = run.pages.iter().position(|page| !page.rejects.is_empty());
            let at = at.unwrap_or(run.pages.len().saturating_sub(1));
            Ok(run.pages.swap_remove(at))
        }
    }
}
