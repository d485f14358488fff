//! Finding thousands of forms at once in a text that has only letters and digits. The search looks only at every fourth
//! character, and at the five characters that begin there: a form of eight has four such beginnings, so one of them is
//! always hit. A filter rejects nearly every place of an honest text, and a table tells the remaining ones apart. One
//! pass, however many forms there are.

use std::ops::Range;

use zeroize::Zeroizing;

use super::form::{FORM_MIN, Form};

/// Any odd number with bits all over.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Signs from one question to the next.
const STEP: usize = 4;
/// Signs of a question: what is left of the shortest form behind the last of its beginnings.
const KEY: usize = FORM_MIN + 1 - STEP;

/// Forms with their owners.
pub(super) struct Index {
    /// All forms, one after the other.
    arena: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    /// By the hash of a key, open addressing: a part of the hash, so that nothing else is looked at in vain; and the entry x `STEP`
    /// + where the key begins in it + 1, or 0.
    table: Vec<(u32, u32)>,
    table_shift: u32,
    /// One bit a hash.
    filter: Vec<u64>,
    filter_shift: u32,
}

struct Entry {
    range: Range<usize>,
    owner: u32,
}

impl Index {
    /// An index of forms, each with the number of its owner. None when there are none.
    pub(super) fn new(forms: &[(Form, u32)]) -> Option<Self> {
        if forms.is_empty() {
            return None;
        }
        let table_bits = (forms.len() * STEP * 2).next_power_of_two().trailing_zeros();
        let filter_bits = (forms.len() * STEP * 128).next_power_of_two().trailing_zeros().clamp(12, 20);
        let mut index = Self {
            arena: Zeroizing::new(Vec::with_capacity(forms.iter().map(|(form, _)| form.len()).sum())),
            entries: Vec::with_capacity(forms.len()),
            table: vec![(0, 0); 1 << table_bits],
            table_shift: 64 - table_bits,
            filter: vec![0; 1 << (filter_bits - 6)],
            filter_shift: 64 - filter_bits,
        };
        forms.iter().filter(|(form, _)| form.len() >= FORM_MIN).for_each(|(form, owner)| index.insert(form, *owner));
        Some(index)
    }

    fn insert(&mut self, form: &Form, owner: u32) {
        let begin = self.arena.len();
        self.arena.extend_from_slice(form);
        let entry = self.entries.len();
        self.entries.push(Entry { range: begin..self.arena.len(), owner });
        for offset in 0..STEP {
            let hash = hash(&form[offset..offset + KEY]);
            let bit = hash >> self.filter_shift;
            self.filter[(bit >> 6) as usize] |= 1 << (bit & 63);
            let mut at = (hash >> self.table_shift) as usize;
            while self.table[at].1 != 0 {
                at = (at + 1) % self.table.len();
            }
            self.table[at] = (tag(hash), u32::try_from(entry * STEP + offset + 1).unwrap_or(u32::MAX));
        }
    }

    /// The owner of a form in `signs`, which holds small letters and digits alone.
    pub(super) fn find(&self, signs: &[u8]) -> Option<u32> {
        let mut found = None;
        self.search(signs, |_, owner| {
            found = Some(owner);
            false
        });
        found
    }

    /// Every form in `signs`, by where it stands.
    pub(super) fn find_all(&self, signs: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.search(signs, |range, _| {
            found.push(range);
            true
        });
        found
    }

    /// `seen` says whether to go on.
    fn search(&self, signs: &[u8], mut seen: impl FnMut(Range<usize>, u32) -> bool) {
        let mut at = 0;
        while let Some(eight) = signs.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let hash = hash_of(u64::from_le_bytes(*eight));
            if self.may_hold(hash) && !self.verify(signs, at, hash, &mut seen) {
                return;
            }
            at += STEP;
        }
        while let Some(key) = signs.get(at..at + KEY) {
            let hash = hash(key);
            if self.may_hold(hash) && !self.verify(signs, at, hash, &mut seen) {
                return;
            }
            at += STEP;
        }
    }

    fn may_hold(&self, hash: u64) -> bool {
        let bit = hash >> self.filter_shift;
        self.filter[(bit >> 6) as usize] >> (bit & 63) & 1 == 1
    }

    #[cold]
    /// Which of the forms with this hash stand where their key was met. False: no more is wanted.
    fn verify(&self, signs: &[u8], at: usize, hash: u64, seen: &mut impl FnMut(Range<usize>, u32) -> bool) -> bool {
        let mut place = (hash >> self.table_shift) as usize;
        loop {
            let (kept_tag, kept) = self.table[place];
            if kept == 0 {
                return true;
            }
            if kept_tag == tag(hash) && !self.verify_entry(signs, at, kept as usize - 1, seen) {
                return false;
            }
            place = (place + 1) % self.table.len();
        }
    }

    fn verify_entry(
        &self,
        signs: &[u8],
        at: usize,
        kept: usize,
        seen: &mut impl FnMut(Range<usize>, u32) -> bool,
    ) -> bool {
        let entry = &self.entries[kept / STEP];
        let form = &self.arena[entry.range.clone()];
        match at.checked_sub(kept % STEP) {
            Some(begin) if signs[begin..].starts_with(form) => seen(begin..begin + form.len(), entry.owner),
            _ => true,
        }
    }
}

fn hash(key: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight[..KEY].copy_from_slice(key);
    hash_of(u64::from_le_bytes(eight))
}

/// What neither the filter nor the table's place was taken from.
fn tag(hash: u64) -> u32 {
    (hash >> 8) as u32
}

/// Of the first `KEY` of eight signs.
fn hash_of(eight: u64) -> u64 {
    (eight & ((1 << (8 * KEY)) - 1)).wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn index(forms: &[&str]) -> Index {
        let forms: Vec<_> = (0..).zip(forms).map(|(n, form)| (Zeroizing::new(form.as_bytes().to_vec()), n)).collect();
        Index::new(&forms).unwrap()
    }

    #[test]
    fn forms_are_found_wherever_they_stand_and_nothing_else_is() {
        let index = index(&["abcdefgh", "abcdefghijkl", "12345678"]);
        assert_eq!(index.find(b"xxabcdefghyy"), Some(0));
        assert_eq!(index.find(b"0012345678"), Some(2));
        assert_eq!(index.find(b"abcdefg"), None);
        assert_eq!(index.find(b"1234567a8"), None);
        let mut ranges = index.find_all(b"abcdefghijkl12345678");
        ranges.sort_by_key(|range| (range.start, range.end));
        assert_eq!(ranges, [0..8, 0..12, 12..20]);
    }

    #[test]
    fn a_form_is_found_once_at_every_place() {
        let index = index(&["abcdefgh"]);
        for before in 0..9 {
            for after in 0..9 {
                let text = [vec![b'x'; before], b"abcdefgh".to_vec(), vec![b'y'; after]].concat();
                assert_eq!(index.find_all(&text), std::iter::once(before..before + 8).collect::<Vec<_>>());
            }
        }
        for short in 0..8 {
            assert!(index.find_all(&b"abcdefgh"[..short]).is_empty());
        }
    }

    #[test]
    fn nothing_to_look_for_is_no_index() {
        assert!(Index::new(&[]).is_none());
    }

    #[test]
    fn many_forms_that_begin_alike_are_told_apart() {
        let forms: Vec<String> = (0..500).map(|n| format!("samestart{n:03}x")).collect();
        let index = index(&forms.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(index.find(b"samestart499x"), Some(499));
        assert_eq!(index.find(b"samestart999x"), None);
    }
}
