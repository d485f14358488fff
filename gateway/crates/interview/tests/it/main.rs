//! The interview loop over a real store, under a clock that the test moves.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod backlog;
mod band;
mod bed;
mod decide;
mod history;
mod judged;
mod model;
mod strangers;
mod timeline;
mod vendor;
mod watch;
