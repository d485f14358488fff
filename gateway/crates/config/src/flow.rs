//! `[flows.NAME]`: kept as it stands, with the place of everything, because what a flow means is known where flows run: there the
//! same definition may come over the API. What is found wrong with it comes back here to be told with line and column.

use std::path::Path;
use std::sync::Arc;

use renmen_schema::id::TenantId;
use serde_json::Value;

use crate::error::ConfigError;
use crate::places::{LateProblem, Places};
use crate::section::Node;

/// Flows in one file.
pub(crate) const FLOWS_MAX: usize = 200;

/// One flow of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// Everything else, as JSON.
    pub definition: Value,
    places: Places,
}

impl Flow {
    /// Does the other one say the same, wherever in its file it stands?
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.tenant, &self.definition) == (&other.tenant, &other.definition)
    }

    pub(crate) fn read(node: &Node<'_>, tenant: &TenantId, text: &Arc<str>) -> Option<Self> {
        let mut section = node.section()?;
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        let mut definition = node.json()?;
        if let Value::Object(object) = &mut definition {
            object.remove("tenant");
        }
        Some(Self { tenant: tenant?, definition, places: Places::of(node, text) })
    }

    /// The error of a flow that cannot be used, with the place of each problem in the file.
    #[must_use]
    pub fn refuse(&self, path: &Path, problems: &[LateProblem]) -> ConfigError {
        let text_of = |key: &str| {
            let pointer: String =
                key.split(['.', '[']).map(|part| format!("/{}", part.trim_end_matches(']'))).collect();
            self.definition.pointer(&pointer)?.as_str().map(str::to_owned)
        };
        self.places.refuse(path, problems, text_of)
    }
}
