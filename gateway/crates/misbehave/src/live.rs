//! Another server on this machine as a source: one request, one connection, nothing kept.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::answer::{Answer, Content};
use crate::ask::Ask;

/// The most bytes of an answer that is passed on.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    address: SocketAddr,
    /// What stands before every path.
    prefix: String,
}

impl Upstream {
    pub(crate) fn new(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (place, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let place = place.strip_prefix("localhost").map_or_else(|| place.to_owned(), |port| format!("127.0.0.1{port}"));
        let address: SocketAddr = place.parse().ok()?;
        address.ip().is_loopback().then(|| Self { address, prefix: prefix.trim_end_matches('/').to_owned() })
    }

    /// The server's answer; 502 with the reason where there is none.
    pub(crate) async fn answer(&self, ask: &Ask) -> Answer {
        match self.fetch(ask).await {
            Ok(answer) => answer,
            Err(reason) => Answer::text(502, "text/plain", &format!("{} does not answer: {reason}\n", self.address)),
        }
    }

    async fn fetch(&self, ask: &Ask) -> Result<Answer, String> {
        let stream = TcpStream::connect(self.address).await.map_err(|e| e.to_string())?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        tokio::spawn(connection);
        let uri = format!("{}{}{}", self.prefix, ask.path, ask.raw_query);
        let mut request =
            http::Request::builder().method(ask.method.as_str()).uri(uri).header("host", self.address.to_string());
        for (name, value) in ask.headers.iter().filter(|(name, _)| !is_of_one_hop(name)) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(ask.body.clone())).map_err(|e| e.to_string())?;
        let (head, body) = sender.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|e| e.to_string())?.to_bytes();
        let is_json = head
            .headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.contains("json"));
        let content = match serde_json::from_slice(&body) {
            Ok(body) if is_json => Content::Json { body, list: None, next: None },
            _ => Content::Bytes(body),
        };
        let mut answer = Answer::of(head.status.as_u16(), content);
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let kept = head.headers.iter().filter(|(name, _)| !is_of_one_hop(name.as_str()));
        answer.headers = kept.map(|(name, value)| (name.to_string(), text(value))).collect();
        Ok(answer)
    }
}

/// Headers that belong to one connection; compression is left out so that bodies can be changed.
fn is_of_one_hop(name: &str) -> bool {
    ["host", "connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding", "te", "upgrade"]
        .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        assert!(Upstream::new("http://127.0.0.1:80/v1/").is_some_and(|upstream| upstream.prefix == "/v1"));
        assert!(Upstream::new("http://[::1]:80").is_some() && Upstream::new("http://localhost:80").is_some());
        for elsewhere in
            ["https://127.0.0.1:80", "http://10.0.0.1:80", "http://example.test:80", "http://127.0.0.1", "localhost:80"]
        {
            assert_eq!(Upstream::new(elsewhere), None, "{elsewhere}");
        }
    }
}
