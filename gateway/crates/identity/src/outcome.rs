//! What was found: identities with their links, proposals for a person, conflicts that are held, values that do not count.

use std::collections::BTreeSet;

use crate::facts::{ClaimKind, Key};
use crate::id::{IdentityId, MemberId};
use crate::pair::Agreement;

/// Why two members are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grounds {
    /// By rules.
    Rules(Agreement),
    /// By this decision of a person.
    Decision(u64),
}

/// One step from a member to another: the links of an identity are a tree over its members, of the strongest pairs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The older record.
    pub a: MemberId,
    /// The younger one.
    pub b: MemberId,
    /// Why.
    pub grounds: Grounds,
}

/// Members that are one person, or one unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// That of the oldest member.
    pub id: IdentityId,
    /// By age.
    pub members: Vec<MemberId>,
    /// One fewer than there are members.
    pub links: Vec<Link>,
    /// It was part of more records than the limit allows, so no rule linked it.
    pub too_large: bool,
}

/// Two identities that may be one: a person decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proposal {
    /// The older one.
    pub one: IdentityId,
    /// The younger one.
    pub other: IdentityId,
    /// The records that say most for it, one of each.
    pub between: (MemberId, MemberId),
    /// What they say.
    pub agreement: Agreement,
}

/// Why two identities that rules would make one are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// These records differ in what one person has only one of at a time.
    Claim(ClaimKind, MemberId, MemberId),
    /// A person decided so.
    Never(u64),
    /// By itself it could be; together with equally strong links it would make one of two that cannot be, and which link is the wrong
    /// one cannot be told.
    Chain,
    /// A later decision says the opposite of this one.
    Overruled(u64),
}

/// A link that is held back, and told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The records that would be linked.
    pub between: (MemberId, MemberId),
    /// What for.
    pub grounds: Grounds,
    /// What against.
    pub obstacle: Obstacle,
}

/// Of a value: is it evidence?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The value.
    pub key: Key,
    /// Too many people have it.
    pub worn_out: bool,
    /// On how many records it is; counted up to one more than the limit.
    pub holders: usize,
}

/// The answer: it takes the place of everything that is stored of these members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Everyone who was looked at.
    pub members: BTreeSet<MemberId>,
    /// Those of them that are no more.
    pub gone: BTreeSet<MemberId>,
    /// Each member that is there is in one.
    pub identities: Vec<Identity>,
    /// With at least one of these members. They replace all stored ones that have one.
    pub proposals: Vec<Proposal>,
    /// Between these members.
    pub conflicts: Vec<Conflict>,
    /// Of the values that the changed records have, or had.
    pub uses: Vec<Use>,
}
