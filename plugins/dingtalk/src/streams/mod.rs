//! One file a stream: what is asked, in which order, and what the cursor remembers.

pub(crate) mod approvals;
pub(crate) mod attendance;
pub(crate) mod departments;
pub(crate) mod leave;
pub(crate) mod leave_balances;
pub(crate) mod leavers;
pub(crate) mod roster;
pub(crate) mod schedules;
pub(crate) mod users;

mod days;
mod grouped;
mod one;
mod people;
mod walk;
