//! One file for each kind of thing that the API shows: its answers' shapes, then its handlers.

pub(crate) mod band_match;
pub(crate) mod bytes;
pub(crate) mod change_events;
pub(crate) mod change_stream;
pub(crate) mod changes;
pub(crate) mod connections;
pub(crate) mod decision_list;
pub(crate) mod decision_page;
pub(crate) mod decisions;
pub(crate) mod deliveries;
pub(crate) mod endpoints;
pub(crate) mod exchanges;
pub(crate) mod flows;
pub(crate) mod hooks;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod lineage;
pub(crate) mod plugins;
pub(crate) mod quarantine;
pub(crate) mod record_view;
pub(crate) mod records;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod screen;
pub(crate) mod service;
pub(crate) mod timeline;
