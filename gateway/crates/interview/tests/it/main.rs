//! The interview loop over a real store, under a clock that the test moves.
#![allow(clippy::unwrap_used)]

mod band;
mod bed;
mod decide;
mod strangers;
mod timeline;
mod vendor;
mod watch;
