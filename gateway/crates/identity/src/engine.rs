//! Settling: which identities the changed records and everyone connected with them are.
//!
//! The answer is a function of the facts and the decisions: what is stored of identities is read only to know the other side of a proposal, and which
//! records of a component that is too large were settled already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::decision::DecisionKind;
use crate::facts::{Facts, Key};
use crate::id::{IdentityId, MemberId};
use crate::index::Index;
use crate::outcome::{Identity, Proposal, Settled};
use crate::pair::Agreement;
use crate::partition::{self, Claimed, One, Partition};
use crate::reach::{Component, Reach};
use crate::rules::Rules;

/// A record whose facts changed, or about which a decision was made or withdrawn. Of one that was erased, the partners of its decisions changed
/// as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Which one; it may be gone.
    pub member: MemberId,
    /// The keys that it had before: who shared them is looked at again.
    pub keys_before: Vec<Key>,
}

/// An identity as a proposal sees it.
#[derive(Clone, Default)]
struct Side {
    members: Vec<MemberId>,
    claims: Vec<Claimed>,
}

/// Settles changes by the rules.
pub struct Engine<'a> {
    rules: &'a Rules,
}

impl<'a> Engine<'a> {
    /// By these rules.
    #[must_use]
    pub fn new(rules: &'a Rules) -> Self {
        Self { rules }
    }

    /// Settles everyone whom these changes may concern.
    ///
    /// # Errors
    /// The index has no answer. Every change is followed as far as it goes first, so that an index that loads what is missing is asked for all
    /// of it at once.
    pub fn settle<I: Index>(&self, changed: &[Changed], index: &I) -> Result<Settled, I::Error> {
        let mut reach = Reach::new(self.rules, index);
        let members: Vec<MemberId> = changed.iter().map(|change| change.member).collect();
        let (facts, decisions) = (reach.load_facts(&members), index.decisions(&members));
        facts?;
        let mut keys: BTreeSet<Key> = changed.iter().flat_map(|change| change.keys_before.iter().copied()).collect();
        keys.extend(members.iter().filter_map(|member| reach.known(*member)).flat_map(|facts| facts.keys.to_vec()));
        let keys: Vec<Key> = keys.into_iter().collect();
        let mut seeds: BTreeSet<MemberId> = reach.holders_of(&keys)?.into_iter().collect();
        for decision in decisions?.into_iter().flatten() {
            seeds.extend([decision.a, decision.b]);
        }
        seeds.extend(&members);
        self.follow(reach, &seeds, &keys)
    }

    /// Settles all of these, and no others: for a pass over everyone, by groups that share no key.
    pub(crate) fn settle_group<I: Index>(&self, members: &[MemberId], index: &I) -> Result<Settled, I::Error> {
        self.follow(Reach::new(self.rules, index), &members.iter().copied().collect(), &[])
    }

    fn follow<I: Index>(
        &self,
        mut reach: Reach<'_, I>,
        seeds: &BTreeSet<MemberId>,
        keys: &[Key],
    ) -> Result<Settled, I::Error> {
        let mut refused = None;
        for seed in seeds {
            if !reach.placed.contains_key(seed)
                && let Err(error) = reach.follow(*seed)
            {
                refused.get_or_insert(error);
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        let mut settled = Settled::default();
        settled.gone.extend(seeds.iter().filter(|seed| reach.known(**seed).is_none()));
        settled.members.extend(reach.placed.keys().chain(&settled.gone));
        settled.uses.extend(keys.iter().filter_map(|key| reach.uses.get(key)));
        for component in std::mem::take(&mut reach.components) {
            settle_component(&reach, component, &mut settled);
        }
        settled.identities.sort_unstable();
        settled.conflicts.sort_unstable();
        settled.proposals = propose(&mut reach, &settled)?;
        Ok(settled)
    }
}

fn settle_component<I: Index>(reach: &Reach<'_, I>, component: Component, settled: &mut Settled) {
    let Component { members, edges, too_large } = component;
    if let [member] = members[..] {
        let id = IdentityId(member);
        settled.identities.push(Identity { id, members, links: Vec::new(), too_large });
        return;
    }
    let facts = |member: MemberId| -> &Facts { reach.facts[&member].as_ref().expect("a placed member is there") };
    let decisions = reach.decisions.iter().filter(|decision| {
        let place = |member| reach.placed.get(member);
        place(&decision.a).is_some_and(|a| place(&decision.b) == Some(a) && place(&members[0]) == Some(a))
    });
    let decisions = decisions.copied().collect();
    let mut partition = Partition::new(&members, &facts);
    partition.decide(&decisions);
    if !too_large {
        partition.apply(&edges);
    }
    let (clusters, conflicts) = partition.done();
    settled.conflicts.extend(conflicts);
    let identity = |One { members, links }| Identity { id: IdentityId(members[0]), members, links, too_large };
    settled.identities.extend(clusters.into_iter().map(identity));
}

/// Pairs that are not enough to link, by the identities that they would make one: the best pair of each two, where nothing is against it.
fn propose<I: Index>(reach: &mut Reach<'_, I>, settled: &Settled) -> Result<Vec<Proposal>, I::Error> {
    let mut homes: HashMap<MemberId, IdentityId> = HashMap::new();
    let mut sides: HashMap<IdentityId, Side> = HashMap::new();
    for identity in settled.identities.iter().filter(|identity| !identity.too_large) {
        homes.extend(identity.members.iter().map(|member| (*member, identity.id)));
        sides.insert(identity.id, side_of(reach, identity.members.clone()));
    }
    let weak = std::mem::take(&mut reach.weak);
    load_others(reach, &weak, settled, &mut homes, &mut sides)?;
    let mut best: BTreeMap<(IdentityId, IdentityId), Proposal> = BTreeMap::new();
    for (a, b, agreement) in weak {
        let (Some(one), Some(other)) = (homes.get(&a), homes.get(&b)) else { continue };
        if one == other || !may_be_one(reach, &sides[one], &sides[other]) {
            continue;
        }
        let between = if one < other { (a, b) } else { (b, a) };
        let proposal = Proposal { one: *one.min(other), other: *one.max(other), between, agreement };
        let order = |proposal: &Proposal| {
            let source = |member| reach.known(member).map_or(0, |facts| facts.source);
            let (a, b) = (source(proposal.between.0), source(proposal.between.1));
            (-proposal.agreement.score, a.min(b), a.max(b))
        };
        let kept = best.entry((proposal.one, proposal.other)).or_insert_with(|| proposal.clone());
        if order(&proposal) < order(kept) {
            *kept = proposal;
        }
    }
    Ok(best.into_values().collect())
}

fn side_of<I: Index>(reach: &Reach<'_, I>, members: Vec<MemberId>) -> Side {
    let known = members.iter().filter_map(|member| Some((*member, reach.known(*member)?)));
    let claims = known.flat_map(|(member, facts)| partition::claimed(member, facts)).collect();
    Side { members, claims }
}

/// Identities that nothing changed for, at the other end of a pair.
fn load_others<I: Index>(
    reach: &mut Reach<'_, I>,
    weak: &[(MemberId, MemberId, Agreement)],
    settled: &Settled,
    homes: &mut HashMap<MemberId, IdentityId>,
    sides: &mut HashMap<IdentityId, Side>,
) -> Result<(), I::Error> {
    let ends = weak.iter().flat_map(|(a, b, _)| [*a, *b]);
    let others: BTreeSet<MemberId> = ends.filter(|member| !settled.members.contains(member)).collect();
    if others.is_empty() {
        return Ok(());
    }
    let others: Vec<MemberId> = others.into_iter().collect();
    let mut ids = BTreeSet::new();
    for (member, standing) in others.iter().zip(reach.index().standing(&others)?) {
        if let Some(standing) = standing.filter(|standing| !standing.too_large) {
            homes.insert(*member, standing.identity);
            ids.insert(standing.identity);
        }
    }
    let ids: Vec<IdentityId> = ids.into_iter().collect();
    let members = reach.index().members(&ids)?;
    let all: Vec<MemberId> = members.iter().flatten().copied().collect();
    reach.load_facts(&all)?;
    let decisions = reach.index().decisions(&all)?;
    reach.decisions.extend(decisions.into_iter().flatten());
    for (id, members) in ids.into_iter().zip(members) {
        let side = side_of(reach, members);
        sides.insert(id, side);
    }
    Ok(())
}

fn may_be_one<I: Index>(reach: &Reach<'_, I>, one: &Side, other: &Side) -> bool {
    let never = reach.decisions.iter().any(|decision| {
        let between = |a: &Side, b: &Side| a.members.contains(&decision.a) && b.members.contains(&decision.b);
        decision.kind == DecisionKind::Never && (between(one, other) || between(other, one))
    });
    !never && partition::contradiction(&one.claims, &other.claims).is_none()
}
