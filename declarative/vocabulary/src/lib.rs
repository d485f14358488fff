//! What a declared mapping can say of a value, and how it is read by that: for columns of tables and for members of JSON alike.
//!
//! [`parse`] is the list of meanings, [`cell`] what stands there before a meaning is known, [`value`] the way from one to the other by
//! [`day`], [`number`], [`mark`] and [`sign`]. Nothing is guessed, and no reason quotes what was read.

pub mod cell;
pub mod day;
pub mod mark;
pub mod number;
mod parse;
pub mod sign;
pub mod value;

pub use parse::{Mark, Of, Parse, Unit, Years};
