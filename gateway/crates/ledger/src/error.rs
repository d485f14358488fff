//! Why nothing was previewed or posted.

use renmen_flow::FlowError;
use renmen_schema::Text;
use renmen_store::StoreError;

use crate::Fault;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// This tenant has no table of this name.
    #[error("there is no journal `{0}`")]
    NoBook(String),
    /// This tenant has no live payroll run with the id.
    #[error("there is no payroll run with this id")]
    NoRun,
    /// The run cannot be posted: every reason.
    #[error("{}", told(.0))]
    Faults(Vec<Fault>),
    /// Another journal is being made.
    #[error("another journal is being made: try again")]
    Busy,
    /// What takes the journal there refuses it.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every reason, one after another.
pub(crate) fn told(faults: &[Fault]) -> Text {
    Text::rendered(|| faults.iter().map(|fault| fault.message.to_string()).collect::<Vec<_>>().join("; "))
}
