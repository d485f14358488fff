//! The resume spool: what was fetched for pages that are not committed yet. A run that is killed anywhere goes on from
//! its last committed page, and finds here what it had already asked the vendor for.
//!
//! Owns the files `spool/<tenant>.<connection>.<stream>.<n>` below the data directory. An answer is honoured only for a
//! page that was never committed, for the same code, within its age limit, and only as an unbroken chain from the stored
//! cursor. Losing the spool loses requests, never records.

mod frame;
mod slot;
mod tape;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use renmen_egress::{Held, RequestKey, Share, unpack, unpacked_bytes};
use renmen_store::StreamKey;

pub(crate) use frame::Begin;
use slot::Slot;
pub(crate) use tape::{Answer, Aside, PageTape, Reel};

/// Pages that may be under way at once: one being pulled, one being normalised or waiting, one being committed.
pub(crate) const PAGES_IN_FLIGHT: usize = 3;

/// The spool of one stream for one run.
pub(crate) struct Spool {
    places: Vec<SpoolPlace>,
}

struct SpoolPlace {
    slot: Arc<Mutex<Slot>>,
    state: State,
}

enum State {
    Free,
    /// A page under way writes here.
    Taken,
    /// A killed run's page; so many bytes of it are whole.
    Left {
        begin: Begin,
        whole: u64,
    },
}

/// A page's place in the spool.
pub(crate) struct Ticket {
    place: usize,
    pub(crate) slot: Arc<Mutex<Slot>>,
    /// Set when a killed run had begun the same page: its clock, and the bytes of its answers.
    pub(crate) left: Option<(i64, u64)>,
}

impl Spool {
    /// Opens the files of a stream. Blocking.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(crate) fn open(data_dir: &Path, key: &StreamKey, bytes_max: u64) -> std::io::Result<Self> {
        let dir = directory(data_dir);
        make_private(&dir)?;
        let places = (0..PAGES_IN_FLIGHT)
            .map(|n| {
                let path = dir.join(format!("{}.{}.{}.{n}", key.tenant, key.connection, key.stream));
                let slot = Slot::new(path, bytes_max);
                let state =
                    slot.find().map_or(State::Free, |found| State::Left { begin: found.begin, whole: found.whole });
                SpoolPlace { slot: Arc::new(Mutex::new(slot)), state }
            })
            .collect();
        Ok(Self { places })
    }

    /// The pages that killed runs left.
    pub(crate) fn left(&self) -> Vec<Begin> {
        self.places
            .iter()
            .filter_map(|place| match &place.state {
                State::Left { begin, .. } => Some(begin.clone()),
                _ => None,
            })
            .collect()
    }

    /// Has a killed run left pages that are still to be taken up?
    pub(crate) fn has_left(&self) -> bool {
        self.places.iter().any(|place| matches!(place.state, State::Left { .. }))
    }

    /// Forgets the pages that may not be honoured.
    pub(crate) fn retain(&mut self, honoured: impl Fn(&Begin) -> bool) {
        for place in &mut self.places {
            if matches!(&place.state, State::Left { begin, .. } if !honoured(begin)) {
                place.slot.lock().clear();
                place.state = State::Free;
            }
        }
    }

    /// A place for the page that is asked with this cursor. A page that a killed run had begun gets its own place back;
    /// when there is none, the chain is broken and everything that was left is forgotten.
    pub(crate) fn take(&mut self, cursor: Option<&str>) -> Option<Ticket> {
        let found = self
            .places
            .iter()
            .position(|place| matches!(&place.state, State::Left { begin, .. } if begin.cursor.as_deref() == cursor));
        let place = match found {
            Some(place) => place,
            None => {
                self.retain(|_| false);
                self.places.iter().position(|place| matches!(place.state, State::Free))?
            }
        };
        let left = match std::mem::replace(&mut self.places[place].state, State::Taken) {
            State::Left { begin, whole } => Some((begin.clock_ms, whole)),
            State::Free | State::Taken => None,
        };
        Some(Ticket { place, slot: Arc::clone(&self.places[place].slot), left })
    }

    /// The page is committed.
    pub(crate) fn give_back(&mut self, ticket: &Ticket) {
        ticket.slot.lock().clear();
        self.places[ticket.place].state = State::Free;
    }

    /// The run is over and nothing of it is to be taken up again.
    pub(crate) fn remove(&mut self) {
        for place in &mut self.places {
            place.slot.lock().remove();
            place.state = State::Free;
        }
    }
}

/// The answers that a killed run left in a place, with the memory that is reserved for them. What cannot be unpacked is asked for
/// again, and all of it where there is no memory for it. Blocking.
pub(crate) fn answers(slot: &Mutex<Slot>, memory: Option<&Share>) -> (Vec<Answer>, Option<Held>) {
    let kept = slot.lock().answers();
    let bytes: u64 = kept.iter().map(|(_, packed)| unpacked_bytes(packed).saturating_add(packed.len() as u64)).sum();
    let held = match memory.map(|share| share.try_take(bytes)).transpose() {
        Ok(held) => held,
        Err(refused) => {
            tracing::warn!(bytes, %refused, "Failed to read what a killed run had fetched; fetching it again");
            return (Vec::new(), None);
        }
    };
    (unpacked(kept), held)
}

fn unpacked(kept: Vec<([u8; 16], Vec<u8>)>) -> Vec<Answer> {
    kept.into_iter()
        .filter_map(|(key, packed)| {
            let exchange = unpack(&packed).ok()?;
            Some(Answer { key: RequestKey(key), exchange: Arc::new(exchange), packed: Some(packed) })
        })
        .collect()
}

/// Removes what is older than `age_max`: a stream that is no longer configured must not leave its people's data behind.
/// Blocking.
pub(crate) fn purge(data_dir: &Path, age_max: Duration) {
    let Ok(entries) = std::fs::read_dir(directory(data_dir)) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        if modified.elapsed().is_ok_and(|age| age > age_max) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("spool")
}

#[cfg(unix)]
fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn key() -> StreamKey {
        StreamKey {
            tenant: "acme".parse().unwrap(),
            connection: "hr".parse().unwrap(),
            stream: "units".parse().unwrap(),
        }
    }

    fn begin(page: u64, cursor: Option<&str>) -> Begin {
        Begin { run: 1, page, cursor: cursor.map(str::to_owned), clock_ms: 5, digest: "sha256:0".to_owned() }
    }

    /// A spool with these pages begun in it, one answer each, and then a kill.
    fn killed(dir: &Path, cursors: &[Option<&str>]) -> Spool {
        let mut spool = Spool::open(dir, &key(), 1 << 20).unwrap();
        for (page, cursor) in (0..).zip(cursors) {
            let ticket = spool.take(*cursor).unwrap();
            ticket.slot.lock().begin(&begin(page, *cursor), None);
            ticket.slot.lock().append(&[1; 16], b"packed");
        }
        drop(spool);
        Spool::open(dir, &key(), 1 << 20).unwrap()
    }

    #[test]
    fn an_unbroken_chain_is_given_back_page_by_page() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = killed(dir.path(), &[None, Some("a"), Some("b")]);
        assert_eq!(spool.left().len(), 3);
        for (cursor, more) in [(None, true), (Some("a"), true), (Some("b"), false)] {
            let ticket = spool.take(cursor).unwrap();
            assert_eq!(spool.has_left(), more, "what is still to be taken up is not fetched ahead");
            assert_eq!(ticket.left.unwrap().0, 5, "the clock of the killed call");
            assert_eq!(ticket.slot.lock().answers().len(), 1);
        }
        assert!(spool.take(Some("c")).is_none(), "no more pages may be under way");
    }

    #[test]
    fn a_page_that_nobody_had_begun_breaks_the_chain() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = killed(dir.path(), &[Some("a"), Some("b")]);
        assert!(spool.take(Some("elsewhere")).unwrap().left.is_none());
        assert!(spool.take(Some("b")).unwrap().left.is_none(), "what came after is worth nothing now");
    }

    #[test]
    fn a_place_given_back_is_empty_and_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = killed(dir.path(), &[None]);
        for _ in 0..10 {
            let ticket = spool.take(None).unwrap();
            spool.give_back(&ticket);
        }
        drop(spool);
        assert!(Spool::open(dir.path(), &key(), 1 << 20).unwrap().left().is_empty());
    }

    #[test]
    fn answers_beyond_the_cap_are_let_go_and_those_before_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(dir.path(), &key(), 400).unwrap();
        let ticket = spool.take(None).unwrap();
        ticket.slot.lock().begin(&begin(0, None), None);
        ticket.slot.lock().append(&[1; 16], &[0; 100]);
        ticket.slot.lock().append(&[2; 16], &[0; 300]);
        assert_eq!(ticket.slot.lock().answers().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_what_vendors_answered() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let _spool = killed(dir.path(), &[None]);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory(dir.path())), 0o700);
        for file in std::fs::read_dir(directory(dir.path())).unwrap().flatten() {
            assert_eq!(mode(&file.path()), 0o600);
        }
    }

    #[test]
    fn files_of_streams_that_are_gone_do_not_stay_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let _spool = killed(dir.path(), &[None]);
        purge(dir.path(), Duration::from_secs(3600));
        assert_eq!(std::fs::read_dir(directory(dir.path())).unwrap().count(), 1, "a fresh one stays");
        purge(dir.path(), Duration::ZERO);
        assert_eq!(std::fs::read_dir(directory(dir.path())).unwrap().count(), 0);
    }
}
