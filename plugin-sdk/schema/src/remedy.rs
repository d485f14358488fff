//! Who can put right what a run found: one vocabulary for connectors, the gateway and its readers.

use serde::{Deserialize, Serialize};

/// Who can put right what a finding tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The operator: a right, a credential, the configuration.
    Operator,
    /// The people who keep the source: a file to correct, a record to repair.
    Source,
    /// The vendor: it passes, or the vendor is to be asked.
    Vendor,
    /// The author of the connector.
    Connector,
}

impl Remedy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Operator, Self::Source, Self::Vendor, Self::Connector];

    /// As JSON spells it: `operator`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Source => "source",
            Self::Vendor => "vendor",
            Self::Connector => "connector",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_json_says() {
        for remedy in Remedy::ALL {
            assert_eq!(serde_json::to_value(remedy).unwrap(), remedy.name());
        }
    }
}
