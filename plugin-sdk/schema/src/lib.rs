//! The canonical records: what Renmen keeps and exchanges, whichever system it came from. Also the names and the manifest that
//! both sides of the connector contract use.
//!
//! Connectors build these types and serialize them; the gateway reads the bytes back through [`canonicalize`], which parses,
//! validates and gives the canonical bytes. Everything else follows from the types: the JSON Schema ([`json_schema()`]), the
//! sensitivity class of every field ([`sensitivity()`]), and the guard against a release that breaks its readers ([`compat`]).
//!
//! With the feature `gateway` the crate also has what the gateway and the conformance kit do with records: JSON Schema,
//! canonical bytes, manifests. A connector is built without it: it would compile all of that and call none of it.
//!
//! This crate knows nothing: no network, no files, no clock, no async. It compiles to `wasm32-unknown-unknown`.

#![warn(missing_docs)]

pub mod check;
pub mod code;
#[cfg(feature = "gateway")]
pub mod compat;
pub mod entity;
pub mod envelope;
pub mod event;
pub mod id;
#[cfg(feature = "gateway")]
pub mod manifest;
pub mod shown;
pub mod types;

mod alternate;
#[cfg(feature = "gateway")]
mod canonical;
#[cfg(feature = "gateway")]
mod column;
#[cfg(feature = "gateway")]
mod diagnose;
#[cfg(feature = "gateway")]
mod excerpt;
mod failure_kind;
#[cfg(feature = "gateway")]
mod field;
mod finding;
#[cfg(feature = "gateway")]
mod json_schema;
mod json_string;
mod kind;
mod language;
mod object;
#[cfg(feature = "gateway")]
mod place;
pub mod pointer;
#[cfg(feature = "gateway")]
mod refers;
mod remedy;
#[cfg(feature = "gateway")]
mod sensitivity;
mod shape;
#[cfg(feature = "gateway")]
mod trail;

pub use alternate::{KEY_SCHEMES, KeyScheme, keys_of};
#[cfg(feature = "gateway")]
pub use alternate::{RecordKeys, WantedKey};
#[cfg(feature = "gateway")]
pub use canonical::{Limits, canonicalize, canonicalize_into};
pub use check::{BadValue, Defect, Validate};
#[cfg(feature = "gateway")]
pub use column::{Column, ColumnKind, columns};
pub use failure_kind::FailureKind;
#[cfg(feature = "gateway")]
pub use field::{Field, JsonType, field_at, fields};
pub use finding::{RunFinding, RunOmission};
#[cfg(feature = "gateway")]
pub use json_schema::{SCHEMA_VERSION, all_schemas, json_schema};
pub use kind::{Entity, EntityKind};
#[cfg(feature = "gateway")]
pub use language::Language;
pub use language::Text;
#[cfg(feature = "gateway")]
pub use place::{Indices, NoPlace, check_place, check_place_in_any, distance, whole_of};
#[cfg(feature = "gateway")]
pub use refers::{RefPlace, Reference, belongs_to, external_of, ref_places, references, refers_to};
pub use remedy::Remedy;
#[cfg(feature = "gateway")]
pub use sensitivity::{Classes, class_of, sensitivity};
pub use types::Sensitivity;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
