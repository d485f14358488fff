//! What can go wrong in a request to the flows.

use renmen_schema::{Text, text};
use renmen_store::StoreError;

use crate::definition::Defect;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The flow or delivery does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// The definition cannot be used: every defect.
    #[error("{}", cannot_be_used(.0))]
    Defects(Vec<Defect>),
    /// The flow stands in the configuration.
    #[error("{}", only_in_the_file(.0))]
    ReadOnly(String),
    /// It is there but cannot be done.
    #[error("{0}")]
    Refused(Text),
    /// The store refused or is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every defect, one after another.
fn cannot_be_used(defects: &[Defect]) -> Text {
    let defects = Text::rendered(|| defects.iter().map(Defect::to_string).collect::<Vec<_>>().join("; "));
    text!("the flow cannot be used: {defects}", "流程无法使用：{defects}")
}

fn only_in_the_file(name: &str) -> Text {
    text!(
        "flow `{name}` stands in connectors.toml: change it there",
        "流程 `{name}` 写在 connectors.toml 中：请在那里修改"
    )
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.message)?;
        if let Some(at) = self.at {
            write!(f, " {}", text!("(at character {})", "（第 {} 个字符）", at + 1))?;
        }
        if !self.help.is_empty() {
            write!(f, "{}", text!("; {}", "；{}", self.help))?;
        }
        Ok(())
    }
}
