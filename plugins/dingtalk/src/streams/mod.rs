//! One file a stream: what is asked, in which order, and what the cursor remembers.

pub(crate) mod approvals;
pub(crate) mod departments;
pub(crate) mod leavers;
pub(crate) mod roster;
pub(crate) mod users;

mod one;
mod walk;
