//! How the simulators reach a gateway: one request on a connection of its own, over plain HTTP to loopback, no redirects.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// An answer: status and body. A body that comes in chunks contains the lengths of the chunks.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Sends a request with a JSON body, or with one of the kind that `headers` name.
///
/// # Errors
/// When the URL is not on loopback, nothing answers in time, or the answer is not HTTP.
pub async fn ask(
    method: &str,
    url: &str,
    headers: &[(&str, String)],
    body: &str,
    within: Duration,
) -> anyhow::Result<Answer> {
    tokio::time::timeout(within, exchange(method, url, headers, body)).await.context("no answer in time")?
}

async fn exchange(method: &str, url: &str, headers: &[(&str, String)], body: &str) -> anyhow::Result<Answer> {
    let rest = url.strip_prefix("http://").context("plain http to loopback alone")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !host.starts_with("127.0.0.1:") {
        bail!("a simulator speaks to loopback alone");
    }
    let mut stream = TcpStream::connect(host).await.context("no program listens there")?;
    let mut request =
        format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if headers.iter().all(|(name, _)| *name != "content-type") {
        request.push_str("content-type: application/json\r\n");
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no HTTP answer")?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok(Answer { status, body })
}
