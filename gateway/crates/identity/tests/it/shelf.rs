//! A store in memory: it keeps what the engine found as a store does, and answers what the engine asks.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use renmen_identity::{
    Change, Changed, Conflict, Decision, DecisionKind, Engine, Facts, Holder, Identity, IdentityId, Index, Key,
    MemberId, Neighbourhood, Proposal, Rules, Settled, Standing, Use, changes,
};

#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) facts: BTreeMap<MemberId, Arc<Facts>>,
    holders: BTreeMap<Key, BTreeMap<MemberId, Holder>>,
    pub(crate) decisions: BTreeSet<Decision>,
    pub(crate) identities: BTreeMap<IdentityId, Identity>,
    home: BTreeMap<MemberId, IdentityId>,
    pub(crate) proposals: BTreeSet<Proposal>,
    pub(crate) conflicts: BTreeSet<Conflict>,
    pub(crate) worn_out: BTreeSet<Use>,
    /// The most round trips that a store would have needed for a change.
    pub(crate) rounds_max: usize,
}

impl Shelf {
    pub(crate) fn put(&mut self, rules: &Rules, member: MemberId, facts: Facts) {
        let keys_before = self.forget(member);
        for key in facts.keys() {
            let holder = Holder { member, place: facts.place, name: facts.name() };
            self.holders.entry(*key).or_default().insert(member, holder);
        }
        self.facts.insert(member, Arc::new(facts));
        self.settle(rules, &[Changed { member, keys_before }]);
    }

    pub(crate) fn erase(&mut self, rules: &Rules, member: MemberId) {
        let named = |decision: &Decision| decision.a == member || decision.b == member;
        let partners: Vec<MemberId> =
            self.decisions.iter().filter(|one| named(one)).map(|one| one.other(member)).collect();
        self.decisions.retain(|decision| !named(decision));
        let keys_before = self.forget(member);
        let mut changed = vec![Changed { member, keys_before }];
        changed.extend(partners.into_iter().map(|member| Changed { member, keys_before: Vec::new() }));
        self.settle(rules, &changed);
        assert!(!self.home.contains_key(&member), "it is nowhere any more");
    }

    pub(crate) fn decide(&mut self, rules: &Rules, decision: Decision) {
        self.decisions.insert(decision);
        self.settle(rules, &[decision.a, decision.b].map(|member| Changed { member, keys_before: Vec::new() }));
    }

    pub(crate) fn withdraw(&mut self, rules: &Rules, decision: Decision) {
        self.decisions.remove(&decision);
        self.settle(rules, &[decision.a, decision.b].map(|member| Changed { member, keys_before: Vec::new() }));
    }

    /// Where an id leads that was once given out.
    pub(crate) fn follow(&self, id: IdentityId) -> Option<IdentityId> {
        self.home.get(&id.0).copied()
    }

    pub(crate) fn identity_of(&self, member: MemberId) -> &Identity {
        &self.identities[&self.home[&member]]
    }

    fn forget(&mut self, member: MemberId) -> Vec<Key> {
        let Some(facts) = self.facts.remove(&member) else { return Vec::new() };
        for key in facts.keys() {
            self.holders.get_mut(key).unwrap().remove(&member);
        }
        facts.keys().to_vec()
    }

    fn settle(&mut self, rules: &Rules, changed: &[Changed]) {
        let Ok(settled) = Engine::new(rules).settle(changed, self);
        assert_eq!(settled, self.loaded_in_rounds(rules, changed), "as a store does it that loads what is missing");
        let again = Engine::new(rules).settle(changed, self);
        assert_eq!(Ok(&settled), again.as_ref(), "the same again");
        let before = self.identities.values().filter(|one| settled.members.contains(&one.id.0)).cloned();
        let changes = changes(&before.collect::<Vec<_>>(), &settled);
        let moved: Vec<Change> = changes.into_iter().filter(|change| matches!(change, Change::Moved { .. })).collect();
        let homes = self.home.clone();
        self.keep(settled);
        assert_eq!(self.moved_since(&homes), moved, "each member that is elsewhere now, and no other");
    }

    fn moved_since(&self, homes: &BTreeMap<MemberId, IdentityId>) -> Vec<Change> {
        let members: BTreeSet<MemberId> = homes.keys().chain(self.home.keys()).copied().collect();
        let change = |member: MemberId| {
            let (from, to) = (homes.get(&member).copied(), self.home.get(&member).copied());
            (from != to).then_some(Change::Moved { member, from, to })
        };
        members.into_iter().filter_map(change).collect()
    }

    /// The same by way of an index that has only what was loaded.
    fn loaded_in_rounds(&mut self, rules: &Rules, changed: &[Changed]) -> Settled {
        let mut near = Neighbourhood::default();
        for round in 0.. {
            if let Ok(settled) = Engine::new(rules).settle(changed, &near) {
                self.rounds_max = self.rounds_max.max(round);
                return settled;
            }
            let missing = near.missing();
            let list = |members: &BTreeSet<MemberId>| members.iter().copied().collect::<Vec<_>>();
            let (facts, keys) = (list(&missing.facts), missing.holders.iter().copied().collect::<Vec<_>>());
            facts.iter().zip(self.facts(&facts).unwrap()).for_each(|(one, facts)| near.put_facts(*one, facts));
            let holders = self.holders(&keys, missing.most).unwrap();
            keys.iter().zip(holders).for_each(|(key, holders)| near.put_holders(*key, holders));
            for (one, decisions) in
                list(&missing.decisions).into_iter().zip(self.decisions(&list(&missing.decisions)).unwrap())
            {
                near.put_decisions(one, decisions);
            }
            for (one, standing) in
                list(&missing.standing).into_iter().zip(self.standing(&list(&missing.standing)).unwrap())
            {
                near.put_standing(one, standing);
            }
            for id in missing.members {
                near.put_members(id, self.members(&[id]).unwrap().remove(0));
            }
        }
        unreachable!("it ends when everything is loaded")
    }

    pub(crate) fn keep(&mut self, settled: Settled) {
        let members = &settled.members;
        for id in members.iter().filter_map(|member| self.home.get(member)).copied().collect::<BTreeSet<_>>() {
            let before = self.identities.remove(&id).unwrap();
            assert!(
                before.members.iter().all(|member| members.contains(member)),
                "an identity is looked at as a whole"
            );
        }
        self.home.retain(|member, _| !members.contains(member));
        self.proposals.retain(|one| !members.contains(&one.one.0) && !members.contains(&one.other.0));
        self.conflicts.retain(|one| !members.contains(&one.between.0) && !members.contains(&one.between.1));
        for identity in settled.identities {
            assert_eq!(identity.id.0, identity.members[0]);
            assert!(identity.members.is_sorted() && identity.links.len() + 1 == identity.members.len(), "{identity:?}");
            identity.members.iter().for_each(|member| assert_eq!(self.home.insert(*member, identity.id), None));
            self.identities.insert(identity.id, identity);
        }
        self.proposals.extend(settled.proposals);
        self.conflicts.extend(settled.conflicts);
        for found in settled.uses {
            self.worn_out.retain(|known| known.key != found.key);
            self.worn_out.extend(found.worn_out.then_some(found));
        }
    }
}

impl Index for Shelf {
    type Error = Infallible;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Infallible> {
        Ok(members.iter().map(|member| self.facts.get(member).cloned()).collect())
    }

    fn holders(&self, keys: &[Key], most: usize) -> Result<Vec<Vec<Holder>>, Infallible> {
        let of = |key| self.holders.get(key).into_iter().flat_map(BTreeMap::values).take(most).copied().collect();
        Ok(keys.iter().map(of).collect())
    }

    fn decisions(&self, members: &[MemberId]) -> Result<Vec<Vec<Decision>>, Infallible> {
        let of = |member: &MemberId| {
            self.decisions.iter().filter(|one| one.a == *member || one.b == *member).copied().collect()
        };
        Ok(members.iter().map(of).collect())
    }

    fn standing(&self, members: &[MemberId]) -> Result<Vec<Option<Standing>>, Infallible> {
        let of = |member| {
            let identity = *self.home.get(member)?;
            Some(Standing { identity, too_large: self.identities[&identity].too_large })
        };
        Ok(members.iter().map(of).collect())
    }

    fn members(&self, identities: &[IdentityId]) -> Result<Vec<Vec<MemberId>>, Infallible> {
        Ok(identities.iter().map(|id| self.identities[id].members.clone()).collect())
    }
}

pub(crate) fn decision(seq: u64, kind: DecisionKind, a: MemberId, b: MemberId) -> Decision {
    Decision { seq, kind, a, b }
}
