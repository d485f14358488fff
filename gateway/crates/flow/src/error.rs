//! What can go wrong when somebody asks something of the flows.

use renmen_store::StoreError;

use crate::definition::Defect;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// There is no such flow or delivery.
    #[error("there is no {0}")]
    NotFound(String),
    /// The definition cannot be used: every defect.
    #[error("the flow cannot be used: {}", told(.0))]
    Defects(Vec<Defect>),
    /// The flow stands in the configuration.
    #[error("flow `{0}` stands in connectors.toml: change it there")]
    ReadOnly(String),
    /// It is there but cannot be done.
    #[error("{0}")]
    Refused(String),
    /// The store refused or is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn told(defects: &[Defect]) -> String {
    defects.iter().map(Defect::to_string).collect::<Vec<_>>().join("; ")
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(at) = self.at {
            write!(f, " (at character {})", at + 1)?;
        }
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}
