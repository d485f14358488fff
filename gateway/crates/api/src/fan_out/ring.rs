//! The last changes of one tenant's feed, as they are written to its readers. Knows no store and no reader.

use std::collections::VecDeque;
use std::sync::Arc;

use renmen_store::{ChangeKind, ChangeRow};

use crate::resource::change_view::Change;

/// Bytes of an entry besides its texts.
const ENTRY_BYTES: usize = 128;

/// A change, written once for all readers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RingEntry {
    pub(crate) seq: i64,
    entity: String,
    /// Its kind as the event's name.
    pub(crate) kind: &'static str,
    pub(crate) cursor: String,
    /// None: it could not be written.
    pub(crate) json: Option<String>,
}

impl RingEntry {
    /// `epoch`: of the store when the row was read.
    pub(crate) fn of(row: ChangeRow, epoch: u32) -> Self {
        let kind = match row.kind {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
        };
        let (seq, entity) = (row.seq, row.entity.clone());
        let change = Change::of(row, Some(epoch));
        let json = serde_json::to_string(&change)
            .inspect_err(|error| tracing::error!(%error, "Failed to write a change to the event stream"))
            .ok();
        Self { seq, entity, kind, cursor: change.cursor, json }
    }

    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.entity.len() + self.cursor.len() + self.json.as_ref().map_or(0, String::len)
    }
}

/// Part of a feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) entries: Vec<Arc<RingEntry>>,
    /// Up to here everything was looked at.
    pub(crate) up_to: i64,
}

/// Every change of the feed after one position and up to another.
pub(super) struct Ring {
    entries: VecDeque<Arc<RingEntry>>,
    /// Exclusive.
    begins_after: i64,
    /// Inclusive.
    ends_at: i64,
    bytes: usize,
    bytes_max: usize,
}

impl Ring {
    pub(super) fn new(begins_after: i64, bytes_max: usize) -> Self {
        Self { entries: VecDeque::new(), begins_after, ends_at: begins_after, bytes: 0, bytes_max }
    }

    /// Takes in what follows, in the feed's order, up to a position. The oldest make room.
    pub(super) fn push(&mut self, entries: Vec<Arc<RingEntry>>, ends_at: i64) {
        for entry in entries {
            self.bytes += entry.bytes();
            self.entries.push_back(entry);
        }
        self.ends_at = self.ends_at.max(ends_at);
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.bytes();
            self.begins_after = oldest.seq;
        }
    }

    /// What follows a position; none where the ring does not reach back so far.
    pub(super) fn read(&self, after: i64, entity: Option<&str>, limit: usize) -> Option<Piece> {
        if after < self.begins_after {
            return None;
        }
        let from = self.entries.partition_point(|entry| entry.seq <= after);
        let wanted = self.entries.range(from..).filter(|entry| entity.is_none_or(|entity| entry.entity == entity));
        let entries: Vec<_> = wanted.take(limit).cloned().collect();
        let full = entries.len() >= limit;
        let up_to = entries.last().filter(|_| full).map_or(self.ends_at.max(after), |entry| entry.seq);
        Some(Piece { entries, up_to })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn entry(seq: i64, entity: &str) -> Arc<RingEntry> {
        let (entity, cursor, json) = (entity.to_owned(), seq.to_string(), Some("x".repeat(72)));
        Arc::new(RingEntry { seq, entity, kind: "created", cursor, json })
    }

    fn seqs(piece: &Piece) -> Vec<i64> {
        piece.entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_reader_gets_what_follows_its_position_and_none_where_the_ring_does_not_reach() {
        let mut ring = Ring::new(10, 100_000);
        assert_eq!(ring.read(9, None, 5), None, "it may have missed something");
        assert_eq!(ring.read(10, None, 5).unwrap(), Piece { entries: vec![], up_to: 10 });
        assert_eq!(ring.read(12, None, 5).unwrap().up_to, 12, "one that is ahead stays there");
        ring.push(vec![entry(11, "a"), entry(13, "b"), entry(14, "a")], 14);
        let piece = ring.read(10, None, 2).unwrap();
        assert_eq!((seqs(&piece), piece.up_to), (vec![11, 13], 13));
        let piece = ring.read(11, Some("a"), 2).unwrap();
        assert_eq!((seqs(&piece), piece.up_to), (vec![14], 14));
        let piece = ring.read(10, Some("c"), 2).unwrap();
        assert_eq!((seqs(&piece), piece.up_to), (vec![], 14), "the others need not be looked at again");
    }

    #[test]
    fn the_oldest_make_room_and_who_needs_them_is_told() {
        let mut ring = Ring::new(0, 1_000);
        ring.push((1..=5).map(|seq| entry(seq, "a")).collect(), 5);
        assert_eq!(ring.entries.len(), 4, "{} bytes", ring.bytes);
        assert!(ring.read(0, None, 9).is_none());
        assert_eq!(seqs(&ring.read(1, None, 9).unwrap()), [2, 3, 4, 5]);
        ring.push(vec![entry(6, "a"), entry(7, &"b".repeat(2_000))], 7);
        assert_eq!((ring.entries.len(), ring.bytes), (0, 0), "one that is larger than the ring is read from the store");
        assert!(ring.read(6, None, 9).is_none());
        assert_eq!(ring.read(7, None, 9).unwrap().up_to, 7);
    }

    proptest! {
        /// However much the ring holds, a reader that goes on from `up_to`, and reads past the ring elsewhere, sees each change of
        /// its entity once and in order.
        #[test]
        fn a_reader_sees_each_change_once_and_in_order(
            feed in proptest::collection::vec((any::<bool>(), 1..4_usize), 1..80),
            bytes_max in 200..4_000_usize,
            turns in proptest::collection::vec((1..6_usize, any::<bool>()), 200),
            starts in 0..40_i64,
        ) {
            let all: Vec<(i64, &str)> =
                feed.iter().enumerate().map(|(at, (a, _))| (at as i64 + 1, if *a { "a" } else { "b" })).collect();
            let mut ring = Ring::new(0, bytes_max);
            let (mut written, mut position, mut seen) = (0, starts.min(all.len() as i64), Vec::new());
            let from = position;
            for (limit, write) in turns {
                if write && written < all.len() {
                    let count = feed[written].1.min(all.len() - written);
                    let piece = &all[written..written + count];
                    ring.push(piece.iter().map(|(seq, entity)| entry(*seq, entity)).collect(), piece[count - 1].0);
                    written += count;
                    continue;
                }
                let (entries, up_to) = match ring.read(position, Some("a"), limit) {
                    Some(piece) => (seqs(&piece), piece.up_to),
                    None => {
                        let rest = all[..written].iter().filter(|(seq, entity)| *seq > position && *entity == "a");
                        let read: Vec<i64> = rest.map(|(seq, _)| *seq).take(limit).collect();
                        let up_to = if read.len() < limit { written as i64 } else { read[limit - 1] };
                        (read, up_to)
                    }
                };
                prop_assert!(up_to >= position);
                position = up_to;
                seen.extend(entries);
            }
            let wanted: Vec<i64> =
                all.iter().filter(|(seq, entity)| *seq > from && *seq <= position && *entity == "a").map(|(seq, _)| *seq).collect();
            prop_assert_eq!(seen, wanted);
        }
    }
}
