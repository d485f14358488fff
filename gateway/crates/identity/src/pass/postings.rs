//! Which records have a key, of millions of records: sorted numbers, and of those only what two or more have.

use crate::facts::Key;
use crate::id::MemberId;
use crate::index::Holder;
use crate::outcome::Use;
use crate::reach;
use crate::rules::Rules;

/// A key of a record, before they are sorted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Posting {
    digest: u64,
    record: u32,
    rule: u8,
}

/// What is kept of each record.
struct Record {
    member: MemberId,
    name: u64,
    place: u32,
}

/// Records as they are announced.
#[derive(Default)]
pub(super) struct Announced {
    records: Vec<Record>,
    postings: Vec<Posting>,
}

impl Announced {
    pub(super) fn add(&mut self, member: MemberId, place: u32, name: u64, keys: impl Iterator<Item = Key>) {
        let record = u32::try_from(self.records.len()).expect("a pass has fewer than 4 billion records");
        self.records.push(Record { member, name, place });
        self.postings.extend(keys.map(|key| Posting { digest: key.digest, record, rule: key.rule }));
    }

    /// Sorts them. Values of one record alone are forgotten: they connect nothing.
    pub(super) fn sorted(mut self) -> Postings {
        self.postings.sort_unstable();
        self.postings.dedup();
        let mut sorted = Postings { records: self.records, keys: Vec::new(), starts: vec![0], holders: Vec::new() };
        for shared in self.postings.chunk_by(|a, b| a.digest == b.digest).filter(|shared| shared.len() > 1) {
            sorted.keys.push(Key { rule: shared[0].rule, digest: shared[0].digest });
            sorted.holders.extend(shared.iter().map(|posting| posting.record));
            sorted.starts.push(sorted.holders.len());
        }
        sorted
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.records.capacity() * size_of::<Record>() + self.postings.capacity() * size_of::<Posting>()
    }
}

/// Records by the values that they share.
pub(super) struct Postings {
    records: Vec<Record>,
    /// By digest.
    keys: Vec<Key>,
    /// Where the holders of each key begin, and the end.
    starts: Vec<usize>,
    holders: Vec<u32>,
}

impl Postings {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn member(&self, record: u32) -> MemberId {
        self.records[record as usize].member
    }

    fn at(&self, number: usize) -> &[u32] {
        &self.holders[self.starts[number]..self.starts[number + 1]]
    }

    fn holder(&self, record: u32) -> Holder {
        let Record { member, name, place } = self.records[record as usize];
        Holder { member, place, name }
    }

    /// The holders of a key that two or more have.
    pub(super) fn holders(&self, key: Key, most: usize) -> Vec<Holder> {
        let found = self.keys.binary_search_by_key(&key.digest, |known| known.digest);
        let holders = found.map(|number| self.at(number)).unwrap_or_default();
        holders.iter().take(most).map(|record| self.holder(*record)).collect()
    }

    /// Each value that is evidence with the records that have it, and the others.
    pub(super) fn split(&self, rules: &Rules, mut evidence: impl FnMut(&[u32])) -> Vec<Use> {
        let mut worn_out = Vec::new();
        for (number, key) in self.keys.iter().enumerate() {
            let records = self.at(number);
            let seen: Vec<Holder> = records.iter().take(rules.holders_max + 2).map(|one| self.holder(*one)).collect();
            if reach::is_worn_out(rules, *key, &seen) {
                let holders = records.len().min(rules.holders_max + 1);
                worn_out.push(Use { key: *key, worn_out: true, holders });
            } else {
                evidence(records);
            }
        }
        worn_out
    }

    pub(super) fn bytes(&self) -> usize {
        self.records.capacity() * size_of::<Record>()
            + self.keys.capacity() * size_of::<Key>()
            + self.starts.capacity() * size_of::<usize>()
            + self.holders.capacity() * size_of::<u32>()
    }
}
