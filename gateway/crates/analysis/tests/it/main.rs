//! Questions over a tenant whose rows are made up, with a real store behind: what is asked, what is kept, and when.
#![allow(clippy::unwrap_used)]

mod across;
mod answers;
mod bed;
mod limits;
mod one;
mod rows;
mod schedule;
mod stored;
