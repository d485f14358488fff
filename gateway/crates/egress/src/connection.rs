//! One connection's way out: what it holds between requests. What happens to a request is in `send`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::Placement;

use crate::budget::Budget;
use crate::credential::Slot;
use crate::drop_directory::DropDirectory;
use crate::grant::Grant;
use crate::memory::Share;
use crate::parallel::Parallel;
use crate::rate::Pace;
use crate::redactor::Redactor;
use crate::resolve::AddressBook;
use crate::retry::Retry;
use crate::seal::Seal;
use crate::secrecy::FoundSecret;
use crate::{ClockMs, EgressLimits, LineBudget, OperatorGrant, Scanner, Sighting};

/// One connection's way out. Made by [`crate::Egress::connect`].
pub struct Connection {
    pub(crate) parts: Parts,
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
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) guest_lines: LineBudget,
    pub(crate) refusal_lines: LineBudget,
    /// Where the memory for its answers is reserved.
    pub(crate) memory: Share,
    pub(crate) addresses: AddressBook,
    pub(crate) pace: Option<Arc<Pace>>,
    pub(crate) parallel: Arc<Parallel>,
    pub(crate) budget: Option<Arc<Budget>>,
    pub(crate) retry: Retry,
    pub(crate) client: reqwest::Client,
    pub(crate) drop_directory: Option<DropDirectory>,
    pub(crate) seal: Seal,
    /// What the operator allows, and the configuration that fills in patterns: for what is asked for later than requests.
    pub(crate) operator: OperatorGrant,
    pub(crate) config: serde_json::Value,
    /// By which requests are signed.
    pub(crate) clock: ClockMs,
    pub(crate) socket_tls: Arc<rustls::ClientConfig>,
}

impl Connection {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// The tenant that owns the connection.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.parts.tenant
    }

    /// Takes every live secret of this connection out of a text for people, in every form that is looked for (docs/security.md
    /// lists them), with its pieces. Secrets of fewer than 6 bytes are not looked for.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.parts.redactor.redact_text(text.to_owned())
    }

    /// As [`Connection::redact`], for bytes that are kept and that the connector does not get to see: the same ones, uncopied,
    /// when no secret is in them.
    #[must_use]
    pub fn redact_bytes(&self, bytes: Bytes) -> Bytes {
        self.parts.redactor.redact_kept(bytes)
    }

    /// The live secret that these bytes contain, if any. For outputs whose outcome the connector can see (a cursor, a
    /// receipt, an answer): a search for every piece of a secret would let the connector guess it piece by piece.
    #[must_use]
    pub fn secret_in(&self, bytes: &[u8]) -> Option<FoundSecret> {
        self.parts.redactor.find(bytes)
    }

    /// As [`Connection::secret_in`], for outputs that the connector hears nothing more about: records and rejects.
    /// Finds shorter pieces.
    #[must_use]
    pub fn scanner(&self) -> Scanner<'_> {
        self.parts.redactor.scanner()
    }

    /// Where secrets of this connection turned up since it was made.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        self.parts.redactor.sightings()
    }

    /// How many lines the connector may still write to the log.
    #[must_use]
    pub fn guest_lines(&self) -> &LineBudget {
        &self.parts.guest_lines
    }

    /// The connection's configuration.
    #[must_use]
    pub fn config(&self) -> &serde_json::Value {
        &self.parts.config
    }

    /// Where memory for this connection is reserved.
    #[must_use]
    pub fn memory(&self) -> &Share {
        &self.parts.memory
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
