//! `connectors.toml`: the one file by which an operator says what is connected to what, and what it may do.
//!
//! Owns: the file's types, its defaults, and every error about it, with file, line, column, key and the fix. A key that is
//! not known is an error; several errors are told at once; nothing starts with half a configuration.
//!
//! Must not know: secrets (it describes where one comes from, the vault fetches it), wasmtime, HTTP, SQL. Whether a plugin
//! has such a stream or a grant suffices is not seen here but where the plugin is loaded.
//!
//! Why the tree is read by hand and not by derive: derive stops at the first error, knows no variables in strings, and
//! loses the place of a value that parses but makes no sense. The reader in [`mod@section`] keeps the place of everything.
//!
//! In reading order: [`Config`] (the whole), [`Connection`], [`Limits`] with [`LIMITS`] (each limit with default, unit and
//! meaning), [`ConfigError`].

mod cells;
mod channel;
mod config;
mod connection;
mod endpoint;
mod error;
mod excerpt;
mod export;
mod field;
mod flow;
mod gateway;
mod grant;
mod identity;
mod insight;
mod interpolate;
mod interview;
mod journal;
mod kafka;
mod limits;
mod outbox;
mod payslips;
mod places;
mod plugins;
mod quantity;
mod reference;
mod schedule;
mod section;
mod sharing;
mod slot;
mod store;
mod suggest;
mod templates;
mod vault;

pub use cells::{Cell, Elsewhere};
pub use channel::{Channel, ChannelKind, Mail, MailSecurity, Sms, SmsStatus};
pub use config::{CONNECTIONS_MAX, Config, FILE_BYTES_MAX, LoadOptions, RECEIVERS_MAX};
pub use connection::{Connection, Stream};
pub use endpoint::{Endpoint, EndpointKind};
pub use error::{ConfigError, PROBLEMS_MAX, Problem};
pub use export::{EXPORT_CLASSES, EXPORT_FORMATS, EXPORTS_MAX, Export, ExportTo};
pub use flow::Flow;
pub use gateway::{Gateway, ListenRefusal, MetricsAccess};
pub use grant::Grant;
pub use identity::Identity;
pub use insight::{Insight, InsightEvery, InsightPlan, PLAN_QUESTIONS, PLANS_MAX};
pub use interview::{DecisionRule, Interview, RULES_MAX};
pub use journal::{
    DIMENSIONS_OF, JOURNAL_LINES_MAX, JOURNALS_MAX, Journal, JournalDate, JournalDimension, JournalItem, JournalNet,
    JournalTotal,
};
pub use kafka::{Kafka, KafkaMode, KafkaSasl};
pub use limits::{GATEWAY_LIMITS, GatewayLimits, LIMITS, LimitSpec, Limits, gateway_limits_table, limits_table};
pub use outbox::Outbox;
pub use payslips::{AboveTolerance, Payslips};
pub use places::LateProblem;
pub use plugins::{Plugins, TRUSTED_KEYS_MAX};
pub use quantity::{duration, show_bytes, show_duration};
pub use reference::{KeySpec, SectionSpec, ValueKind, configuration_page, configuration_schema, sections};
pub use schedule::Schedule;
pub use sharing::Sharing;
pub use slot::{DevValue, Slot, SlotSource};
pub use store::{Store, StoreUrl};
pub use templates::Templates;
pub use vault::{KeySource, Vault};
