//! Can a run go on from anywhere?

use renmen_misbehave::{Fault, Plan, Planned};
use renmen_plugin_host::CallError;
use renmen_schema::FailureKind;

use super::{CheckVerdict, Checked, ended, rest};
use crate::conformance::bed::{Bed, Manner};
use crate::conformance::pulled::Stop;

/// Pages of a loop after which it should have been noticed.
const LOOP_PAGES_MAX: usize = 30;

pub(super) async fn resume(bed: &Bed) -> Checked {
    rest(bed)?;
    let whole = ended(bed.run(None).await)?;
    for at in 1..whole.pages.len() {
        let cursor = whole.pages[at].asked.clone();
        let rest = ended(bed.run(cursor).await)?;
        let same = rest.pages.len() == whole.pages.len() - at
            && rest.pages.iter().zip(&whole.pages[at..]).all(|(again, before)| again.is_same(before));
        if !same {
            return Err(CheckVerdict::failed(
                format!("going on after page {at} gives other pages than the run itself gave"),
                "put all that is needed to go on into the cursor, and nothing that changes by itself",
            ));
        }
    }
    Ok(())
}

pub(super) async fn foreign(bed: &Bed) -> Checked {
    rest(bed)?;
    match bed.pull(Some("{\"of\": \"another connector\"".to_owned()), Manner::default()).await {
        // A cursor that is the vendor's own token is refused by the vendor.
        Err(CallError::Failure { kind, .. }) if kind != FailureKind::Internal => Ok(()),
        Err(error) => Err(CheckVerdict::failed(
            error.to_string(),
            "answer a cursor that cannot be read with Failure::invalid_input",
        )),
        Ok(_) => Err(CheckVerdict::failed(
            "a page was produced from an invalid cursor",
            "read the cursor strictly: a run that silently starts over reads everything again",
        )),
    }
}

pub(super) async fn looping(bed: &Bed) -> Checked {
    super::pages::paged(bed)?;
    rest(bed)?;
    bed.server.follow(Plan::of(vec![Planned::always(Fault::CursorLoops, None)], 0));
    let run = bed.run(None).await;
    match run.stop {
        Some(Stop::StoodStill | Stop::Failed(CallError::Failure { .. })) if run.pages.len() <= LOOP_PAGES_MAX => Ok(()),
        None if run.pages.len() <= LOOP_PAGES_MAX => Ok(()),
        Some(stop) => Err(CheckVerdict::failed(
            format!("the vendor gave the same next cursor for ever: {stop}"),
            "make the same cursor of the same answer, so that the gateway can see that it stands still",
        )),
        None => Err(CheckVerdict::failed(
            format!("{} pages of a loop", run.pages.len()),
            "end a run whose cursor does not move",
        )),
    }
}
