//! The canonical records: what Renmen keeps and exchanges, whichever system it came from. Also the names and the manifest that
//! both sides of the connector contract use.
//!
//! Connectors build these types and serialize them; the gateway reads the bytes back through [`canonicalize`], which parses,
//! validates and gives the canonical bytes. Everything else follows from the types: the JSON Schema ([`json_schema()`]), the
//! sensitivity class of every field ([`sensitivity()`]), and the guard against a release that breaks its readers ([`compat`]).
//!
//! This crate knows nothing: no network, no files, no clock, no async. It compiles to `wasm32-unknown-unknown`.

pub mod check;
pub mod code;
pub mod compat;
pub mod entity;
pub mod envelope;
pub mod event;
pub mod id;
pub mod manifest;
pub mod shown;
pub mod types;

mod alternate;
mod canonical;
mod diagnose;
mod json_schema;
mod kind;
mod place;
mod refers;
mod remedy;
mod sensitivity;
mod shape;
mod text;

pub use alternate::{KEY_SCHEMES, KeyScheme, RecordKeys, WantedKey, keys_of};
pub use canonical::{Limits, canonicalize, canonicalize_into};
pub use check::{BadValue, Defect, Validate};
pub use json_schema::{SCHEMA_VERSION, all_schemas, json_schema};
pub use kind::{Entity, EntityKind};
pub use place::{Indices, NoPlace, check_place, check_place_in_any, distance, whole_of};
pub use refers::{Reference, belongs_to, external_of, references, refers_to};
pub use remedy::Remedy;
pub use sensitivity::{Classes, class_of, sensitivity};
pub use types::Sensitivity;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
