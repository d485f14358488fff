//! From a URL that the vendor gave to an open WebSocket. The address that was checked is the address that is connected to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use renmen_origin::Origin;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use url::Url;

use crate::grant::Grant;
use crate::resolve::ResolveError;
use crate::target::Target;
use crate::{Connection, EgressError};

/// Each address of a name gets so long; a shorter `request_timeout` goes before.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// The origin of a WebSocket's URL: that of the http URL that it would be.
///
/// # Errors
/// [`EgressError::BadRequest`] for any other URL; it is not repeated, because it carries a ticket.
pub(super) fn origin_of(url: &Url) -> Result<Origin, EgressError> {
    let bad = |what: &str| EgressError::BadRequest(format!("the vendor named an event connection {what}"));
    let tls = match url.scheme() {
        "wss" => true,
        "ws" => false,
        _ => return Err(bad("that is neither wss nor ws")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("with a user before its host"));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad("without a host"))?;
    let port = url.port_or_known_default().ok_or_else(|| bad("without a port"))?;
    Ok(Origin { tls, host: host.trim_end_matches('.').to_ascii_lowercase(), port })
}

impl Connection {
    pub(super) async fn connect_to(
        &self,
        grant: &Grant,
        url: Url,
        origin: Origin,
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, EgressError> {
        grant.check(&Method::GET, &Target::Http { url: url.clone(), origin: origin.clone() })?;
        let limits = &self.parts.limits;
        let bytes_max = usize::try_from(limits.response_bytes_max).unwrap_or(usize::MAX);
        let config = WebSocketConfig::default().max_message_size(Some(bytes_max)).max_frame_size(Some(bytes_max));
        let connector = match origin.tls {
            true => Connector::Rustls(Arc::clone(&self.parts.socket_tls)),
            false => Connector::Plain,
        };
        let open = async {
            let tcp = self.dial(&origin).await?;
            let shaken = client_async_tls_with_config(url.as_str(), tcp, Some(config), Some(connector)).await;
            shaken.map_err(|error| {
                EgressError::Unavailable(format!("{origin} opens no event connection: {}", plain(&error)))
            })
        };
        let opened = tokio::time::timeout(limits.request_timeout, open).await;
        opened
            .unwrap_or_else(|_| {
                let ms = limits.request_timeout.as_millis();
                Err(EgressError::Unavailable(format!(
                    "{origin} did not open an event connection within {ms} ms (request_timeout)"
                )))
            })
            .map(|(wire, _)| wire)
    }

    /// A connection to one of the checked addresses.
    async fn dial(&self, origin: &Origin) -> Result<TcpStream, EgressError> {
        let addresses = self.parts.addresses.resolve(&origin.host).await.map_err(|error| match error {
            refused @ ResolveError::Refused { .. } => EgressError::NotGranted(refused.to_string()),
            unknown @ ResolveError::Unknown { .. } => EgressError::Unavailable(unknown.to_string()),
        })?;
        let mut why = "it has no address".to_owned();
        for address in addresses.iter() {
            let made = TcpStream::connect(SocketAddr::new(*address, origin.port));
            match tokio::time::timeout(CONNECT_TIMEOUT_MAX, made).await {
                Ok(Ok(tcp)) => {
                    // Answers are small and wait for nothing.
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Ok(Err(error)) => why = error.kind().to_string(),
                Err(_) => why = "timed out".to_owned(),
            }
        }
        Err(EgressError::Unavailable(format!("connecting to {origin}: {why}")))
    }
}

/// What went wrong, without the URL, headers or bytes that the error itself may quote.
pub(super) fn plain(error: &WsError) -> String {
    match error {
        WsError::Io(io) => io.kind().to_string(),
        WsError::Tls(_) => "TLS failed: the certificate is not accepted, or the host does not speak TLS".to_owned(),
        WsError::Http(response) => format!("status {} where a WebSocket was expected", response.status().as_u16()),
        WsError::ConnectionClosed | WsError::AlreadyClosed => "it was closed".to_owned(),
        WsError::Protocol(broken) => format!("not as RFC 6455 says: {broken}"),
        _ => "the other side does not speak WebSocket".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_websocket_has_the_origin_of_its_http_twin() {
        let origin = |text: &str| origin_of(&Url::parse(text).unwrap()).map(|o| o.to_string());
        assert_eq!(origin("wss://Wss.example.com:443/connect?ticket=t").unwrap(), "https://wss.example.com");
        assert_eq!(origin("ws://127.0.0.1:9/x").unwrap(), "http://127.0.0.1:9");
        for bad in ["https://a.test/", "wss://user:pass@a.test/", "ftp://a.test/"] {
            let error = origin(bad).unwrap_err().to_string();
            assert!(!error.contains("a.test"), "{error}");
        }
    }
}
