//! A WebSocket on which a vendor sends its events. Owns the way there, which is that of every request: the grant, the slot's
//! audience, the address rules, the connection's rate, TLS with the same roots, the caps; and the life of the connection:
//! keep-alive and the sign that it is dead. What is said on it is data of the manifest ([`open_call`], [`frame`]). It must not know
//! any vendor, what an event means or where it is kept.

mod connect;
mod frame;
mod open_call;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::Method;
use renmen_origin::{Origin, config_text};
use renmen_schema::manifest::{EventSocketManifest, HttpWish};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, error::CapacityError};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use url::Url;

use crate::credential::Slot;
use crate::grant::Grant;
use crate::redactor::Redactor;
use crate::target::Target;
use crate::template::fill;
use crate::{Connection, EgressError};
use frame::{Frame, answer_to, frame_of};

/// A connection on which nothing came for so long is asked whether it lives. As the vendor's own client does.
const QUIET: Duration = Duration::from_secs(60);
/// How long it may take to answer, and how long anything may take to be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// One event as it came.
#[derive(Debug, Clone)]
pub struct SocketEvent {
    /// What the vendor says about it: type, id, time.
    pub headers: Vec<(String, String)>,
    /// What it carries.
    pub body: Bytes,
    /// By which it is answered.
    message_id: String,
}

impl SocketEvent {
    /// An event by its parts: for tests of what comes after.
    #[must_use]
    pub fn new(headers: Vec<(String, String)>, body: impl Into<Bytes>, message_id: impl Into<String>) -> Self {
        Self { headers, body: body.into(), message_id: message_id.into() }
    }
}

/// What a vendor is told about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventVerdict {
    /// It is kept: never send it again.
    Taken,
    /// It could not be kept: send it again.
    Later,
    /// It can never be taken: do not send it again.
    Refused,
}

/// An open connection. It ends when it is dropped.
pub struct EventSocket {
    wire: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What is said on it, and how it is answered.
    spoken: EventSocketManifest,
    quiet: Duration,
    patience: Duration,
    bytes_max: u64,
    redactor: Arc<Redactor>,
}

impl std::fmt::Debug for EventSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSocket").finish_non_exhaustive()
    }
}

impl Connection {
    /// Asks the vendor for a connection and opens it.
    ///
    /// # Errors
    /// [`EgressError`] as for any request; also [`EgressError::Unavailable`] when the answer is not a WebSocket.
    pub async fn open_events(&self, wish: &EventSocketManifest) -> Result<EventSocket, EgressError> {
        let (grant, slot, open_url) = self.event_way(wish)?;
        let url = open_call::ask(self, slot, open_url, &wish.open).await?;
        let origin = connect::origin_of(&url)?;
        // It carries the ticket that the secret was given for. The manifest's word for that are the socket's own hosts.
        slot.check_to(&origin)?;
        tracing::info!(tenant = %self.parts.tenant, connection = %self.parts.name, slot = %slot.name, %origin, "Opening an event connection");
        let wire = self.connect_to(&grant, url, origin).await?;
        let redactor = Arc::clone(&self.parts.redactor);
        let bytes_max = self.parts.limits.response_bytes_max;
        Ok(EventSocket { wire, spoken: wish.clone(), quiet: QUIET, patience: PATIENCE, bytes_max, redactor })
    }

    /// The way to where a connection is asked for, checked: the grant of the socket, the slot that opens it, the URL.
    pub(crate) fn event_way(&self, wish: &EventSocketManifest) -> Result<(Grant, &Slot, Url), EgressError> {
        let hosts =
            HttpWish { hosts: wish.hosts.clone(), methods: vec!["GET".into(), "POST".into()], ..HttpWish::default() };
        let grant = Grant::new(&hosts, &self.parts.operator, &self.parts.config)?;
        let slot = self.parts.slots.get(&wish.slot);
        let slot = slot.ok_or_else(|| EgressError::NotGranted(format!("the manifest has no slot `{}`", wish.slot)))?;
        let bad = |why: String| EgressError::BadRequest(format!("webhook.socket.open_url: {why}"));
        let text = fill(&wish.open_url, |key| config_text(&self.parts.config, key))
            .map_err(|key| bad(format!("configuration key `{key}` is not set to a text")))?;
        let url = Url::parse(&text).map_err(|e| bad(e.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("put user and password into the slot, not into the URL".into()));
        }
        let origin = Origin::of(&url).ok_or_else(|| bad("not an http(s) URL".into()))?;
        grant.check(&Method::POST, &Target::Http { url: url.clone(), origin: origin.clone() })?;
        slot.check_audience(&origin)?;
        Ok((grant, slot, url))
    }
}

impl EventSocket {
    /// The next event; `None` when the vendor wants to be asked for a new connection, which is not an error. Messages
    /// that belong to the protocol alone are answered here. Safe to drop while it waits.
    ///
    /// # Errors
    /// [`EgressError::Unavailable`] when the connection broke or went dead; [`EgressError::Limit`] for a message over
    /// `response_bytes_max`.
    pub async fn next(&mut self) -> Result<Option<SocketEvent>, EgressError> {
        loop {
            let Some(text) = self.text().await? else { return Ok(None) };
            match frame_of(&text, &self.spoken) {
                Some(Frame::Event(event)) => return Ok(Some(self.reveal(event).await)),
                Some(Frame::Control(answer)) => self.write(Message::text(answer)).await?,
                Some(Frame::Goodbye(answer)) => {
                    // The connection is given up either way.
                    let _ = self.write(Message::text(answer)).await;
                    return Ok(None);
                }
                None => tracing::warn!(
                    bytes = text.len(),
                    "The vendor sent a text that its manifest does not describe: left unanswered"
                ),
            }
        }
    }

    /// What the connector gets to see: the connection was opened with a slot's secret, so the vendor may repeat it.
    async fn reveal(&self, event: SocketEvent) -> SocketEvent {
        let SocketEvent { headers, body, message_id } = event;
        let headers =
            headers.into_iter().filter_map(|(name, value)| self.redactor.redact_header(name, value)).collect();
        SocketEvent { headers, body: self.redactor.redact_answer_aside(body).await, message_id }
    }

    /// Tells the vendor what became of an event. `answer` is what the connector says to it.
    ///
    /// # Errors
    /// [`EgressError::Unavailable`] when the connection broke: the vendor will send the event again.
    pub async fn answer(
        &mut self,
        event: &SocketEvent,
        verdict: EventVerdict,
        answer: &[u8],
    ) -> Result<(), EgressError> {
        self.write(Message::text(answer_to(event, verdict, answer, &self.spoken))).await
    }

    /// Says goodbye. Errors are ignored: the connection is given up either way.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(self.patience, self.wire.close(None)).await;
    }

    /// The next text; none when the other side closed the connection in good order.
    async fn text(&mut self) -> Result<Option<String>, EgressError> {
        let mut asked = false;
        loop {
            let wait = if asked { self.patience } else { self.quiet };
            let Ok(came) = tokio::time::timeout(wait, self.wire.next()).await else {
                if asked {
                    return Err(EgressError::Unavailable("the event connection is dead: no answer to a ping".into()));
                }
                self.write(Message::Ping(Bytes::new())).await?;
                asked = true;
                continue;
            };
            asked = false;
            match came {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.fault(&error)),
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), EgressError> {
        match tokio::time::timeout(self.patience, self.wire.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.fault(&error)),
            Err(_) => Err(EgressError::Unavailable("the event connection is dead: nothing can be written".into())),
        }
    }

    fn fault(&self, error: &WsError) -> EgressError {
        match error {
            WsError::Capacity(CapacityError::MessageTooLong { size, .. }) => EgressError::Limit {
                limit: "response_bytes_max",
                message: format!("a message on the event connection has {size} bytes, {} are allowed", self.bytes_max),
            },
            other => EgressError::Unavailable(format!("the event connection broke: {}", connect::plain(other))),
        }
    }
}
