//! One connection's way out: what it holds between requests. What happens to a request is in `send`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::Placement;
use tokio::sync::Semaphore;

use crate::credential::Slot;
use crate::drop_directory::DropDirectory;
use crate::grant::Grant;
use crate::rate::Pace;
use crate::redactor::Redactor;
use crate::resolve::AddressBook;
use crate::retry::Retry;
use crate::seal::Seal;
use crate::{EgressLimits, OperatorGrant};

/// One connection's way out. Made by [`crate::Egress::connect`].
pub struct Connection {
    pub(crate) parts: Parts,
    /// `parallel_max` of them.
    pub(crate) places: Semaphore,
}

/// What a connection is made of.
pub(crate) struct Parts {
    pub(crate) tenant: TenantId,
    pub(crate) name: ConnectionName,
    pub(crate) limits: EgressLimits,
    pub(crate) grant: Grant,
    pub(crate) slots: BTreeMap<SlotName, Slot>,
    /// Where credentials go: a connector may set none of these itself.
    pub(crate) reserved: Vec<Placement>,
    pub(crate) redactor: Redactor,
    pub(crate) addresses: AddressBook,
    pub(crate) pace: Option<Pace>,
    pub(crate) retry: Retry,
    pub(crate) client: reqwest::Client,
    pub(crate) drop_directory: Option<DropDirectory>,
    pub(crate) seal: Seal,
    /// What the operator allows, and the configuration that fills in patterns: for what is asked for later than requests.
    pub(crate) operator: OperatorGrant,
    pub(crate) config: serde_json::Value,
    pub(crate) socket_tls: Arc<rustls::ClientConfig>,
}

impl Connection {
    pub(crate) fn new(parts: Parts) -> Self {
        let places = Semaphore::new(parts.limits.parallel_max.max(1) as usize);
        Self { parts, places }
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.parts.tenant
    }

    /// Takes every live secret of this connection out of a text (raw, JSON, base64, hex, percent-encoded). Secrets of fewer
    /// than 6 bytes are not looked for.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.parts.redactor.redact_text(text.to_owned())
    }

    /// As [`Connection::redact`], for bytes: the same ones, uncopied, when no secret is in them.
    #[must_use]
    pub fn redact_bytes(&self, bytes: Bytes) -> Bytes {
        self.parts.redactor.redact_body(bytes)
    }

    /// The slot whose live secret stands in these bytes, in any of the forms that [`Connection::redact`] knows.
    #[must_use]
    pub fn secret_in(&self, bytes: &[u8]) -> Option<SlotName> {
        self.parts.redactor.slot_in(bytes)
    }

    /// Cryptography with the keys of this connection's slots.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.parts.seal
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("tenant", &self.parts.tenant)
            .field("name", &self.parts.name)
            .finish_non_exhaustive()
    }
}
