//! The only HTTP, WebSocket, mail and Kafka client of the gateway: everything that is sent outside goes through here, and so
//! do the connections on which a vendor sends events.
//!
//! What it owns: the grant (what the manifest wishes AND the operator allows), the address rules, the credentials on their
//! way from a slot to a request, the rate, the retries, the caps, the recording of exchanges, and the cryptography with
//! slot keys. What it must not know: plugins, pages, records, the store. A connector names a slot; it never sees what is in it.
//!
//! The path of a request, each step a function with its tests next to it, in the order of [`Connection::send`]:
//!
//! 1. `target`: parse and normalise the URL;
//! 2. `grant`: origin and method;
//! 3. `headers`: refuse what only the host may set;
//! 4. `redactor`: refuse what carries a secret (what that is and how it is found: `secrecy`);
//! 5. the [`Tape`]: answer from what is already known, or was fetched ahead (`prefetch`);
//! 6. `budget`: count it in the month's calls; `rate`: wait for the connection's turn;
//! 7. `resolve`: resolve the name and check every address (`address`);
//! 8. `token`: get the credential, one fetch at a time for each slot (the values of a recipe's texts, and signing: `recipe`);
//! 9. `credential`: put it in its place;
//! 10. `wire`: send without redirects, read within the cap and into reserved `memory` (`retry` around 6 to 10, `redirect`
//!     around all);
//! 11. `headers`, `redactor`: take cookies and live secrets out of the answer;
//! 12. record, and one line for the audit.
//!
//! Four more ways out for the gateway's own messages, with the same addresses and caps: `once` sends one HTTP request for a
//! caller that keeps its own times for repeating (outgoing events, text messages), `object` puts files into an
//! S3-compatible storage by such requests, `mail` speaks SMTP, and `kafka` writes into topics.

mod address;
mod budget;
mod client;
mod connection;
mod credential;
mod drop_directory;
mod error;
mod event_socket;
mod exchange;
mod grant;
mod headers;
mod kafka;
mod lines;
mod mail;
mod memory;
mod object;
mod once;
mod pack;
mod parallel;
mod prefetch;
mod rate;
mod reach;
mod recipe;
mod redactor;
mod redirect;
mod resolve;
mod retry;
mod seal;
mod secrecy;
mod send;
mod shown;
mod spec;
mod tape;
mod target;
mod template;
mod token;
mod wire;
mod wish;

pub use address::{metadata_addresses, not_public};
pub use budget::{Budget, BudgetFigures, ClockMs};
pub use client::{Egress, EgressOptions};
pub use connection::Connection;
pub use error::EgressError;
pub use event_socket::{EventSocket, EventVerdict, SocketEvent};
pub use exchange::{Exchange, Request, RequestKey, Response};
pub use kafka::{KafkaError, KafkaMechanism, KafkaProducer, KafkaReceipt, KafkaRecord, KafkaSpec};
pub use lines::{LineBudget, LineVerdict};
pub use mail::{Mail, MailError, MailReceipt, MailSecurity, MailSpec, Mailer};
pub use memory::{
    CallMemory, GATEWAY_MEMORY, Held, MEMORY_BYTES_DEFAULT, MemoryBudget, MemoryFigures, NoMemory, Room, Share,
};
pub use object::ObjectStore;
pub use once::Reply;
pub use pack::{UNPACKED_BYTES_MAX, UnpackError, body_at, pack, unpack, unpack_within, unpacked_bytes};
pub use parallel::{PlacesGrant, PlacesWanted, SharedPlaces};
pub use prefetch::{PrefetchFigures, Prefetcher};
pub use rate::{RateReservation, SharedRate};
pub use reach::{Reach, SlotReach, SocketReach};
pub use redactor::{Scanner, Sighting, SightingPlace};
pub use resolve::{Lookup, SystemLookup};
pub use seal::{Incoming, NONCE_CHARS, Proved, SEAL_PARTS_MAX, Seal, Signing};
pub use secrecy::{FoundSecret, SecretFinder};
pub use spec::{ConnectionSpec, EgressLimits, LogLimits, OperatorGrant, SlotSpec};
pub use tape::{NoTape, Tape};
pub use token::{HeldRefresh, RefreshInMemory, RefreshTokens, SlotOf};
pub use wish::host_faults;
