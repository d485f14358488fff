//! Where a connection for events is opened. Traits, so that the loop can be tested without a network.

use async_trait::async_trait;
use renmen_egress::{Connection, EgressError, EventSocket, EventVerdict, SocketEvent};
use renmen_schema::manifest::EventSocketManifest;

use std::sync::Arc;

/// Opens connections on which a vendor sends its events: see [`Puller::events`](crate::Puller::events).
#[async_trait]
pub trait EventDoor: Send + Sync {
    /// Opens one.
    ///
    /// # Errors
    /// [`EgressError`].
    async fn open(&self) -> Result<Box<dyn EventSource>, EgressError>;
}

/// An open connection.
#[async_trait]
pub trait EventSource: Send {
    /// The next event; none when the vendor wants another connection. Safe to be dropped while it waits.
    ///
    /// # Errors
    /// [`EgressError`] when it broke.
    async fn next(&mut self) -> Result<Option<SocketEvent>, EgressError>;
    /// What became of an event.
    ///
    /// # Errors
    /// [`EgressError`] when it broke.
    async fn answer(&mut self, event: &SocketEvent, verdict: EventVerdict, answer: &[u8]) -> Result<(), EgressError>;
    /// Says goodbye.
    async fn close(self: Box<Self>);
}

/// The way out of a connection, with what its manifest says about events.
pub(crate) struct Way {
    pub(crate) egress: Arc<Connection>,
    pub(crate) wish: EventSocketManifest,
}

#[async_trait]
impl EventDoor for Way {
    async fn open(&self) -> Result<Box<dyn EventSource>, EgressError> {
        Ok(Box::new(self.egress.open_events(&self.wish).await?))
    }
}

#[async_trait]
impl EventSource for EventSocket {
    async fn next(&mut self) -> Result<Option<SocketEvent>, EgressError> {
        EventSocket::next(self).await
    }

    async fn answer(&mut self, event: &SocketEvent, verdict: EventVerdict, answer: &[u8]) -> Result<(), EgressError> {
        EventSocket::answer(self, event, verdict, answer).await
    }

    async fn close(self: Box<Self>) {
        EventSocket::close(*self).await;
    }
}
