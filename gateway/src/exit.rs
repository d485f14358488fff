//! Exit codes that mean something: the table is in the README, and tests/tests/it/exit_codes.rs holds each of them.

use std::process::ExitCode;

use renmen_schema::Text;

/// How a command ended when nothing broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it.
    Done,
    /// Some of it failed or has findings; the rest is done.
    Partly,
    /// What was asked for is not so: a check failed, a record is not there.
    Failed,
    /// A part of the configuration cannot be used; the rest was done.
    Misconfigured,
    /// Stopped by a signal. What was done stays, and the next time goes on from there.
    Stopped,
}

impl Outcome {
    /// 130 is what a shell says of a command that Ctrl-C ended.
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Misconfigured => 2,
            Self::Partly => 3,
            Self::Stopped => 130,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        outcome.code().into()
    }
}

/// Wrong usage or configuration: the person who typed can mend it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) Text);

/// The code of an error.
pub(crate) fn code_of(error: &anyhow::Error) -> ExitCode {
    number_of(error).into()
}

fn number_of(error: &anyhow::Error) -> u8 {
    let busy = error.chain().any(|e| matches!(e.downcast_ref(), Some(renmen_store::StoreError::Busy(_))));
    // A context is found by the error as a whole alone, not by its chain.
    let usage = error.downcast_ref::<Usage>().is_some()
        || error.chain().any(|e| {
            e.downcast_ref::<Usage>().is_some()
                || e.downcast_ref::<renmen_config::ConfigError>().is_some()
                || matches!(e.downcast_ref(), Some(renmen_kit::KitError::Usage(_)))
                || matches!(e.downcast_ref(), Some(renmen_store::StoreError::Configuration(_)))
        });
    match (busy, usage) {
        (true, _) => 4,
        (_, true) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use renmen_schema::text;

    use super::*;

    #[test]
    fn each_end_has_the_code_of_the_readme() {
        let ends = [Outcome::Done, Outcome::Failed, Outcome::Misconfigured, Outcome::Partly, Outcome::Stopped];
        assert_eq!(ends.map(Outcome::code), [0, 1, 2, 3, 130]);
    }

    #[test]
    fn an_error_of_usage_and_a_held_store_are_known_at_any_depth() {
        let usage = || anyhow::Error::new(Usage(text!("a slot is empty", "凭据槽为空")));
        let busy = anyhow::Error::new(renmen_store::StoreError::Busy("held".into())).context("the store");
        for (error, code) in [
            (anyhow!("a cable was pulled"), 1),
            (usage(), 2),
            (usage().context("connection `a`"), 2),
            (anyhow!("no file").context(Usage(text!("connection `a` cannot be loaded", "无法加载连接 `a`"))), 2),
            (busy, 4),
        ] {
            assert_eq!(number_of(&error), code, "{error:#}");
        }
    }
}
