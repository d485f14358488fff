//! Is what a candidate expects within the pay band? Answered from memory, because it is asked in the middle of an interview (R05).
//!
//! A vendor learns "in", "out" or why nobody can say, never the band or one of its ends. Against finding the ends by asking again
//! and again: amounts are compared to a few significant digits alone, one interview may ask about a few amounts only, a
//! caller so many times a minute, and every question is written down as a step of its interview.
//!
//! `index` is the state and the rule; `limit` counts; `desk` keeps both up to date, answers, and writes down.

mod desk;
mod index;
mod limit;

pub use desk::{BandDesk, BandOptions, BandWork};
pub use index::{BandAnswer, BandAsk, BandIndex, BandKeyAsk, Unknown, Verdict};
