//! An index of what was loaded so far, for a caller that cannot answer at once: it settles, is told what is missing, loads that in one go,
//! and settles again. Nothing is done in vain but comparing a few dozen records once more.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use crate::decision::Decision;
use crate::facts::{Facts, Key};
use crate::id::{IdentityId, MemberId};
use crate::index::{Holder, Index, Standing};

/// What is to be loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Facts of these.
    pub facts: BTreeSet<MemberId>,
    /// Holders of these, each up to [`Missing::most`].
    pub holders: BTreeSet<Key>,
    /// How many holders of a key are enough.
    pub most: usize,
    /// Decisions about these.
    pub decisions: BTreeSet<MemberId>,
    /// Where these belong.
    pub standing: BTreeSet<MemberId>,
    /// Members of these.
    pub members: BTreeSet<IdentityId>,
}

/// There is something to be loaded: [`Neighbourhood::missing`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLoaded;

/// What was loaded.
#[derive(Debug, Default)]
pub struct Neighbourhood {
    facts: HashMap<MemberId, Option<Arc<Facts>>>,
    holders: HashMap<Key, Vec<Holder>>,
    decisions: HashMap<MemberId, Vec<Decision>>,
    standing: HashMap<MemberId, Option<Standing>>,
    members: HashMap<IdentityId, Vec<MemberId>>,
    missing: RefCell<Missing>,
}

impl Neighbourhood {
    /// What was asked for and not there since this was last called.
    #[must_use]
    pub fn missing(&mut self) -> Missing {
        self.missing.take()
    }

    /// The facts of a member; none: it is no more.
    pub fn put_facts(&mut self, member: MemberId, facts: Option<Arc<Facts>>) {
        self.facts.insert(member, facts);
    }

    /// The holders of a key.
    pub fn put_holders(&mut self, key: Key, holders: Vec<Holder>) {
        self.holders.insert(key, holders);
    }

    /// The decisions about a member.
    pub fn put_decisions(&mut self, member: MemberId, decisions: Vec<Decision>) {
        self.decisions.insert(member, decisions);
    }

    /// Where a member belongs.
    pub fn put_standing(&mut self, member: MemberId, standing: Option<Standing>) {
        self.standing.insert(member, standing);
    }

    /// The members of an identity.
    pub fn put_members(&mut self, identity: IdentityId, members: Vec<MemberId>) {
        self.members.insert(identity, members);
    }
}

/// The answers, or a note of all that are not there.
fn all<K: Copy + Eq + Hash + Ord, V: Clone>(
    known: &HashMap<K, V>,
    wanted: &[K],
    missing: &mut BTreeSet<K>,
) -> Result<Vec<V>, NotLoaded> {
    missing.extend(wanted.iter().filter(|one| !known.contains_key(one)));
    wanted.iter().map(|one| known.get(one).cloned().ok_or(NotLoaded)).collect()
}

impl Index for Neighbourhood {
    type Error = NotLoaded;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, NotLoaded> {
        all(&self.facts, members, &mut self.missing.borrow_mut().facts)
    }

    fn holders(&self, keys: &[Key], most: usize) -> Result<Vec<Vec<Holder>>, NotLoaded> {
        let mut missing = self.missing.borrow_mut();
        missing.most = most;
        all(&self.holders, keys, &mut missing.holders)
    }

    fn decisions(&self, members: &[MemberId]) -> Result<Vec<Vec<Decision>>, NotLoaded> {
        all(&self.decisions, members, &mut self.missing.borrow_mut().decisions)
    }

    fn standing(&self, members: &[MemberId]) -> Result<Vec<Option<Standing>>, NotLoaded> {
        all(&self.standing, members, &mut self.missing.borrow_mut().standing)
    }

    fn members(&self, identities: &[IdentityId]) -> Result<Vec<Vec<MemberId>>, NotLoaded> {
        all(&self.members, identities, &mut self.missing.borrow_mut().members)
    }
}
