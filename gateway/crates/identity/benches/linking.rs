//! How fast records become people: one pass over a million records of five connections, and one changed record.
//!
//! `cargo bench -p renmen-identity --bench linking` on a quiet machine; `RENMEN_LINKING_PEOPLE` says of how many people (264,000). The facts
//! are made up again each time they are asked for, twice in a pass, so the time has what a store would take to read them as well; memory is
//! that of the whole process. CPU seconds are counted too, for machines that are not quiet.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/it/made_up/mod.rs"]
mod made_up;

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use renmen_identity::{
    Changed, Decision, Digests, Engine, Facts, Holder, IdentityId, Index, Key, MemberId, Pass, Rules, Source, Standing,
};

use made_up::Somebody;

/// Numbers of one person's records begin here; no one has more than these.
const EACH: u64 = 16;

struct World {
    rules: Rules,
    digests: Digests,
}

impl World {
    fn new() -> Self {
        Self { rules: Rules::default(), digests: Digests::new([6; 32]) }
    }

    fn records(&self, person: u64) -> Vec<Facts> {
        Somebody::new(person).records(&self.rules, &self.digests)
    }
}

thread_local! {
    /// The person that a thread made up last: its records are asked for one after the other.
    static LAST: RefCell<(u64, Vec<Option<Arc<Facts>>>)> = const { RefCell::new((u64::MAX, Vec::new())) };
}

impl Source for World {
    type Error = Infallible;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Infallible> {
        let of = |member: &MemberId| {
            LAST.with_borrow_mut(|(person, records)| {
                if *person != member.0 / EACH {
                    *person = member.0 / EACH;
                    *records = self.records(*person).into_iter().map(|facts| Some(Arc::new(facts))).collect();
                }
                records.get((member.0 % EACH) as usize).cloned().flatten()
            })
        };
        Ok(members.iter().map(of).collect())
    }
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: Vec<f64> =
        stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(2).map(|t| t.parse().unwrap()).collect();
    (ticks[0] + ticks[1]) / 100.0
}

fn memory_mib(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

fn one_pass(_: &mut Criterion) {
    let people = std::env::var("RENMEN_LINKING_PEOPLE").map_or(264_000, |people| people.parse().unwrap());
    let world = World::new();
    let before = memory_mib("VmRSS");
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let mut pass = Pass::new(&world.rules, &[]);
    for person in 0..people {
        for (facts, at) in world.records(person).iter().zip(0..) {
            pass.add(MemberId(person * EACH + at), facts);
        }
    }
    let (announced, announced_cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let (identities, linked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Until the first group is settled one thread works alone.
    let alone_cpu = OnceLock::new();
    let summary = pass.run(&world, 2, |settled| {
        alone_cpu.get_or_init(|| cpu_seconds() - cpu);
        identities.fetch_add(settled.identities.len(), Ordering::Relaxed);
        linked.fetch_add(settled.identities.iter().map(|one| one.links.len()).sum(), Ordering::Relaxed);
    });
    let summary = summary.unwrap();
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let alone_cpu = alone_cpu.into_inner().unwrap();
    let records = summary.records as f64;
    println!(
        "one pass: {} records of {people} people in {seconds:.1} s ({:.0} records/s), {cpu:.1} s of CPU ({:.0} records a CPU second; with two \
         cores {:.0} records/s); of it announcing {announced:.1} s, {announced_cpu:.1} s of CPU, and on one thread \
         {alone_cpu:.1} s of CPU. {} identities, {} links. The pass holds {:.0} bytes a \
         record; the process grew by {} MiB",
        summary.records,
        records / seconds,
        records / cpu,
        records / (alone_cpu + (cpu - alone_cpu) / 2.0),
        identities.into_inner(),
        linked.into_inner(),
        summary.bytes_max as f64 / records,
        memory_mib("VmHWM") - before,
    );
}

/// Everything in memory.
struct Held {
    facts: HashMap<MemberId, Arc<Facts>>,
    holders: HashMap<Key, Vec<Holder>>,
    home: HashMap<MemberId, IdentityId>,
    members: HashMap<IdentityId, Vec<MemberId>>,
}

impl Held {
    fn of(world: &World, people: u64) -> Self {
        let mut held =
            Self { facts: HashMap::new(), holders: HashMap::new(), home: HashMap::new(), members: HashMap::new() };
        let mut pass = Pass::new(&world.rules, &[]);
        for person in 0..people {
            for (facts, at) in world.records(person).into_iter().zip(0..) {
                let member = MemberId(person * EACH + at);
                pass.add(member, &facts);
                for key in facts.keys() {
                    let holder = Holder { member, place: facts.place, name: facts.name() };
                    held.holders.entry(*key).or_default().push(holder);
                }
                held.facts.insert(member, Arc::new(facts));
            }
        }
        let found = std::sync::Mutex::new(Vec::new());
        pass.run(world, 2, |settled| found.lock().unwrap().extend(settled.identities)).unwrap();
        for identity in found.into_inner().unwrap() {
            held.home.extend(identity.members.iter().map(|member| (*member, identity.id)));
            held.members.insert(identity.id, identity.members);
        }
        held
    }
}

impl Index for Held {
    type Error = Infallible;

    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Infallible> {
        Ok(members.iter().map(|member| self.facts.get(member).cloned()).collect())
    }

    fn holders(&self, keys: &[Key], most: usize) -> Result<Vec<Vec<Holder>>, Infallible> {
        let of = |key| self.holders.get(key).into_iter().flatten().take(most).copied().collect();
        Ok(keys.iter().map(of).collect())
    }

    fn decisions(&self, members: &[MemberId]) -> Result<Vec<Vec<Decision>>, Infallible> {
        Ok(vec![Vec::new(); members.len()])
    }

    fn standing(&self, members: &[MemberId]) -> Result<Vec<Option<Standing>>, Infallible> {
        let of = |member| self.home.get(member).map(|identity| Standing { identity: *identity, too_large: false });
        Ok(members.iter().map(of).collect())
    }

    fn members(&self, identities: &[IdentityId]) -> Result<Vec<Vec<MemberId>>, Infallible> {
        Ok(identities.iter().map(|id| self.members[id].clone()).collect())
    }
}

fn one_change(criterion: &mut Criterion) {
    let world = World::new();
    let held = Held::of(&world, 20_000);
    let all: Vec<MemberId> = held.facts.keys().copied().collect();
    let mut next = 0;
    criterion.bench_function("one changed record", |bencher| {
        bencher.iter(|| {
            next = (next + 7_919) % all.len();
            let keys_before = held.facts[&all[next]].keys().to_vec();
            let changed = [Changed { member: all[next], keys_before }];
            black_box(Engine::new(&world.rules).settle(&changed, &held))
        });
    });
    criterion.bench_function("facts of one person's records", |bencher| {
        bencher.iter(|| {
            next = (next + 7_919) % 20_000;
            black_box(world.records(next as u64))
        });
    });
}

criterion_group!(benches, one_pass, one_change);
criterion_main!(benches);
