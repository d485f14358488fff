//! Step 10: one attempt on the wire. Owns time and size limits and the meaning of what went wrong; it knows nothing of grants,
//! slots or repeating. Error texts hold no URL, header or body.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use url::Url;

use crate::EgressError;
use crate::memory::{CallMemory, Room};
use crate::resolve::ResolveError;

/// The room made at once for a body whose length the vendor states; a longer one grows as it comes.
const ROOM_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A request with everything in it.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Decompressed.
    pub(crate) body: Bytes,
}

/// An attempt without an answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No other attempt would end otherwise.
    Final(EgressError),
    /// The vendor cannot have seen the request.
    NotSent(String),
    /// The vendor may have acted on the request.
    Lost(String),
}

/// The limits of one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    /// From the first step to the last byte.
    pub(crate) timeout: Duration,
    /// Of the body, after decompression.
    pub(crate) body_bytes_max: u64,
    /// What a longer body means.
    pub(crate) beyond: Beyond,
}

/// What becomes of a body that goes on beyond its cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// The answer is unusable: half of it could be taken for the whole.
    Refuse,
    /// Its status is what counts; the rest of the body is not read. A body in an encoding that was not asked for is not read
    /// at all.
    Cut,
}

/// A way out with its own limits and retries, for requests that the host makes for itself.
#[async_trait::async_trait]
pub(crate) trait WayOut: Send + Sync {
    /// Sends, again if need be, and reads the whole answer.
    ///
    /// # Errors
    /// What is left when the retries are used up.
    async fn send(&self, outgoing: Outgoing) -> Result<Answer, EgressError>;
}

/// Sends once and reads the whole answer into memory that is reserved in `memory` before it is filled.
///
/// # Errors
/// [`Fault`], by what may be done about it.
pub(crate) async fn exchange(
    client: &reqwest::Client,
    outgoing: Outgoing,
    caps: Caps,
    memory: &Arc<CallMemory>,
) -> Result<Answer, Fault> {
    let mut request = client.request(outgoing.method, outgoing.url).headers(outgoing.headers);
    if let Some(body) = outgoing.body {
        request = request.body(body);
    }
    let whole = async {
        let response = request.send().await.map_err(|e| fault_of(&e))?;
        match caps.beyond {
            Beyond::Refuse => read(response, caps.body_bytes_max, memory.room()).await,
            Beyond::Cut => read_beginning(response, caps.body_bytes_max, memory.room()).await,
        }
    };
    tokio::time::timeout(caps.timeout, whole).await.unwrap_or_else(|_| {
        let limit = caps.timeout.as_millis();
        Err(Fault::Lost(format!("no complete answer within {limit} ms (request_timeout)")))
    })
}

async fn read(mut response: reqwest::Response, bytes_max: u64, mut room: Room) -> Result<Answer, Fault> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    // Only gzip is asked for, and it is taken off. Anything else could hide a secret from the redactor.
    if let Some(encoding) =
        headers.get(http::header::CONTENT_ENCODING).filter(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        let encoding: String = String::from_utf8_lossy(encoding.as_bytes()).chars().take(40).collect();
        return Err(Fault::Final(EgressError::Unavailable(format!(
            "the answer comes in encoding `{encoding}`, which was not asked for"
        ))));
    }
    let stated = response.content_length().unwrap_or(0);
    if stated > bytes_max {
        return Err(too_large(&format!("the answer has {stated} bytes"), bytes_max));
    }
    let head = head_bytes(&headers);
    room.fit(head + stated).await.map_err(Fault::Final)?;
    let Some(first) = response.chunk().await.map_err(|e| fault_of(&e))? else {
        return Ok(whole(status, headers, Bytes::new(), room));
    };
    grow(&mut room, head, first.len(), bytes_max).await?;
    let Some(second) = response.chunk().await.map_err(|e| fault_of(&e))? else {
        return Ok(whole(status, headers, first, room));
    };
    grow(&mut room, head, first.len() + second.len(), bytes_max).await?;
    let capacity = usize::try_from(stated.min(ROOM_BYTES_MAX)).unwrap_or(0).max(first.len() + second.len());
    let mut body = BytesMut::with_capacity(capacity);
    body.extend_from_slice(&first);
    body.extend_from_slice(&second);
    while let Some(chunk) = response.chunk().await.map_err(|e| fault_of(&e))? {
        grow(&mut room, head, body.len() + chunk.len(), bytes_max).await?;
        body.extend_from_slice(&chunk);
    }
    Ok(whole(status, headers, body.freeze(), room))
}

/// Before a body of so many bytes is put together: within its cap, and within what can be reserved.
async fn grow(room: &mut Room, head: u64, body: usize, bytes_max: u64) -> Result<(), Fault> {
    check_size(body, bytes_max)?;
    room.fit_more(head + body as u64).await.map_err(Fault::Final)
}

fn whole(status: u16, headers: HeaderMap, body: Bytes, room: Room) -> Answer {
    room.keep(head_bytes(&headers) + body.len() as u64);
    Answer { status, headers, body }
}

fn head_bytes(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len()) as u64).sum()
}

/// Reads until the cap is full; what is then unread goes with the connection.
async fn read_beginning(mut response: reqwest::Response, bytes_max: u64, mut reserved: Room) -> Result<Answer, Fault> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let room = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let mut body = BytesMut::new();
    let plain =
        headers.get(http::header::CONTENT_ENCODING).is_none_or(|e| e.as_bytes().eq_ignore_ascii_case(b"identity"));
    while plain && body.len() < room {
        let Some(chunk) = response.chunk().await.map_err(|e| fault_of(&e))? else { break };
        let wanted = chunk.len().min(room - body.len());
        reserved.fit(head_bytes(&headers) + (body.len() + wanted) as u64).await.map_err(Fault::Final)?;
        body.extend_from_slice(&chunk[..wanted]);
    }
    Ok(whole(status, headers, body.freeze(), reserved))
}

fn check_size(have: usize, bytes_max: u64) -> Result<(), Fault> {
    if have as u64 > bytes_max { Err(too_large("the answer goes on", bytes_max)) } else { Ok(()) }
}

fn too_large(seen: &str, bytes_max: u64) -> Fault {
    Fault::Final(EgressError::Limit {
        limit: "response_bytes_max",
        message: format!("{seen}, {bytes_max} bytes are allowed; ask for smaller pages or raise the limit"),
    })
}

/// What an error of the HTTP stack means. Its own text names the URL, so that text is never used.
fn fault_of(error: &reqwest::Error) -> Fault {
    let causes = causes(error);
    for cause in &causes {
        if let Some(refused @ ResolveError::Refused { .. }) = cause.downcast_ref::<ResolveError>() {
            return Fault::Final(EgressError::NotGranted(refused.to_string()));
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return tls_fault(tls);
        }
    }
    let reason = causes.iter().rev().find_map(|cause| plain_reason(*cause));
    if error.is_connect() {
        let reason = reason.unwrap_or_else(|| if error.is_timeout() { "timed out".into() } else { "failed".into() });
        return Fault::NotSent(format!("connecting: {reason}"));
    }
    if error.is_builder() {
        return Fault::Final(EgressError::BadRequest(
            "the HTTP stack cannot send this request; check its URL and headers".into(),
        ));
    }
    let reason = reason.unwrap_or_else(|| "the connection ended before the answer was complete".into());
    let when = if error.is_body() || error.is_decode() { "reading the answer" } else { "waiting for the answer" };
    Fault::Lost(format!("{when}: {reason}"))
}

/// A certificate that does not convince stays so; anything else in the handshake may be a connection that broke.
fn tls_fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(why) => Fault::Final(EgressError::Unavailable(format!(
            "TLS: the certificate is not accepted: {why:?}; nothing was sent"
        ))),
        rustls::Error::InvalidMessage(_) => {
            Fault::Final(EgressError::Unavailable("TLS: the host does not speak TLS on this port".into()))
        }
        other => Fault::NotSent(format!("TLS: {other}")),
    }
}

/// A cause that says something without naming what was sent.
fn plain_reason(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(resolve) = cause.downcast_ref::<ResolveError>() {
        return Some(resolve.to_string());
    }
    cause.downcast_ref::<std::io::Error>().map(|io| match io.kind() {
        std::io::ErrorKind::Other | std::io::ErrorKind::InvalidData => "the answer is damaged".to_owned(),
        kind => kind.to_string(),
    })
}

/// The error and everything under it; an `io::Error` hides what it wraps from `source`.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut found: Vec<&'e (dyn Error + 'static)> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next.filter(|_| found.len() < 32) {
        found.push(cause);
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        };
    }
    found
}
