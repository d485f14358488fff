//! What is different from before: what a store adds to its history, and what it tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{IdentityId, MemberId};
use crate::outcome::{Identity, Link, Settled};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A link ended: kept as history, with the time.
    Unlinked(Link),
    /// A link began.
    Linked(Link),
    /// A member belongs to another identity now. From none: it is new; to none: it is gone.
    Moved {
        /// Which one.
        member: MemberId,
        /// Where it was.
        from: Option<IdentityId>,
        /// Where it is.
        to: Option<IdentityId>,
    },
}

/// The differences between what was stored of the settled members and what was found, links first. Without one nothing needs to be written.
#[must_use]
pub fn changes(before: &[Identity], settled: &Settled) -> Vec<Change> {
    let links = |identities: &[Identity]| -> BTreeSet<Link> {
        identities.iter().flat_map(|identity| identity.links.iter().cloned()).collect()
    };
    let homes = |identities: &[Identity]| -> BTreeMap<MemberId, IdentityId> {
        identities.iter().flat_map(|one| one.members.iter().map(|member| (*member, one.id))).collect()
    };
    let (old_links, new_links) = (links(before), links(&settled.identities));
    let ended = old_links.difference(&new_links).cloned().map(Change::Unlinked);
    let begun = new_links.difference(&old_links).cloned().map(Change::Linked);
    let (old, new) = (homes(before), homes(&settled.identities));
    let members: BTreeSet<MemberId> = old.keys().chain(new.keys()).copied().collect();
    let moved = members.into_iter().filter_map(|member| {
        let (from, to) = (old.get(&member).copied(), new.get(&member).copied());
        (from != to).then_some(Change::Moved { member, from, to })
    });
    ended.chain(begun).chain(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Grounds;

    fn identity(members: &[u64]) -> Identity {
        let members: Vec<MemberId> = members.iter().copied().map(MemberId).collect();
        let links = members.windows(2).map(|two| Link { a: two[0], b: two[1], grounds: Grounds::Decision(1) });
        Identity { id: IdentityId(members[0]), links: links.collect(), members, too_large: false }
    }

    fn settled(identities: Vec<Identity>) -> Settled {
        Settled { identities, ..Settled::default() }
    }

    #[test]
    fn a_merge_and_the_split_after_it_are_told_and_what_stays_is_not() {
        let id = |member| Some(IdentityId(MemberId(member)));
        let moved = |member, from, to| Change::Moved { member: MemberId(member), from, to };
        let (apart, together) = (vec![identity(&[1, 2]), identity(&[3])], vec![identity(&[1, 2, 3])]);
        let link = together[0].links[1].clone();
        let merge = changes(&apart, &settled(together.clone()));
        assert_eq!(merge, [Change::Linked(link.clone()), moved(3, id(3), id(1))]);
        assert_eq!(changes(&together, &settled(apart.clone())), [Change::Unlinked(link), moved(3, id(1), id(3))]);
        assert_eq!(changes(&apart, &settled(apart.clone())), []);
        assert_eq!(changes(&[], &settled(vec![identity(&[7])])), [moved(7, None, id(7))]);
        assert_eq!(changes(&[identity(&[7])], &settled(Vec::new())), [moved(7, id(7), None)]);
    }
}
