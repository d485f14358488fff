//! What the store promises, asked of both backends: every test of `on_both!` runs on SQLite and, when `RENMEN_TEST_POSTGRES`
//! names a server on which databases may be made, on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod author;
mod bed;
mod budgets;
mod by_hand;
mod commits;
mod crash;
mod disk;
mod endpoints;
mod feed;
mod figures;
mod held;
mod inbox;
mod keyed;
mod keys;
mod leases;
mod lists;
mod messages;
mod model;
mod outbox;
mod postgres;
mod puller;
mod quarantine;
mod quotas;
mod reading;
mod runs;
mod shared_sql;
mod signed;
mod sqlite;
mod sweeps;
