//! Which members of a component are one: by decisions first, then by the strongest pairs, and never against what cannot be.
//!
//! Ties are not broken. Pairs of one score are taken together: where they would make one of two that cannot be, directly or along a chain, all
//! of them are held. So the answer depends on the set of records alone, and what is ambiguous is told and not guessed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::decision::{Decision, DecisionKind};
use crate::facts::{Claim, Facts};
use crate::id::MemberId;
use crate::outcome::{Conflict, Grounds, Link, Obstacle};
use crate::pair::Agreement;

/// Two members that rules would link.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) a: MemberId,
    pub(crate) b: MemberId,
    pub(crate) agreement: Agreement,
}

/// Members that are one.
pub(crate) struct One {
    /// By age.
    pub(crate) members: Vec<MemberId>,
    pub(crate) links: Vec<Link>,
}

/// A claim with the record that makes it: the order of its source first, so that no arrival decides which of two is named.
pub(crate) type Claimed = (Claim, u64, MemberId);

/// Members that are one so far.
#[derive(Default)]
struct Cluster {
    members: Vec<MemberId>,
    claims: Vec<Claimed>,
    /// Chains that were held: two clusters of one are not merged by weaker pairs either.
    held: BTreeSet<u32>,
}

pub(crate) struct Partition<'a> {
    facts: &'a dyn Fn(MemberId) -> &'a Facts,
    home: HashMap<MemberId, usize>,
    clusters: Vec<Cluster>,
    never: Vec<Decision>,
    chains: u32,
    /// Pairs that were merged, for the tree of links.
    merged: Vec<Link>,
    pub(crate) conflicts: Vec<Conflict>,
}

impl<'a> Partition<'a> {
    /// Each member by itself.
    pub(crate) fn new(members: &[MemberId], facts: &'a dyn Fn(MemberId) -> &'a Facts) -> Self {
        let cluster = |member: &MemberId| Cluster {
            members: vec![*member],
            claims: claimed(*member, facts(*member)).collect(),
            held: BTreeSet::new(),
        };
        Self {
            facts,
            home: members.iter().zip(0..).map(|(member, at)| (*member, at)).collect(),
            clusters: members.iter().map(cluster).collect(),
            never: Vec::new(),
            chains: 0,
            merged: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    /// Newest first: what contradicts a newer decision is overruled.
    pub(crate) fn decide(&mut self, decisions: &BTreeSet<Decision>) {
        for decision in decisions.iter().rev() {
            let (Some(&a), Some(&b)) = (self.home.get(&decision.a), self.home.get(&decision.b)) else { continue };
            let holds = match decision.kind {
                DecisionKind::Never if a != b => {
                    self.never.push(*decision);
                    true
                }
                DecisionKind::Never => false,
                DecisionKind::Same if a == b => true,
                DecisionKind::Same if self.never_between(a, b).is_some() => false,
                DecisionKind::Same => {
                    self.merge(a, b);
                    true
                }
            };
            let grounds = Grounds::Decision(decision.seq);
            if !holds {
                let obstacle = Obstacle::Overruled(decision.seq);
                self.conflicts.push(Conflict { between: ordered(decision.a, decision.b), grounds, obstacle });
            } else if decision.kind == DecisionKind::Same {
                self.merged.push(link(decision.a, decision.b, grounds));
            }
        }
    }

    /// By rules, from the strongest pairs down.
    pub(crate) fn apply(&mut self, edges: &[Edge]) {
        let mut levels: BTreeMap<i32, Vec<&Edge>> = BTreeMap::new();
        for edge in edges {
            levels.entry(edge.agreement.score).or_default().push(edge);
        }
        for level in levels.into_values().rev() {
            let level = self.without_obstacles(level);
            for chain in self.chains_of(&level) {
                let homes: BTreeSet<usize> = chain.iter().flat_map(|edge| self.ends(edge)).collect();
                let homes: Vec<usize> = homes.into_iter().collect();
                let mut pairs = homes.iter().enumerate().flat_map(|(n, a)| homes[..n].iter().map(move |b| (*a, *b)));
                if pairs.any(|(a, b)| self.obstacle(a, b).is_some()) {
                    self.hold(&chain, &homes);
                } else {
                    for edge in &chain {
                        let [a, b] = self.ends(edge);
                        if a != b {
                            self.merge(a, b);
                        }
                    }
                }
            }
        }
        let inside = edges.iter().filter(|edge| self.home[&edge.a] == self.home[&edge.b]);
        let links = inside.map(|edge| link(edge.a, edge.b, Grounds::Rules(edge.agreement.clone())));
        self.merged.extend(links.collect::<Vec<_>>());
    }

    /// The pairs of a level that may merge two clusters; what is against the others is told.
    fn without_obstacles<'e>(&mut self, level: Vec<&'e Edge>) -> Vec<&'e Edge> {
        let mut open = Vec::with_capacity(level.len());
        for edge in level {
            let [a, b] = self.ends(edge);
            match self.obstacle(a, b) {
                _ if a == b => {}
                None => open.push(edge),
                Some(obstacle) => self.conflicts.push(conflict(edge, obstacle)),
            }
        }
        open
    }

    /// Pairs by the clusters that they connect, however many steps apart.
    fn chains_of<'e>(&self, level: &[&'e Edge]) -> Vec<Vec<&'e Edge>> {
        let mut chains: Vec<(BTreeSet<usize>, Vec<&'e Edge>)> = Vec::new();
        for edge in level {
            let ends = self.ends(edge);
            let mut grown = (BTreeSet::from(ends), vec![*edge]);
            let mut apart = Vec::with_capacity(chains.len() + 1);
            for (homes, edges) in chains {
                if ends.iter().any(|end| homes.contains(end)) {
                    grown.0.extend(homes);
                    grown.1.extend(edges);
                } else {
                    apart.push((homes, edges));
                }
            }
            apart.push(grown);
            chains = apart;
        }
        chains.into_iter().map(|(_, edges)| edges).collect()
    }

    fn hold(&mut self, chain: &[&Edge], homes: &[usize]) {
        self.chains += 1;
        for home in homes {
            self.clusters[*home].held.insert(self.chains);
        }
        self.conflicts.extend(chain.iter().map(|edge| conflict(edge, Obstacle::Chain)));
    }

    fn ends(&self, edge: &Edge) -> [usize; 2] {
        [self.home[&edge.a], self.home[&edge.b]]
    }

    fn merge(&mut self, a: usize, b: usize) {
        let (into, from) =
            if self.clusters[a].members.len() < self.clusters[b].members.len() { (b, a) } else { (a, b) };
        let gone = std::mem::take(&mut self.clusters[from]);
        for member in &gone.members {
            self.home.insert(*member, into);
        }
        let cluster = &mut self.clusters[into];
        cluster.members.extend(gone.members);
        cluster.claims.extend(gone.claims);
        cluster.held.extend(gone.held);
    }

    fn never_between(&self, a: usize, b: usize) -> Option<u64> {
        let between = |decision: &&Decision| {
            let ends = [self.home[&decision.a], self.home[&decision.b]];
            ends == [a, b] || ends == [b, a]
        };
        self.never.iter().find(between).map(|decision| decision.seq)
    }

    /// What keeps two clusters from being one.
    fn obstacle(&self, a: usize, b: usize) -> Option<Obstacle> {
        let (one, other) = (&self.clusters[a], &self.clusters[b]);
        if let Some(decision) = self.never_between(a, b) {
            return Some(Obstacle::Never(decision));
        }
        if let Some(obstacle) = contradiction(&one.claims, &other.claims) {
            return Some(obstacle);
        }
        (!one.held.is_disjoint(&other.held)).then_some(Obstacle::Chain)
    }

    /// The clusters, each with its members by age and the tree of its strongest links.
    pub(crate) fn done(mut self) -> (Vec<One>, Vec<Conflict>) {
        let order = |link: &Link| {
            let source = |member| (self.facts)(member).source;
            let (a, b) = (source(link.a), source(link.b));
            let strength = match &link.grounds {
                Grounds::Decision(seq) => (0, u64::MAX - seq),
                Grounds::Rules(agreement) => (1, u64::MAX - u64::try_from(agreement.score).unwrap_or(0)),
            };
            (strength, a.min(b), a.max(b))
        };
        let mut links = std::mem::take(&mut self.merged);
        links.sort_by_cached_key(order);
        let mut trees: BTreeMap<usize, Vec<Link>> = BTreeMap::new();
        let mut root: HashMap<MemberId, MemberId> = self.home.keys().map(|member| (*member, *member)).collect();
        for link in links {
            let (a, b) = (top(&root, link.a), top(&root, link.b));
            if a != b {
                root.insert(a.max(b), a.min(b));
                trees.entry(self.home[&link.a]).or_default().push(link);
            }
        }
        let mut clusters = Vec::new();
        for (at, cluster) in self.clusters.iter_mut().enumerate().filter(|(_, cluster)| !cluster.members.is_empty()) {
            cluster.members.sort_unstable();
            let mut links = trees.remove(&at).unwrap_or_default();
            links.sort_unstable();
            clusters.push(One { members: std::mem::take(&mut cluster.members), links });
        }
        self.conflicts.sort_unstable();
        (clusters, self.conflicts)
    }
}

fn top(root: &HashMap<MemberId, MemberId>, mut member: MemberId) -> MemberId {
    while root[&member] != member {
        member = root[&member];
    }
    member
}

/// The claims of a member.
pub(crate) fn claimed(member: MemberId, facts: &Facts) -> impl Iterator<Item = Claimed> {
    facts.claims.iter().map(move |claim| (*claim, facts.source, member))
}

/// Two claims of one family with different values at the same time, of which neither side has the other's value as well: what people decided to be
/// one in spite of such a difference does not keep out those who fit.
pub(crate) fn contradiction(one: &[Claimed], other: &[Claimed]) -> Option<Obstacle> {
    let has = |claims: &[Claimed], wanted: &Claim| {
        claims.iter().any(|(claim, ..)| claim.family == wanted.family && claim.value == wanted.value)
    };
    let pairs = one.iter().flat_map(|mine| other.iter().map(move |theirs| (mine, theirs)));
    let differ = pairs.filter(|((mine, ..), (theirs, ..))| {
        mine.family == theirs.family
            && mine.value != theirs.value
            && mine.span.meets(theirs.span)
            && !has(one, theirs)
            && !has(other, mine)
    });
    let order = |(mine, theirs): &(&Claimed, &Claimed)| {
        let key = |(claim, source, _): &Claimed| (*claim, *source);
        (mine.0.kind, key(mine).min(key(theirs)), key(mine).max(key(theirs)))
    };
    differ.min_by_key(order).map(|(mine, theirs)| {
        let (a, b) = ordered(mine.2, theirs.2);
        Obstacle::Claim(mine.0.kind, a, b)
    })
}

fn ordered(a: MemberId, b: MemberId) -> (MemberId, MemberId) {
    (a.min(b), a.max(b))
}

fn link(a: MemberId, b: MemberId, grounds: Grounds) -> Link {
    Link { a: a.min(b), b: a.max(b), grounds }
}

fn conflict(edge: &Edge, obstacle: Obstacle) -> Conflict {
    Conflict { between: ordered(edge.a, edge.b), grounds: Grounds::Rules(edge.agreement.clone()), obstacle }
}
