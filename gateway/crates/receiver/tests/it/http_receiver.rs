//! A receiver over HTTP that answers by script and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the receiver does with one request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Status, headers (each with its line end), body.
    Answer(u16, &'static str, &'static str),
    /// Reads and says nothing.
    Hang,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// See the module. The last act is for every further request.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    pub(crate) async fn start(script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), got: Arc::default() };
        let (got, script) = (receiver.got.clone(), script.to_vec());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), got.clone()));
            }
        });
        receiver
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().clone()
    }
}

async fn serve(mut stream: TcpStream, script: Vec<Act>, got: Arc<Mutex<Vec<Got>>>) {
    while let Some(request) = read(&mut stream).await {
        let number = {
            let mut got = got.lock();
            got.push(request);
            got.len() - 1
        };
        match script[number.min(script.len() - 1)].clone() {
            Act::Answer(status, headers, body) => {
                let length = body.len();
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap_or_default();
            }
            Act::Hang => std::future::pending::<()>().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    loop {
        let mut room = [0; 4096];
        let read = stream.read(&mut room).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&room[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let split = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
        let got = Got { line, headers: lines.filter_map(split).collect(), body: body.to_owned() };
        if body.len() >= got.header("content-length").parse().unwrap_or(0) {
            return Some(got);
        }
    }
}
