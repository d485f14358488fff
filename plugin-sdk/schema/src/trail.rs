//! Where reading stopped: the readers of objects, lists and maps note their segment of the path on the way up from an error. What is
//! read without an error pays nothing for that, and no second reader that keeps the path is needed.

use std::cell::RefCell;

thread_local! {
    /// The innermost segment first.
    static TRAIL: RefCell<Vec<Segment>> = const { RefCell::new(Vec::new()) };
}

/// Deeper than any body that passes the limits.
const SEGMENTS_MAX: usize = 128;

/// A segment of a JSON Pointer.
pub(crate) enum Segment {
    Field(String),
    Index(usize),
}

pub(crate) fn note_field(name: &str) {
    note(|| Segment::Field(name.to_owned()));
}

pub(crate) fn note_index(index: usize) {
    note(|| Segment::Index(index));
}

fn note(segment: impl FnOnce() -> Segment) {
    TRAIL.with_borrow_mut(|trail| {
        if trail.len() < SEGMENTS_MAX {
            trail.push(segment());
        }
    });
}

/// What `read` gives, and the segments that it noted, the outermost first. Notes of earlier readings are forgotten.
pub(crate) fn trailed<T>(read: impl FnOnce() -> T) -> (T, Vec<Segment>) {
    TRAIL.with_borrow_mut(Vec::clear);
    let given = read();
    let mut trail = TRAIL.take();
    trail.reverse();
    (given, trail)
}
