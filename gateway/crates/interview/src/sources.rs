//! Which connections' records count for what: an interview goes by its own connection, by those that the operator lists
//! along with it, and by what the gateway wrote. Any connection can name any interview in a reference; naming it gives
//! no say in it.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::id::ConnectionName;
use renmen_store::Parent;

use crate::author;

/// What the operator says about connections. A connection that is not named here does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The connections whose interviews and orders are acted on: AI interview vendors. They also tell of the
    /// applications and candidates that they interview for.
    pub vendors: BTreeSet<ConnectionName>,
    /// For a connection, the others that count for its records besides itself.
    pub beside: BTreeMap<ConnectionName, BTreeSet<ConnectionName>>,
}

impl Sources {
    /// Are interviews of this connection acted on?
    pub(crate) fn acts_on(&self, connection: &ConnectionName) -> bool {
        self.vendors.contains(connection)
    }

    /// The connections of the outside whose children count for a record.
    pub(crate) fn of(&self, parent: &Parent) -> Vec<ConnectionName> {
        let mut counted = BTreeSet::from([parent.connection.clone()]);
        counted.extend(self.beside.get(&parent.connection).into_iter().flatten().cloned());
        if matches!(parent.entity.as_str(), "application" | "candidate") {
            counted.extend(self.vendors.iter().cloned());
        }
        counted.into_iter().collect()
    }

    /// The same, and what the gateway wrote itself.
    pub(crate) fn of_all(&self, parent: &Parent) -> Vec<ConnectionName> {
        let mut counted = self.of(parent);
        counted.push(author::built_in());
        counted
    }

    /// Does a child that came through this connection count for a record?
    pub(crate) fn counts(&self, parent: &Parent, child: &ConnectionName) -> bool {
        *child == author::built_in() || self.of(parent).contains(child)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    #[test]
    fn a_child_counts_by_its_connection_and_by_nothing_that_it_says() {
        let sources = Sources {
            vendors: [name("vendor")].into(),
            beside: [(name("vendor"), [name("proctoring")].into())].into(),
        };
        let of = |connection: &str, entity: &str| Parent {
            connection: name(connection),
            entity: entity.into(),
            external_id: "1".into(),
        };
        for (connection, counts) in [("vendor", true), ("proctoring", true), ("renmen", true), ("survey", false)] {
            assert_eq!(sources.counts(&of("vendor", "interview"), &name(connection)), counts, "{connection}");
        }
        assert!(!sources.counts(&of("proctoring", "interview"), &name("vendor")), "the other way was not said");
        assert!(sources.counts(&of("hr", "application"), &name("vendor")), "a vendor tells of applications");
        assert!(!sources.counts(&of("hr", "application"), &name("proctoring")));
        assert!(sources.acts_on(&name("vendor")) && !sources.acts_on(&name("proctoring")));
        assert!(!Sources::default().acts_on(&name("vendor")), "a connection that is not named is not acted on");
    }
}
