//! Where a run stands, and where the next one begins: the text that the gateway keeps for us.

use renmen_plugin::{Failure, locate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The form of the text.
const VERSION: u8 = 1;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cursor {
    pub(crate) v: u8,
    /// Which list of the stream.
    #[serde(default)]
    pub(crate) list: usize,
    /// What each list left for the next run: a time or a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<Option<String>>,
    /// Within the list.
    #[serde(default)]
    pub(crate) at: At,
    /// A list of this run told only what changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) partial: bool,
}

/// Where within a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct At {
    /// The page: a token, an address or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<String>,
    /// How many items of the answer were taken in already.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) skip: u32,
    /// The state of a list that is read by time, or by offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Up to when the run asks. Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until_ms: Option<i64>,
    /// How often the vendor had us start over.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) restarts: u32,
    /// The parents that are left of the last answer, the current one first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parents: Option<Vec<Value>>,
    /// The next page of parents; none: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parents_page: Option<String>,
    /// Where the list of parents is within its own parents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) above: Option<Box<At>>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Default for Cursor {
    fn default() -> Self {
        Self { v: VERSION, list: 0, kept: Vec::new(), at: At::default(), partial: false }
    }
}

impl Cursor {
    /// Reads the text; none is the beginning.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](renmen_plugin::FailureKind::InvalidInput) for one that is not of this connector.
    pub(crate) fn resume(text: Option<&str>, lists: usize) -> Result<Self, Failure> {
        let Some(text) = text else { return Ok(Self::default()) };
        let cursor: Self = locate::parse(text.as_bytes())
            .map_err(|fault| Failure::invalid_input(format!("the cursor is not of this connector: {fault}")))?;
        if cursor.v != VERSION || cursor.list >= lists {
            return Err(Failure::invalid_input("the cursor is of another release of this connector"));
        }
        Ok(cursor)
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        // Texts and numbers alone: such JSON can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the list left the last time.
    pub(crate) fn kept(&self) -> Option<&str> {
        self.kept.get(self.list)?.as_deref()
    }

    /// Keeps something for the next run.
    pub(crate) fn keep(&mut self, kept: Option<String>) {
        if self.kept.len() <= self.list {
            self.kept.resize(self.list + 1, None);
        }
        self.kept[self.list] = kept;
    }
}
