//! Receivers: destinations of flows that are not connections of a plugin. Outgoing endpoints for signed events, and the
//! channels that reach people: mail and text messages.
//!
//! Owns what an event and a message look like, how they are signed and sent, what each answer means, and the life of the endpoints
//! that are made over the API. Every receiver is a [`renmen_flow::Destination`]; requests go through `renmen-egress`. It must not
//! know which change is sent, in which order and how often (that is a flow), the configuration file, plugins or the API.
//!
//! In reading order: [`endpoint::Endpoint`] (one receiver of events), [`endpoint::EndpointRegistry`] (their life), [`channel`]
//! (messages to people) and [`access`] (which hosts a receiver may reach).

pub mod access;
pub mod channel;
pub mod endpoint;
mod failure;
