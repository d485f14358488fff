//! Shares the machine's cores, and the places for what runs at the same time, fairly between connections.
//!
//! Owns two things. [`Threads`] are threads on which work of connections is polled, never the reactor's: a fair queue by
//! connection says who is next, [`Account`] remembers what each has used and holds back a connection that uses the
//! processor without end. [`Places`] are numbers of things that may be under way at once (runs, calls), given out by
//! tenant, connection and stream.
//!
//! What it must not know: what the work is. The caller says whose work it is.
//!
//! The rules that the rest relies on:
//! - no connection waits for another longer than one slice, however many streams the other has and no matter what they
//!   do;
//! - a connection that used little goes before one that used much, and does not wait for a slice to end;
//! - what is held back, and what waits, is counted and can be asked for;
//! - work that is given up is dropped on these threads as well, never on the reactor's.
//!
//! Reading order: [`Account`], `budget`, `queue`, `job`, `executor`, [`work`], [`aside`], [`Places`].

mod account;
mod aside;
mod budget;
mod executor;
mod job;
mod machine;
mod places;
mod queue;
mod work;

pub use account::{Account, CpuShare, Figures};
pub use aside::aside;
pub use executor::{Begun, Options, Stopped, Threads};
pub use places::{Bounds, Place, Places, Who};
pub use queue::Class;
pub use work::{work, work_waiting};
