//! What the API asks of the part that takes deliveries in. As [`Control`](crate::Control), the API owns this trait, and
//! the binary implements it: how a delivery is proved, kept and answered is not known here.

use async_trait::async_trait;
use axum::body::Bytes;
use renmen_schema::id::ConnectionName;

use crate::sender::Sender;

/// Who takes deliveries in.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// The most bytes that a delivery to this connection may have; none when no connection of this name takes any.
    fn body_bytes_max(&self, connection: &ConnectionName) -> Option<usize>;

    /// Which gateways take the deliveries to a connection that other gateways serve, for people; none for any other.
    fn elsewhere(&self, _connection: &ConnectionName) -> Option<String> {
        None
    }

    /// Reserves the memory that taking in a delivery of so many bytes needs; given back when the answer is dropped.
    ///
    /// # Errors
    /// [`HookRefusal::Unavailable`] when there is not enough memory now.
    fn reserve(&self, bytes: u64) -> Result<Box<dyn Send>, HookRefusal>;

    /// Takes one in. What it answers may be sent: the delivery is durable then.
    ///
    /// # Errors
    /// [`HookRefusal`]: nothing was kept, unless it says otherwise.
    async fn take_in(&self, connection: &ConnectionName, delivery: HookDelivery) -> Result<HookAnswer, HookRefusal>;
}

/// A vendor's request.
#[derive(Clone)]
pub struct HookDelivery {
    /// Who sent it, as far as that is known: forged ones are held against their sender.
    pub sender: Sender,
    /// `POST` or `GET`.
    pub method: String,
    /// What follows `/hooks/NAME`, with its query.
    pub path_and_query: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// As it came, not decompressed.
    pub body: Bytes,
}

/// What to answer.
#[derive(Clone)]
pub struct HookAnswer {
    /// HTTP status.
    pub status: u16,
    /// Those that may leave are sent.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

/// Why a delivery was not taken in. The sender learns no more than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookRefusal {
    /// No connection of this name takes deliveries.
    Unknown,
    /// The body is too large.
    TooLarge,
    /// Too many a second.
    TooMany,
    /// It is not the vendor's, or too old.
    Forged,
    /// The connector cannot read it.
    Unreadable,
    /// It is the vendor's and was kept, but the connector cannot use it.
    Unusable,
    /// Not done in time.
    Late,
    /// The store is away.
    Unavailable,
    /// A fault of the connector or the gateway.
    Failed(String),
}
