//! Exit codes that mean something.

use std::process::ExitCode;

/// How a command ended when nothing broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it.
    Done,
    /// Some streams failed or have findings; the rest is in.
    Partly,
    /// What was asked for is not so: a check failed, a record is not there.
    Failed,
    /// A part of the configuration cannot be used; the rest was done.
    Misconfigured,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::Misconfigured => Self::from(2),
            Outcome::Partly => Self::from(3),
        }
    }
}

/// Wrong usage or configuration: the person who typed can mend it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The code of an error.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    let busy = error.chain().any(|e| matches!(e.downcast_ref(), Some(renmen_store::StoreError::Busy(_))));
    let usage = error.chain().any(|e| {
        e.downcast_ref::<Usage>().is_some()
            || e.downcast_ref::<renmen_config::ConfigError>().is_some()
            || matches!(e.downcast_ref(), Some(renmen_kit::KitError::Usage(_)))
    });
    ExitCode::from(match (busy, usage) {
        (true, _) => 4,
        (_, true) => 2,
        _ => 1,
    })
}
