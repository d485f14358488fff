//! One file a command. Each reads what it needs, says it through [`crate::output::Output`], and ends with an
//! [`crate::exit::Outcome`].

pub(crate) mod act;
pub(crate) mod adjust;
pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod conformance;
pub(crate) mod decide_past;
pub(crate) mod deliveries;
pub(crate) mod export;
pub(crate) mod flow;
pub(crate) mod init;
pub(crate) mod insight;
pub(crate) mod journal;
pub(crate) mod key;
pub(crate) mod manual;
pub(crate) mod misbehave;
pub(crate) mod people;
pub(crate) mod plugin;
pub(crate) mod quarantine;
pub(crate) mod reach;
pub(crate) mod records;
pub(crate) mod reload;
pub(crate) mod replay;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod sweep;
pub(crate) mod sync;
pub(crate) mod tenant;
