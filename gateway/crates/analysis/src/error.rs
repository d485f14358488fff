//! Why there is no answer.

use std::time::Duration;

use renmen_insight::Overflow;
use renmen_schema::{Text, text};
use renmen_store::StoreError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// This tenant has no live record with the id that a parameter names.
    #[error("`{0}` names a record that is not there")]
    NotFound(&'static str),
    /// A parameter that cannot be used, or one that is missing.
    #[error("`{parameter}` must be {expected}")]
    Bad {
        /// Its name.
        parameter: String,
        /// What it should be.
        expected: Text,
    },
    /// It cannot be answered from what is there.
    #[error("{0}")]
    Refused(Text),
    /// There is more than a question may hold.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// It took longer than a question may.
    #[error("it took longer than {}; choose a shorter period or one position, or raise `insight.ask_within`", seconds(.0))]
    TooLong(Duration),
    /// Other questions are being answered.
    #[error("other questions are being answered; ask again, or raise `insight.asks_at_once`")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be done, through no fault of the caller.
    #[error("fault: {0}")]
    Fault(String),
}

fn seconds(within: &Duration) -> String {
    format!("{} s", within.as_secs())
}

impl AnalysisError {
    /// A parameter that cannot be used.
    #[must_use]
    pub fn bad(parameter: &str, expected: Text) -> Self {
        Self::Bad { parameter: parameter.to_owned(), expected }
    }

    /// What to tell people.
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::NotFound(what) => text!(
                "`{what}` names a record that is not there; give the id of a live record",
                "`{what}` 所指的记录不存在；请给出现有记录的编号"
            ),
            Self::Bad { parameter, expected } => {
                text!("`{parameter}` must be {expected}", "`{parameter}` 须为{expected}")
            }
            Self::Refused(why) => why.clone(),
            Self::Overflow(overflow) => overflow.text(),
            Self::TooLong(within) => {
                let within = within.as_secs();
                text!(
                    "it took longer than {within} s; choose a shorter period or one position, or raise `insight.ask_within`",
                    "用时超过 {within} 秒；请缩短期间或只选一个职位，或提高 `insight.ask_within`"
                )
            }
            Self::Busy => text!(
                "other questions are being answered; ask again, or raise `insight.asks_at_once`",
                "正在回答其他问题；请稍后再问，或提高 `insight.asks_at_once`"
            ),
            Self::Store(error) => Text::verbatim(error.to_string()),
            Self::Fault(_) => text!("the gateway could not answer; its log says more", "网关无法回答；详情见日志"),
        }
    }
}
