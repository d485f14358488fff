//! What a connection may write: what its manifest carries, of that what the operator granted, and nothing that the gateway alone
//! writes. The one place that says so; every door asks it through [`crate::normalize::Rules`].

use std::collections::BTreeSet;

use renmen_schema::EntityKind;
use renmen_schema::manifest::{Manifest, StreamManifest};

/// The operator's `grant.entities`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EntityGrant {
    /// Not set: everything that the manifest carries. Only for a developer's machine.
    #[default]
    Manifest,
    /// Exactly these kinds.
    Only(BTreeSet<EntityKind>),
}

impl EntityGrant {
    /// Is it granted? What the manifest carries is another question.
    #[must_use]
    pub fn allows(&self, kind: EntityKind) -> bool {
        let granted = match self {
            Self::Manifest => true,
            Self::Only(kinds) => kinds.contains(&kind),
        };
        granted && !kind.is_gateway_only()
    }

    /// What a connection with this manifest may write.
    #[must_use]
    pub fn effective(&self, manifest: &Manifest) -> BTreeSet<EntityKind> {
        let carried = manifest.entities().into_iter().filter_map(EntityKind::from_name);
        carried.filter(|kind| self.allows(*kind)).collect()
    }

    /// What is granted and the manifest does not carry: a grant of nothing.
    #[must_use]
    pub fn idle(&self, manifest: &Manifest) -> Vec<EntityKind> {
        let Self::Only(kinds) = self else { return Vec::new() };
        let carried = manifest.entities();
        kinds.iter().filter(|kind| !carried.contains(kind.name())).copied().collect()
    }

    /// Is nothing that a stream carries granted? Then it is not pulled. An entity that this gateway does not know keeps
    /// it open.
    pub(crate) fn shuts(&self, stream: &StreamManifest) -> bool {
        stream.entities.iter().all(|name| EntityKind::from_name(name).is_some_and(|kind| !self.allows(kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::EntityGrant;
    use renmen_schema::EntityKind;

    #[test]
    fn what_the_gateway_alone_writes_is_never_granted() {
        let all = EntityGrant::Only(EntityKind::ALL.iter().copied().collect());
        for grant in [EntityGrant::Manifest, all] {
            for kind in EntityKind::ALL {
                assert_eq!(grant.allows(*kind), !kind.is_gateway_only(), "{kind}");
            }
        }
        let one = EntityGrant::Only([EntityKind::Survey].into());
        assert!(one.allows(EntityKind::Survey) && !one.allows(EntityKind::InterviewResult));
    }
}
