//! The interview loop over a real store, under a clock that the test moves.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod adjust;
mod attack;
mod backlog;
mod band;
mod bed;
mod copies;
mod decide;
mod feedback;
mod history;
mod judged;
mod model;
mod orders;
mod pay;
mod peoples_rules;
mod person;
mod said;
mod screen;
mod seat;
mod shown;
mod strangers;
mod timeline;
mod vendor;
mod watch;
