//! Who must be looked at together: from a record along everything that could link, until none is added.
//!
//! All records of a component are found from any of them, so what is decided about them does not depend on which one changed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::decision::{Decision, DecisionKind};
use crate::facts::{Facts, Key};
use crate::id::MemberId;
use crate::index::{Holder, Index};
use crate::outcome::Use;
use crate::pair::{self, Agreement, Verdict};
use crate::partition::Edge;
use crate::rules::Rules;

/// Records that hold together by links or decisions.
pub(crate) struct Component {
    pub(crate) members: Vec<MemberId>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) too_large: bool,
}

/// A key's holders, unless it does not count.
enum Known {
    Evidence(Box<[MemberId]>),
    WornOut,
}

/// What was seen on the way.
pub(crate) struct Reach<'a, I: Index> {
    rules: &'a Rules,
    index: &'a I,
    pub(crate) facts: HashMap<MemberId, Option<Arc<Facts>>>,
    keys: HashMap<Key, Known>,
    pub(crate) uses: BTreeMap<Key, Use>,
    pub(crate) decisions: BTreeSet<Decision>,
    /// Pairs that are not enough to link, with one end at least in a component.
    pub(crate) weak: Vec<(MemberId, MemberId, Agreement)>,
    /// Pairs, and whether they would be linked.
    compared: HashMap<(MemberId, MemberId), bool>,
    /// Member → number of its component.
    pub(crate) placed: HashMap<MemberId, usize>,
    pub(crate) components: Vec<Component>,
}

impl<'a, I: Index> Reach<'a, I> {
    pub(crate) fn new(rules: &'a Rules, index: &'a I) -> Self {
        Self {
            rules,
            index,
            facts: HashMap::new(),
            keys: HashMap::new(),
            uses: BTreeMap::new(),
            decisions: BTreeSet::new(),
            weak: Vec::new(),
            compared: HashMap::new(),
            placed: HashMap::new(),
            components: Vec::new(),
        }
    }

    pub(crate) fn index(&self) -> &'a I {
        self.index
    }

    /// The facts of a member that is there.
    pub(crate) fn known(&self, member: MemberId) -> Option<&Facts> {
        self.facts.get(&member)?.as_deref()
    }

    pub(crate) fn load_facts(&mut self, members: &[MemberId]) -> Result<(), I::Error> {
        let wanted: Vec<MemberId> = members.iter().filter(|one| !self.facts.contains_key(one)).copied().collect();
        if !wanted.is_empty() {
            self.facts.extend(wanted.iter().copied().zip(self.index.facts(&wanted)?));
        }
        Ok(())
    }

    /// Everyone with one of these keys, except where so many have it that one more or less makes no difference.
    pub(crate) fn holders_of(&mut self, keys: &[Key]) -> Result<Vec<MemberId>, I::Error> {
        let sought: Vec<Key> = keys.iter().filter(|key| self.rules.seeks(**key)).copied().collect();
        let most = self.rules.holders_max + 2;
        let mut members = Vec::new();
        for (key, holders) in sought.iter().zip(self.index.holders(&sought, most)?) {
            if holders.len() < most {
                members.extend(holders.iter().map(|holder| holder.member));
            }
            self.note(*key, &holders);
        }
        Ok(members)
    }

    fn load_holders(&mut self, keys: impl Iterator<Item = Key>) -> Result<(), I::Error> {
        let unknown = keys.filter(|key| self.rules.seeks(*key) && !self.keys.contains_key(key));
        let wanted: Vec<Key> = unknown.collect::<BTreeSet<_>>().into_iter().collect();
        if !wanted.is_empty() {
            for (key, holders) in wanted.iter().zip(self.index.holders(&wanted, self.rules.holders_max + 2)?) {
                self.note(*key, &holders);
            }
        }
        Ok(())
    }

    fn note(&mut self, key: Key, holders: &[Holder]) {
        let worn_out = is_worn_out(self.rules, key, holders);
        let count = holders.len().min(self.rules.holders_max + 1);
        self.uses.insert(key, Use { key, worn_out, holders: count });
        let known = if worn_out {
            Known::WornOut
        } else {
            Known::Evidence(holders.iter().map(|holder| holder.member).collect())
        };
        self.keys.insert(key, known);
    }

    /// The component of a member that is in none yet.
    pub(crate) fn follow(&mut self, seed: MemberId) -> Result<(), I::Error> {
        let number = self.components.len();
        let mut component = Component { members: Vec::new(), edges: Vec::new(), too_large: false };
        let mut frontier = vec![seed];
        let mut queued = HashSet::from([seed]);
        while !frontier.is_empty() {
            self.load_facts(&frontier)?;
            frontier.retain(|member| self.known(*member).is_some());
            let Next { mut linked, mut decided } = self.step(&frontier, &mut component)?;
            component.members.append(&mut frontier);
            // A component that was only partly followed, because it is too large, is met again.
            component.too_large |= linked.iter().any(|member| self.placed.contains_key(member));
            linked.retain(|member| !self.placed.contains_key(member) && !queued.contains(member));
            decided.retain(|member| !self.placed.contains_key(member) && !queued.contains(member));
            component.too_large |= component.members.len() + linked.len() > self.rules.component_max;
            if component.too_large {
                self.leave_out_the_settled(&mut linked)?;
            }
            frontier = linked.union(&decided).copied().collect();
            queued.extend(&frontier);
        }
        if component.members.is_empty() {
            return Ok(());
        }
        for member in &component.members {
            self.placed.insert(*member, number);
        }
        component.members.sort_unstable();
        self.components.push(component);
        Ok(())
    }

    /// Of a component that is too large, those who were found to be in one that is need no second look: they are linked by no rule.
    fn leave_out_the_settled(&self, linked: &mut BTreeSet<MemberId>) -> Result<(), I::Error> {
        if linked.is_empty() {
            return Ok(());
        }
        let members: Vec<MemberId> = linked.iter().copied().collect();
        for (member, standing) in members.iter().zip(self.index.standing(&members)?) {
            if standing.is_some_and(|standing| standing.too_large) {
                linked.remove(member);
            }
        }
        Ok(())
    }

    /// Who goes with the frontier.
    fn step(&mut self, frontier: &[MemberId], component: &mut Component) -> Result<Next, I::Error> {
        let of = |member: &MemberId| self.known(*member).map(|facts| facts.keys.to_vec());
        let keys: Vec<Key> = frontier.iter().filter_map(of).flatten().collect();
        // Asked for together: what is missing is loaded in one go.
        let (holders, decisions) = (self.load_holders(keys.into_iter()), self.index.decisions(frontier));
        holders?;
        let decisions = decisions?;
        let mut pairs = BTreeSet::new();
        for member in frontier {
            let Some(facts) = self.known(*member) else { continue };
            for key in &facts.keys {
                if let Some(Known::Evidence(holders)) = self.keys.get(key) {
                    pairs.extend(holders.iter().filter(|other| *other != member).map(|other| (*member, *other)));
                }
            }
        }
        let mut decided = Vec::new();
        for (member, decisions) in frontier.iter().zip(decisions) {
            let same = decisions.iter().filter(|decision| decision.kind == DecisionKind::Same);
            decided.extend(same.map(|decision| decision.other(*member)));
            self.decisions.extend(decisions);
        }
        let others: BTreeSet<MemberId> = pairs.iter().map(|(_, other)| *other).chain(decided.iter().copied()).collect();
        self.load_facts(&others.into_iter().collect::<Vec<_>>())?;
        let mut next = Next::default();
        for (member, other) in pairs {
            next.linked.extend(self.compare(member, other, component).then_some(other));
        }
        next.decided.extend(decided.into_iter().filter(|other| self.known(*other).is_some()));
        Ok(next)
    }

    /// Would the two be linked?
    fn compare(&mut self, member: MemberId, other: MemberId, component: &mut Component) -> bool {
        let pair = (member.min(other), member.max(other));
        let Entry::Vacant(place) = self.compared.entry(pair) else { return self.compared[&pair] };
        let facts = |member| self.facts.get(&member)?.as_deref();
        let (Some(a), Some(b)) = (facts(pair.0), facts(pair.1)) else { return false };
        let usable = |key: Key| !matches!(self.keys.get(&key), Some(Known::WornOut));
        let found = pair::compare(self.rules, a, b, usable);
        place.insert(matches!(found, Some((Verdict::Link, _))));
        match found {
            Some((Verdict::Link, agreement)) => component.edges.push(Edge { a: pair.0, b: pair.1, agreement }),
            Some((Verdict::Propose, agreement)) => self.weak.push((pair.0, pair.1, agreement)),
            None => {}
        }
        self.compared[&pair]
    }
}

/// Members to look at next.
#[derive(Default)]
struct Next {
    linked: BTreeSet<MemberId>,
    decided: BTreeSet<MemberId>,
}

/// Do too many people have this value for it to tell one from another?
pub(crate) fn is_worn_out(rules: &Rules, key: Key, holders: &[Holder]) -> bool {
    if holders.len() > rules.holders_max {
        return true;
    }
    let most = usize::from(rules.at(key.rule).people_max);
    let mut names: BTreeMap<u32, BTreeSet<(u64, Option<MemberId>)>> = BTreeMap::new();
    for holder in holders {
        // Two records without a name are two people as far as anyone can tell.
        let nameless = (holder.name == 0).then_some(holder.member);
        names.entry(holder.place).or_default().insert((holder.name, nameless));
    }
    names.values().any(|names| names.len() > most)
}
