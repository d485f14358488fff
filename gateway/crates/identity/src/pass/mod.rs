//! A pass over all records: for the first time, and when rules change.
//!
//! The same engine settles, group by group, on all threads. What is held of each record is a few dozen bytes; its facts are asked for again when
//! its group is settled.

mod groups;
mod postings;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::groups::{Grouping, Groups};
use self::postings::{Announced, Postings};
use crate::decision::{Decision, DecisionKind};
use crate::engine::Engine;
use crate::facts::{Facts, Key};
use crate::id::{IdentityId, MemberId};
use crate::index::{Holder, Index, Standing};
use crate::outcome::{Identity, Settled, Use};
use crate::rules::Rules;

/// Records whose facts a thread asks for at once, unless one group has more.
const CHUNK: usize = 1_024;

/// Where the facts are read from a second time.
pub trait Source: Sync {
    /// Why there are none.
    type Error: Send;

    /// The facts of members as they were announced; none for one that is no more.
    ///
    /// # Errors
    /// They cannot be read.
    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Self::Error>;
}

/// What a pass found besides identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that were announced.
    pub records: usize,
    /// Values that too many people have.
    pub worn_out: Vec<Use>,
    /// The most memory that the pass itself held at a time.
    pub bytes_max: usize,
}

/// A pass in the making: records are announced first, in any order.
pub struct Pass<'a> {
    rules: &'a Rules,
    announced: Announced,
    decisions: HashMap<MemberId, Vec<Decision>>,
    numbers: HashMap<MemberId, u32>,
}

impl<'a> Pass<'a> {
    /// By these rules, with these decisions.
    #[must_use]
    pub fn new(rules: &'a Rules, decisions: &[Decision]) -> Self {
        let mut by_member: HashMap<MemberId, Vec<Decision>> = HashMap::new();
        for decision in decisions {
            by_member.entry(decision.a).or_default().push(*decision);
            by_member.entry(decision.b).or_default().push(*decision);
        }
        Self { rules, announced: Announced::default(), decisions: by_member, numbers: HashMap::new() }
    }

    /// A record with its facts, of which only a few bytes are kept.
    pub fn add(&mut self, member: MemberId, facts: &Facts) {
        if self.decisions.contains_key(&member) {
            self.numbers.insert(member, u32::try_from(self.announced.len()).unwrap_or(u32::MAX));
        }
        let keys = facts.keys.iter().copied().filter(|key| self.rules.seeks(*key));
        self.announced.add(member, facts.place, facts.name(), keys);
    }

    /// Settles all of them. `found` is called for each group of records, on any thread.
    ///
    /// # Errors
    /// The source has no facts.
    pub fn run<S: Source>(
        self,
        source: &S,
        threads: usize,
        found: impl Fn(Settled) + Sync,
    ) -> Result<Summary, S::Error> {
        let announced = self.announced.bytes();
        let postings = self.announced.sorted();
        let mut grouping = Grouping::new(postings.len());
        let worn_out = postings.split(self.rules, |records| {
            records.windows(2).for_each(|two| grouping.join(two[0], two[1]));
        });
        let same = self.decisions.values().flatten().filter(|decision| decision.kind == DecisionKind::Same);
        for decision in same {
            if let (Some(a), Some(b)) = (self.numbers.get(&decision.a), self.numbers.get(&decision.b)) {
                grouping.join(*a, *b);
            }
        }
        let groups = grouping.done();
        let bytes_max = announced + postings.bytes() + groups.bytes();
        let work = Work {
            rules: self.rules,
            postings: &postings,
            groups: &groups,
            decisions: &self.decisions,
            next: AtomicUsize::new(0),
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(|| work.run(source, &found))).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
        })?;
        Ok(Summary { records: postings.len(), worn_out, bytes_max })
    }
}

/// What the threads share.
struct Work<'a> {
    rules: &'a Rules,
    postings: &'a Postings,
    groups: &'a Groups,
    decisions: &'a HashMap<MemberId, Vec<Decision>>,
    next: AtomicUsize,
}

impl Work<'_> {
    fn run<S: Source>(&self, source: &S, found: &impl Fn(Settled)) -> Result<(), S::Error> {
        let mut taken = Vec::new();
        loop {
            let (mut members, mut chunk) = (Vec::new(), Vec::new());
            while members.len() < CHUNK {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                if number >= self.groups.len() {
                    break;
                }
                let group: Vec<MemberId> =
                    self.groups.get(number).iter().map(|one| self.postings.member(*one)).collect();
                if let [alone] = group[..] {
                    taken.push(alone);
                } else {
                    members.extend(&group);
                    chunk.push(group);
                }
                if taken.len() == CHUNK {
                    break;
                }
            }
            if !taken.is_empty() {
                found(by_themselves(std::mem::take(&mut taken)));
            }
            if !chunk.is_empty() {
                self.settle(&members, &chunk, source, found)?;
            } else if self.next.load(Ordering::Relaxed) >= self.groups.len() {
                return Ok(());
            }
        }
    }

    fn settle<S: Source>(
        &self,
        members: &[MemberId],
        chunk: &[Vec<MemberId>],
        source: &S,
        found: &impl Fn(Settled),
    ) -> Result<(), S::Error> {
        let facts = members.iter().copied().zip(source.facts(members)?).collect();
        let view = View { work: self, facts };
        for group in chunk {
            match Engine::new(self.rules).settle_group(group, &view) {
                Ok(settled) => found(settled),
                Err(never) => match never {},
            }
        }
        Ok(())
    }
}

/// Records that share nothing with anybody.
fn by_themselves(members: Vec<MemberId>) -> Settled {
    let identity = |member: &MemberId| Identity {
        id: IdentityId(*member),
        members: vec![*member],
        links: Vec::new(),
        too_large: false,
    };
    let identities = members.iter().map(identity).collect();
    Settled { members: members.into_iter().collect(), identities, ..Settled::default() }
}

/// What the engine sees of a chunk of groups: none of them shares a value with a record outside.
struct View<'a> {
    work: &'a Work<'a>,
    facts: HashMap<MemberId, Option<Arc<Facts>>>,
}

impl Index for View<'_> {
    type Error = std::convert::Infallible;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Self::Error> {
        Ok(members.iter().map(|member| self.facts.get(member).cloned().flatten()).collect())
    }

    fn holders(&self, keys: &[Key], most: usize) -> Result<Vec<Vec<Holder>>, Self::Error> {
        Ok(keys.iter().map(|key| self.work.postings.holders(*key, most)).collect())
    }

    fn decisions(&self, members: &[MemberId]) -> Result<Vec<Vec<Decision>>, Self::Error> {
        Ok(members.iter().map(|member| self.work.decisions.get(member).cloned().unwrap_or_default()).collect())
    }

    fn standing(&self, members: &[MemberId]) -> Result<Vec<Option<Standing>>, Self::Error> {
        Ok(vec![None; members.len()])
    }

    fn members(&self, identities: &[IdentityId]) -> Result<Vec<Vec<MemberId>>, Self::Error> {
        Ok(vec![Vec::new(); identities.len()])
    }
}
