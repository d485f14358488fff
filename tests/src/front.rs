//! What stands in front of several gateways: each connection goes to the next gateway that accepts it, in turn.
//!
//! Knows nothing of HTTP: a connection that a gateway dropped is dropped here too, as a load balancer does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};

/// Serves on a free loopback port until the process ends; gives its URL. `gateways` are addresses such as `127.0.0.1:7300`.
///
/// # Errors
/// When no port can be had.
pub async fn serve(gateways: Vec<String>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (gateways, turn) = (Arc::new(gateways), AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (gateways, first) = (gateways.clone(), turn.fetch_add(1, Ordering::Relaxed));
            tokio::spawn(async move {
                if let Some(mut gateway) = connect(&gateways, first).await {
                    // Either side may hang up; the other one is told by the end of this.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut gateway).await;
                }
            });
        }
    });
    Ok(url)
}

async fn connect(gateways: &[String], first: usize) -> Option<TcpStream> {
    for offset in 0..gateways.len() {
        if let Ok(stream) = TcpStream::connect(&gateways[(first + offset) % gateways.len()]).await {
            return Some(stream);
        }
    }
    None
}
