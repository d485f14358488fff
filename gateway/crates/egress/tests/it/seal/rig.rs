//! A connection with sealed slots, and deliveries for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_egress::{Connection, ConnectionSpec, Egress, EgressError, Incoming, Proved, SlotSpec};
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{Manifest, SealManifest, SealScheme, SealUse, WebhookManifest};
use renmen_vault::Secret;
use serde_json::Value;

use crate::support::{slot, spec, static_slot};

/// One sealed slot: name, scheme, use, secret.
pub(crate) type Slot<'a> = (&'a str, SealScheme, SealUse, &'a str);

pub(crate) fn specs(slots: &[Slot<'_>]) -> BTreeMap<SlotName, SlotSpec> {
    let of = |(name, scheme, used, secret): &Slot<'_>| {
        let seal = Some(SealManifest { scheme: *scheme, used: *used });
        let secret = Some(Secret::new((*secret).to_owned()));
        (slot(name), SlotSpec { secret, auth: None, seal, ..static_slot("", "x") })
    };
    slots.iter().map(of).collect()
}

pub(crate) fn connect(slots: BTreeMap<SlotName, SlotSpec>) -> Result<Arc<Connection>, EgressError> {
    Egress::new().unwrap().connect(ConnectionSpec { slots, ..spec(&[]) })
}

pub(crate) fn sealed(slots: &[Slot<'_>]) -> Result<Arc<Connection>, EgressError> {
    connect(specs(slots))
}

/// A connector's own manifest with these secrets in its sealed slots.
pub(crate) struct Door {
    pub(crate) connection: Arc<Connection>,
    pub(crate) webhook: WebhookManifest,
    config: Value,
}

impl Door {
    pub(crate) fn new(manifest: &str, secrets: &[(&str, &str)], config: Value) -> Self {
        let manifest = Manifest::parse(manifest).unwrap();
        assert_eq!(manifest.check(), []);
        let mut slots = BTreeMap::new();
        for (name, wish) in manifest.slots.iter().filter(|(_, wish)| wish.seal.is_some()) {
            let own = wish.same_as.as_ref().unwrap_or(name);
            let secret = secrets.iter().find(|(of, _)| *of == own.as_str());
            let secret = secret.map(|(_, text)| Secret::new((*text).to_owned()));
            slots.insert(name.clone(), SlotSpec { secret, auth: None, seal: wish.seal, ..static_slot("", "x") });
        }
        Self { connection: connect(slots).unwrap(), webhook: manifest.webhook.unwrap(), config }
    }

    pub(crate) fn prove(&self, incoming: &Incoming<'_>) -> Result<Proved, EgressError> {
        self.connection.seal().prove(self.webhook.proof.as_ref().unwrap(), &self.config, incoming)
    }

    /// The plain text of a delivery that must be proved.
    pub(crate) fn opened(&self, incoming: &Incoming<'_>) -> String {
        match self.prove(incoming).unwrap() {
            Proved::Delivery { opened } => String::from_utf8(opened.unwrap()).unwrap(),
            Proved::Question { .. } => panic!("taken for a question"),
        }
    }

    /// What is said of a delivery that is refused.
    pub(crate) fn refused(&self, incoming: &Incoming<'_>) -> String {
        match self.prove(incoming) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it was proved"),
        }
    }

    pub(crate) fn answer(&self, text: &[u8], now_ms: i64) -> Vec<u8> {
        let (proof, answer) = (self.webhook.proof.as_ref().unwrap(), self.webhook.answer.as_ref().unwrap());
        self.connection.seal().answer(proof, answer, &self.config, text, now_ms).unwrap()
    }

    pub(crate) fn check(&self) -> Result<(), EgressError> {
        self.connection.seal().check_proof(self.webhook.proof.as_ref().unwrap(), &self.config)
    }
}
