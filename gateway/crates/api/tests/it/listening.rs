//! The API on a loopback socket, and clients that say exactly what a test wants, byte by byte.

use std::net::SocketAddr;

use renmen_api::{AppState, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ended: JoinHandle<Result<(), renmen_api::ServeError>>,
}

impl Served {
    pub(crate) async fn start(state: AppState) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(serve(listener, state, async {
            let _ = stopped.await;
        }));
        Self { at, stop, ended }
    }

    /// A client that has said so much.
    pub(crate) async fn says(&self, bytes: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.at).await.unwrap();
        socket.write_all(bytes.as_bytes()).await.unwrap();
        socket
    }
}

/// All that comes until the server closes; a connection that is reset has ended too.
pub(crate) async fn rest(mut socket: TcpStream) -> String {
    let (mut text, mut bytes) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = socket.read(&mut bytes).await {
        text.extend_from_slice(&bytes[..count]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads until `end` has come.
pub(crate) async fn until(socket: &mut TcpStream, end: &str) -> String {
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !text.contains(end) {
        let count = socket.read(&mut bytes).await.unwrap();
        assert_ne!(count, 0, "closed after {text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    text
}

/// Sends one request as bytes and reads until the server closes.
pub(crate) async fn exchange(at: SocketAddr, head: &str) -> String {
    let mut socket = TcpStream::connect(at).await.unwrap();
    socket.write_all(format!("{head}\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    rest(socket).await
}
