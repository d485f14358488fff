//! What began a run: which runs read their stream, and which only hold what came another way, hangs on it.

use serde::{Deserialize, Serialize};

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunTrigger {
    /// A person, through the command line or the API.
    Manual,
    /// The stream's schedule.
    Schedule,
    /// An earlier run that failed.
    Retry,
    /// A delivery that announced a change of the whole stream.
    Event,
    /// A replay that is applied: its pages repeat old ones.
    Replay,
    /// Deliveries: the run holds what they brought.
    Webhook,
    /// Targeted reads of single records: the run holds what they brought.
    Refresh,
    /// The gateway itself, for records that it writes.
    BuiltIn,
}

impl RunTrigger {
    /// Every trigger.
    pub const ALL: [Self; 8] = [
        Self::Manual,
        Self::Schedule,
        Self::Retry,
        Self::Event,
        Self::Replay,
        Self::Webhook,
        Self::Refresh,
        Self::BuiltIn,
    ];

    /// The triggers of runs that hold what vendors' events brought.
    pub(crate) const OF_EVENTS: [Self; 2] = [Self::Webhook, Self::Refresh];

    /// As the database keeps it and the API shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Retry => "retry",
            Self::Event => "event",
            Self::Replay => "replay",
            Self::Webhook => "webhook",
            Self::Refresh => "refresh",
            Self::BuiltIn => "built-in",
        }
    }

    /// The trigger with this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == text)
    }

    /// Does such a run pull its stream page after page? The others keep what came another way: their pages cannot be pulled again,
    /// and they say nothing about how the stream is doing.
    #[must_use]
    pub fn pulls_stream(self) -> bool {
        match self {
            Self::Manual | Self::Schedule | Self::Retry | Self::Event => true,
            Self::Replay | Self::Webhook | Self::Refresh | Self::BuiltIn => false,
        }
    }
}

impl std::fmt::Display for RunTrigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_known_by_its_text_everywhere() {
        for trigger in RunTrigger::ALL {
            assert_eq!(RunTrigger::from_text(trigger.as_str()), Some(trigger));
            assert_eq!(serde_json::to_value(trigger).ok(), Some(trigger.as_str().into()));
        }
        assert_eq!(RunTrigger::from_text("Manual"), None);
        assert!(RunTrigger::OF_EVENTS.iter().all(|trigger| !trigger.pulls_stream()));
    }
}
