//! The small numbers that stand in the tables for the words of the model. A number never gets a second meaning.

use renmen_schema::Remedy;

use crate::{ChangeKind, DeletedBy, RunState, RunTrigger, StoreError};

pub(crate) fn deleted_code(by: DeletedBy) -> i64 {
    match by {
        DeletedBy::SourceEvent => 1,
        DeletedBy::SourceFlag => 2,
        DeletedBy::FullDiff => 3,
        DeletedBy::Manual => 4,
    }
}

pub(crate) fn deleted(code: i64) -> Result<DeletedBy, StoreError> {
    match code {
        1 => Ok(DeletedBy::SourceEvent),
        2 => Ok(DeletedBy::SourceFlag),
        3 => Ok(DeletedBy::FullDiff),
        4 => Ok(DeletedBy::Manual),
        _ => Err(unknown("deletion", code)),
    }
}

pub(crate) fn kind_code(kind: ChangeKind) -> i64 {
    match kind {
        ChangeKind::Created => 1,
        ChangeKind::Updated => 2,
        ChangeKind::Deleted => 3,
    }
}

pub(crate) fn kind(code: i64) -> Result<ChangeKind, StoreError> {
    match code {
        1 => Ok(ChangeKind::Created),
        2 => Ok(ChangeKind::Updated),
        3 => Ok(ChangeKind::Deleted),
        _ => Err(unknown("change", code)),
    }
}

/// A trigger is kept as its text, see [`RunTrigger::as_str`].
pub(crate) fn trigger(text: &str) -> Result<RunTrigger, StoreError> {
    RunTrigger::from_text(text)
        .ok_or_else(|| StoreError::Fault(format!("the database names an unknown trigger of a run: `{text}`")))
}

pub(crate) fn run_state_code(state: RunState) -> i64 {
    match state {
        RunState::Running => RUNNING,
        RunState::Completed => 2,
        RunState::Failed => 3,
        RunState::Interrupted => INTERRUPTED,
        RunState::CompletedWithFindings => 5,
    }
}

/// [`RunState::Running`].
pub(crate) const RUNNING: i64 = 1;
/// [`RunState::Interrupted`].
pub(crate) const INTERRUPTED: i64 = 4;
/// `exchange_no` of a revision that no exchange shows: a sweep missed the record.
pub(crate) const NO_EXCHANGE: i64 = -1;

pub(crate) fn run_state(code: i64) -> Result<RunState, StoreError> {
    match code {
        RUNNING => Ok(RunState::Running),
        2 => Ok(RunState::Completed),
        3 => Ok(RunState::Failed),
        INTERRUPTED => Ok(RunState::Interrupted),
        5 => Ok(RunState::CompletedWithFindings),
        _ => Err(unknown("run state", code)),
    }
}

pub(crate) fn remedy_code(remedy: Remedy) -> i64 {
    match remedy {
        Remedy::Operator => 1,
        Remedy::Source => 2,
        Remedy::Vendor => 3,
        Remedy::Connector => 4,
    }
}

pub(crate) fn remedy(code: i64) -> Result<Remedy, StoreError> {
    let found = Remedy::ALL.into_iter().find(|remedy| remedy_code(*remedy) == code);
    found.ok_or_else(|| unknown("remedy", code))
}

fn unknown(what: &str, code: i64) -> StoreError {
    StoreError::Fault(format!("the database holds {what} code {code}, which this program does not know"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_word_comes_back_from_its_number_and_other_numbers_are_faults() {
        for by in [DeletedBy::SourceEvent, DeletedBy::SourceFlag, DeletedBy::FullDiff, DeletedBy::Manual] {
            assert_eq!(deleted(deleted_code(by)).unwrap(), by);
        }
        for change in [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted] {
            assert_eq!(kind(kind_code(change)).unwrap(), change);
        }
        for run in [
            RunState::Running,
            RunState::Completed,
            RunState::CompletedWithFindings,
            RunState::Failed,
            RunState::Interrupted,
        ] {
            assert_eq!(run_state(run_state_code(run)).unwrap(), run);
        }
        for needs in Remedy::ALL {
            assert_eq!(remedy(remedy_code(needs)).unwrap(), needs);
        }
        assert!(remedy(0).is_err());
        assert!(deleted(0).is_err() && kind(9).is_err() && run_state(0).is_err());
    }
}
