//! How far a connection reaches at most, once what the manifest asks for and what the operator allows have met: for people to
//! read, and to refuse what can never work before anything is sent. Owns no rule: it asks those that decide.

use std::collections::BTreeMap;

use renmen_origin::{Pattern, read_all, within};
use renmen_schema::id::SlotName;
use renmen_schema::manifest::EventSocketManifest;
use url::Url;

use crate::credential::{Recipe, Slot};
use crate::{Connection, EgressError};

/// How far a connection reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Origins, patterns and `drop:`.
    pub hosts: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Slots whose secret is sent.
    pub slots: BTreeMap<SlotName, SlotReach>,
}

/// Where one slot's secret goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotReach {
    /// Does it hold a secret?
    pub filled: bool,
    /// The origins that its credential may go to.
    pub to: Vec<String>,
    /// The token endpoint that the secret itself goes to, when the credential is a token.
    pub token_url: Option<String>,
}

/// Where an event connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketReach {
    /// Where it is asked for, with the slot's secret.
    pub open_url: String,
    /// The origins that it may lead to.
    pub hosts: Vec<String>,
}

impl Connection {
    /// How far this connection reaches.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let parts = &self.parts;
        let hosts = parts.grant.patterns();
        let sent = parts.slots.iter().filter_map(|(name, slot)| Some((name.clone(), slot_reach(slot, &hosts)?)));
        Reach { slots: sent.collect(), methods: parts.grant.methods(), hosts: texts(&hosts) }
    }

    /// Where its event connection would lead. Nothing is sent.
    ///
    /// # Errors
    /// [`EgressError`] as for opening it, when no answer of the vendor's could make it right.
    pub fn event_reach(&self, wish: &EventSocketManifest) -> Result<SocketReach, EgressError> {
        let (grant, slot, open_url) = self.event_way(wish)?;
        let asked = read_all(&wish.hosts, &self.parts.config)
            .map_err(|why| EgressError::BadRequest(format!("`webhook.socket.hosts`: {why}")))?;
        let hosts = slot.narrowed(grant.allowed(&asked));
        if hosts.is_empty() {
            return Err(EgressError::NotGranted(format!(
                "the event connection may lead nowhere: none of {} is both in `grant.hosts` and in `to` of slot `{}`",
                texts(&asked).join(", "),
                slot.name
            )));
        }
        Ok(SocketReach { open_url: shown(&open_url), hosts: texts(&hosts) })
    }
}

impl Slot {
    /// What the operator lets the secret go to of these.
    fn narrowed(&self, patterns: Vec<Pattern>) -> Vec<Pattern> {
        match &self.to {
            Some(to) => within(&patterns, to),
            None => patterns,
        }
    }
}

fn slot_reach(slot: &Slot, hosts: &[Pattern]) -> Option<SlotReach> {
    let recipe = slot.recipe.as_ref()?;
    let narrow = slot.narrowed(hosts.iter().filter(|pattern| **pattern != Pattern::Drop).cloned().collect());
    let to = if slot.audience.is_empty() { narrow } else { within(&narrow, &slot.audience) };
    let token_url = match recipe {
        Recipe::Token { endpoint, .. } => Some(shown(&endpoint.url)),
        Recipe::Static(_) | Recipe::Basic | Recipe::Signed(_) => None,
    };
    Some(SlotReach { filled: slot.secret.is_some(), to: texts(&to), token_url })
}

/// A URL without its query, which may hold an id of the customer's.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn texts(patterns: &[Pattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}
