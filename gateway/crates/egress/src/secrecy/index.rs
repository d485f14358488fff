//! Finding thousands of forms at once in a text that has only letters and digits: a filter by eight signs that nearly every
//! place of an honest text fails, and a table for the others. One pass, whatever the number of forms.

use std::ops::Range;

use zeroize::Zeroizing;

use super::form::{FORM_MIN, Form};

/// Any odd number with bits all over.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Forms with whose they are.
pub(super) struct Index {
    /// All forms, one after the other.
    arena: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    /// By the hash of the first eight signs, open addressing: entry + 1, or 0.
    table: Vec<u32>,
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
        let table_bits = (forms.len() * 2).next_power_of_two().trailing_zeros();
        let filter_bits = (forms.len() * 64).next_power_of_two().trailing_zeros().clamp(12, 20);
        let mut index = Self {
            arena: Zeroizing::new(Vec::with_capacity(forms.iter().map(|(form, _)| form.len()).sum())),
            entries: Vec::with_capacity(forms.len()),
            table: vec![0; 1 << table_bits],
            table_shift: 64 - table_bits,
            filter: vec![0; 1 << (filter_bits - 6)],
            filter_shift: 64 - filter_bits,
        };
        forms.iter().for_each(|(form, owner)| index.insert(form, *owner));
        Some(index)
    }

    fn insert(&mut self, form: &Form, owner: u32) {
        let Some(first) = form.first_chunk::<FORM_MIN>() else { return };
        let hash = u64::from_le_bytes(*first).wrapping_mul(SPREAD);
        let begin = self.arena.len();
        self.arena.extend_from_slice(form);
        self.entries.push(Entry { range: begin..self.arena.len(), owner });
        let bit = hash >> self.filter_shift;
        self.filter[(bit >> 6) as usize] |= 1 << (bit & 63);
        let mut at = (hash >> self.table_shift) as usize;
        while self.table[at] != 0 {
            at = (at + 1) % self.table.len();
        }
        self.table[at] = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
    }

    /// The owner of the first form in `signs`, which holds small letters and digits alone.
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
        for (at, window) in signs.windows(FORM_MIN).enumerate() {
            let Some(first) = window.first_chunk::<FORM_MIN>() else { return };
            let hash = u64::from_le_bytes(*first).wrapping_mul(SPREAD);
            let bit = hash >> self.filter_shift;
            if self.filter[(bit >> 6) as usize] >> (bit & 63) & 1 == 0 {
                continue;
            }
            let mut place = (hash >> self.table_shift) as usize;
            while self.table[place] != 0 {
                let entry = &self.entries[self.table[place] as usize - 1];
                let form = &self.arena[entry.range.clone()];
                if signs[at..].starts_with(form) && !seen(at..at + form.len(), entry.owner) {
                    return;
                }
                place = (place + 1) % self.table.len();
            }
        }
    }
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
