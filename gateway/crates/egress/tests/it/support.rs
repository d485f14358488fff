//! A vendor that answers by script, and connections to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use renmen_egress::{
    Connection, ConnectionSpec, Egress, EgressLimits, EgressOptions, Exchange, OperatorGrant, Request, RequestKey,
    SlotSpec, Tape,
};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::{AuthRecipe, EventSocketManifest, HttpWish, Manifest, Placement};
use renmen_vault::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The connection for events as a connector of this project describes it; asked for with the slot `app`.
pub(crate) fn shipped_socket() -> EventSocketManifest {
    let manifest = Manifest::parse(include_str!("../../../../../plugins/dingtalk/plugin.toml")).unwrap();
    manifest.webhook.unwrap().socket.unwrap()
}

/// What the vendor does with one request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Writes these bytes and goes on with the connection.
    Reply(Vec<u8>),
    /// Writes these bytes and closes the connection.
    Cut(Vec<u8>),
    /// Writes these bytes and says nothing more, for ever.
    Hang(Vec<u8>),
    /// Breaks the connection.
    Reset,
    /// Answers with the request, head and body, as its body.
    Echo,
}

/// `200` with this body.
pub(crate) fn ok(body: &str) -> Act {
    reply(200, "", body)
}

/// A whole answer; `headers` end each with `\r\n`.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Act {
    Act::Reply(raw(status, headers, body.as_bytes()))
}

pub(crate) fn raw(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Answers the n-th request with the n-th act, the last one for ever, and remembers what it was asked.
pub(crate) struct Vendor {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Vendor {
    pub(crate) async fn start(script: Vec<Act>) -> Self {
        Self::at("127.0.0.1:0", script).await
    }

    pub(crate) async fn at(address: &str, script: Vec<Act>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let vendor =
            Self { address: listener.local_addr().unwrap(), requests: Arc::default(), connections: Arc::default() };
        let (requests, connections) = (vendor.requests.clone(), vendor.connections.clone());
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, script.clone(), requests.clone()));
            }
        });
        vendor
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn hits(&self) -> usize {
        self.requests.lock().len()
    }

    pub(crate) fn connected(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Vec<Act>>, requests: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        let n = {
            let mut requests = requests.lock();
            requests.push(request.clone());
            requests.len() - 1
        };
        match script[n.min(script.len() - 1)].clone() {
            Act::Reply(bytes) => stream.write_all(&bytes).await.unwrap_or_default(),
            Act::Echo => stream.write_all(&raw(200, "", request.as_bytes())).await.unwrap_or_default(),
            Act::Cut(bytes) => return stream.write_all(&bytes).await.unwrap_or_default(),
            Act::Hang(bytes) => {
                stream.write_all(&bytes).await.unwrap_or_default();
                std::future::pending::<()>().await;
            }
            Act::Reset => return stream.set_zero_linger().unwrap(),
        }
    }
}

/// Head and body of the next request; `None` when the other side is gone.
pub(crate) async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut room = [0; 4096];
        let read = stream.read(&mut room).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&room[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let stated = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= stated.unwrap_or(0) {
            return Some(text);
        }
    }
}

/// A tape that keeps everything and answers from `known`.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) known: Mutex<Vec<(RequestKey, Arc<Exchange>)>>,
    pub(crate) recorded: Mutex<Vec<(RequestKey, Arc<Exchange>)>>,
    pub(crate) is_sealed: bool,
}

impl Tape for Memory {
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>> {
        let mut known = self.known.lock();
        let at = known.iter().position(|(k, _)| *k == key)?;
        Some(known.remove(at).1)
    }
    fn record(&self, key: RequestKey, exchange: Arc<Exchange>) {
        self.recorded.lock().push((key, exchange));
    }
    fn sealed(&self) -> bool {
        self.is_sealed
    }
}

pub(crate) fn slot(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

pub(crate) fn get(url: impl Into<String>) -> Request {
    Request { method: "GET".into(), url: url.into(), headers: vec![], body: None, slot: None }
}

pub(crate) fn post(url: impl Into<String>, body: &str) -> Request {
    Request { method: "POST".into(), body: Some(body.to_owned().into()), ..get(url) }
}

pub(crate) fn with_slot(request: Request, name: &str) -> Request {
    Request { slot: Some(slot(name)), ..request }
}

/// A connection that may go to these origins, on the loopback, in plain http.
pub(crate) fn spec(hosts: &[String]) -> ConnectionSpec {
    ConnectionSpec {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("erp").unwrap(),
        wish: HttpWish { hosts: hosts.to_vec(), methods: vec!["GET".into(), "POST".into()], ..HttpWish::default() },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: true,
            addresses: vec!["127.0.0.0/8".parse().unwrap()],
            drop: None,
        },
        limits: EgressLimits {
            request_timeout: Duration::from_secs(20),
            response_bytes_max: 100_000,
            request_bytes_max: 10_000,
            retries_max: 2,
            retry_wait_max: Duration::from_secs(5),
            parallel_max: 64,
            rate: None,
            budget: None,
            logs: renmen_egress::LogLimits::default(),
        },
        slots: Default::default(),
        config: serde_json::json!({}),
    }
}

pub(crate) fn static_slot(secret: &str, name: &str) -> SlotSpec {
    let place = Placement::Header { name: name.into(), prefix: String::new() };
    SlotSpec {
        secret: Some(Secret::new(secret.into())),
        to: None,
        audience: vec![],
        auth: Some(AuthRecipe::Static { place }),
        public: vec![],
        seal: None,
    }
}

pub(crate) fn options() -> EgressOptions {
    EgressOptions { backoff: Duration::from_millis(1), settle: Duration::ZERO, ..EgressOptions::default() }
}

pub(crate) fn connect(spec: ConnectionSpec) -> Arc<Connection> {
    Egress::with(options()).unwrap().connect(spec).unwrap()
}

/// A connection to just this vendor.
pub(crate) fn to(vendor: &Vendor) -> Arc<Connection> {
    connect(spec(&[vendor.url("")]))
}
