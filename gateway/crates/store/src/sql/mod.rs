//! What both backends do with the same statements, written once.
//!
//! Owns the statements that read the same on SQLite and on PostgreSQL, and the steps around them. Must not know how a backend
//! runs one, on which thread, or where its transaction begins: that is behind [`Session`]. What a backend does in a way of its
//! own because it is the fast one (COPY and `unnest` on PostgreSQL, insert first on SQLite) is behind [`CommitWriter`].
//!
//! A statement names its values `$1`, `$2`, … in any order and as often as it likes. Where the two dialects of SQL differ in a
//! word, [`Dialect`] has it; where they differ in more, the statement belongs to the backends (`tests/it/shared_sql.rs` finds
//! one that stands in both).

pub(crate) mod api_key;
pub(crate) mod author;
pub(crate) mod budget;
pub(crate) mod cell;
pub(crate) mod commit;
mod commit_writer;
pub(crate) mod disk_use;
pub(crate) mod endpoint;
pub(crate) mod exchange_body;
pub(crate) mod feed;
pub(crate) mod identity;
pub(crate) mod inbox;
pub(crate) mod insight;
pub(crate) mod key_log;
pub(crate) mod lease;
pub(crate) mod meant;
pub(crate) mod moving;
pub(crate) mod places;
pub(crate) mod quarantine;
pub(crate) mod record;
pub(crate) mod record_list;
pub(crate) mod reference;
pub(crate) mod registry;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod run_notes;
mod scope;
pub(crate) mod screen;
mod session;
pub(crate) mod signature;
pub(crate) mod source_time;
pub(crate) mod stream;
pub(crate) mod sweep;
mod value;

pub(crate) use commit_writer::{CommitState, CommitWriter, MissingRecord};
pub(crate) use scope::{Scopes, find as find_scope};
pub(crate) use session::{
    ColumnOf, Dialect, PROVE_WRITE, Session, expect_number, next_number, number, number_list, shown_by, together,
};
pub(crate) use value::{Value, values};
