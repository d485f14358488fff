//! A vendor on loopback: small enough to be seen through, and it counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::heavy;

/// Answers any request by its path; stops when the runtime does.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
    /// Told whenever a request arrived that is never answered.
    pub(crate) waiting: Arc<Notify>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests, waiting) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counter, told) = (requests.clone(), waiting.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, counter.clone(), told.clone()));
            }
        });
        Self { url, requests, waiting }
    }

    /// How many requests arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// One request after the other on one connection; the bodies of requests are small and arrive with their head or are
/// counted by `content-length`.
async fn serve(mut stream: TcpStream, requests: Arc<AtomicUsize>, waiting: Arc<Notify>) {
    let mut buffer = Vec::new();
    loop {
        let Some(path) = next_request(&mut stream, &mut buffer).await else { return };
        requests.fetch_add(1, Ordering::SeqCst);
        if path == "/never" {
            waiting.notify_one();
            std::future::pending::<()>().await;
        }
        if path.starts_with("/heavy") {
            if heavy::answer(&mut stream, &path).await.is_err() {
                return;
            }
            continue;
        }
        let body = match path.as_str() {
            "/mebibyte" => "m".repeat(1 << 20),
            other => format!(r#"{{"path":"{other}"}}"#),
        };
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(body.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The path of the next request, its body skipped; none when the client is gone.
async fn next_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if buffer.len() >= whole {
                buffer.drain(..whole);
                return head.split(' ').nth(1).map(str::to_owned);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => buffer.extend_from_slice(&chunk[..n]),
        }
    }
}
