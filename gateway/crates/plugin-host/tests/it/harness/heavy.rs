//! Answers of 31 MiB, plain or packed a thousandfold, that cost the server no memory of their size.

use std::io::Write;
use std::sync::OnceLock;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Bytes of one heavy answer, unpacked.
pub(crate) const HEAVY_BYTES: usize = 31 << 20;
const PIECE: &[u8] = &[b'v'; 64 << 10];

pub(super) async fn answer(stream: &mut TcpStream, path: &str) -> std::io::Result<()> {
    if path.starts_with("/heavy-packed") {
        let body = packed();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await?;
        return stream.write_all(body).await;
    }
    stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {HEAVY_BYTES}\r\n\r\n").as_bytes()).await?;
    for _ in 0..HEAVY_BYTES / PIECE.len() {
        stream.write_all(PIECE).await?;
    }
    Ok(())
}

fn packed() -> &'static [u8] {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    PACKED.get_or_init(|| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..HEAVY_BYTES / PIECE.len() {
            packer.write_all(PIECE).unwrap();
        }
        packer.finish().unwrap()
    })
}
