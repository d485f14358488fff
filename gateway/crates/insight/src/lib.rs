//! What records say when they are put together: where applications get lost, what an interview predicts, what to offer, whether
//! groups fare alike.
//!
//! Owns: the questions, the statistics that they are answered with, and the rows that they are asked over. Every figure carries
//! its sample size, period, method and the records behind it; who is left out is counted by reason; a sample that is too small is
//! said to be, and not judged; what many tests find at once is corrected for their number.
//!
//! Must not know: SQL, HTTP, wasm, async, clocks. An adapter streams rows in and makes records of the answers.
//!
//! Reading order: `figure` and `purpose` (what every answer keeps to), `model` (rows and the trait [`Question`]), `stats`, then
//! the questions, one a file.

#![warn(missing_docs)]

pub mod exact;
pub mod figure;
pub mod key;
pub mod model;
pub mod purpose;
pub mod question;
pub mod stats;
pub mod table;

pub use figure::{Basis, Figure, Ids, LeftOut, Method, PValue, Why};
pub use key::{Key, Norm};
pub use model::{Limits, Need, Outcome, Overflow, Question, Row, Window};
pub use purpose::{Purpose, Standing};
