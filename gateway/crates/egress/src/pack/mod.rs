//! Exchanges as bytes for storage. Owns the format: one byte of version, then two zstd frames, each after its packed and its
//! plain length: everything but the answer's body, and the answer's body. Two frames, so that a body is compressed where it
//! lies instead of being copied behind a head.

use std::cell::RefCell;
use std::io;

use bytes::Bytes;
use thiserror::Error;

use crate::{Exchange, Response};

/// What [`unpack`] unpacks at most, head and body together. Bytes.
pub const UNPACKED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Level 1 packs a page of JSON about eight times, faster than a disk takes it.
const LEVEL: i32 = 1;
const VERSION: u8 = 1;

/// Packed bytes that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnpackError {
    /// Not packed by us, cut, or damaged.
    #[error("the packed exchange is damaged: {0}")]
    Damaged(&'static str),
    /// Written by a newer gateway.
    #[error("the packed exchange has format {0}; this gateway reads format {VERSION}")]
    Version(u8),
    /// More than was allowed.
    #[error("the packed exchange holds {bytes} bytes, {max} are allowed")]
    TooLarge {
        /// What it states.
        bytes: u64,
        /// What was allowed.
        max: u64,
    },
}

thread_local! {
    /// A context is a megabyte or more; making one costs as much as packing a page.
    static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// Packs an exchange.
#[must_use]
pub fn pack(exchange: &Exchange) -> Vec<u8> {
    let head = head_of(exchange);
    let body = &exchange.response.body;
    let packed_head = compress(&head);
    let packed_body = compress(body);
    let mut out = Vec::with_capacity(packed_head.len() + packed_body.len() + 24);
    out.push(VERSION);
    for (plain, packed) in [(head.len(), &packed_head), (body.len(), &packed_body)] {
        put_number(&mut out, plain as u64);
        put_bytes(&mut out, packed);
    }
    out
}

/// Unpacks what [`pack`] made, up to [`UNPACKED_BYTES_MAX`].
///
/// # Errors
/// [`UnpackError`].
pub fn unpack(packed: &[u8]) -> Result<Exchange, UnpackError> {
    unpack_within(packed, UNPACKED_BYTES_MAX)
}

/// How many bytes [`unpack`] would make of it, as it states itself; what states nothing makes none.
#[must_use]
pub fn unpacked_bytes(packed: &[u8]) -> u64 {
    let stated = || {
        let mut reader = Reader(packed.get(1..)?);
        let (head, _) = (reader.number().ok()?, reader.bytes().ok()?);
        Some(head.saturating_add(reader.number().ok()?))
    };
    stated().unwrap_or(0)
}

/// Where the answer's body begins in what [`pack`] made: from there on, equal bodies are packed alike. None for bytes that it did not make.
#[must_use]
pub fn body_at(packed: &[u8]) -> Option<usize> {
    let mut reader = Reader(packed.strip_prefix(&[VERSION])?);
    let (_head_bytes, _head) = (reader.number().ok()?, reader.bytes().ok()?);
    Some(packed.len() - reader.0.len())
}

/// Unpacks within a limit of the caller's.
///
/// # Errors
/// [`UnpackError`].
pub fn unpack_within(packed: &[u8], bytes_max: u64) -> Result<Exchange, UnpackError> {
    let (version, rest) = packed.split_first().ok_or(UnpackError::Damaged("it is empty"))?;
    if *version != VERSION {
        return Err(UnpackError::Version(*version));
    }
    let mut reader = Reader(rest);
    let (head_bytes, head) = (reader.number()?, reader.bytes()?);
    let (body_bytes, body) = (reader.number()?, reader.bytes()?);
    reader.end()?;
    let bytes = head_bytes.saturating_add(body_bytes);
    if bytes > bytes_max {
        return Err(UnpackError::TooLarge { bytes, max: bytes_max });
    }
    let head = decompress(head, head_bytes)?;
    let body = decompress(body, body_bytes)?;
    exchange_of(&head, body.into())
}

fn head_of(exchange: &Exchange) -> Vec<u8> {
    let mut head = Vec::with_capacity(1024 + exchange.request_body.as_ref().map_or(0, Bytes::len));
    head.extend_from_slice(&exchange.at_ms.to_le_bytes());
    head.extend_from_slice(&exchange.took_ms.to_le_bytes());
    head.extend_from_slice(&exchange.response.status.to_le_bytes());
    put_bytes(&mut head, exchange.method.as_bytes());
    put_bytes(&mut head, exchange.url.as_bytes());
    for headers in [&exchange.request_headers, &exchange.response.headers] {
        put_number(&mut head, headers.len() as u64);
        for (name, value) in headers {
            put_bytes(&mut head, name.as_bytes());
            put_bytes(&mut head, value.as_bytes());
        }
    }
    if let Some(body) = &exchange.request_body {
        head.push(1);
        head.extend_from_slice(body);
    } else {
        head.push(0);
    }
    head
}

fn exchange_of(head: &[u8], body: Bytes) -> Result<Exchange, UnpackError> {
    let mut reader = Reader(head);
    let at_ms = i64::from_le_bytes(reader.fixed()?);
    let took_ms = u32::from_le_bytes(reader.fixed()?);
    let status = u16::from_le_bytes(reader.fixed()?);
    let method = reader.text()?;
    let url = reader.text()?;
    let request_headers = reader.headers()?;
    let headers = reader.headers()?;
    let request_body = match reader.fixed::<1>()? {
        [0] => reader.end().map(|()| None)?,
        [1] => Some(Bytes::copy_from_slice(reader.0)),
        _ => return Err(UnpackError::Damaged("its body mark is unknown")),
    };
    Ok(Exchange {
        method,
        url,
        request_headers,
        request_body,
        response: Response { status, headers, body },
        at_ms,
        took_ms,
    })
}

fn compress(plain: &[u8]) -> Vec<u8> {
    PACKER
        .with_borrow_mut(|slot| -> io::Result<Vec<u8>> {
            if slot.is_none() {
                let mut packer = zstd::bulk::Compressor::new(LEVEL)?;
                packer.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
                *slot = Some(packer);
            }
            slot.as_mut().map_or_else(|| Ok(Vec::new()), |packer| packer.compress(plain))
        })
        .expect("compressing into memory of the stated bound cannot fail")
}

fn decompress(packed: &[u8], bytes: u64) -> Result<Vec<u8>, UnpackError> {
    let damaged = UnpackError::Damaged("a frame cannot be unpacked");
    let room = usize::try_from(bytes).map_err(|_| damaged.clone())?;
    let plain = zstd::bulk::decompress(packed, room).map_err(|_| damaged.clone())?;
    if plain.len() == room { Ok(plain) } else { Err(damaged) }
}

/// Seven bits a byte, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads from the front; what is left is what was not read.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, bytes: usize) -> Result<&'b [u8], UnpackError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(UnpackError::Damaged("it is cut"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], UnpackError> {
        let mut fixed = [0; N];
        fixed.copy_from_slice(self.take(N)?);
        Ok(fixed)
    }

    fn number(&mut self) -> Result<u64, UnpackError> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let [byte] = self.fixed()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(UnpackError::Damaged("a number is too long"))
    }

    fn bytes(&mut self) -> Result<&'b [u8], UnpackError> {
        let bytes = usize::try_from(self.number()?).map_err(|_| UnpackError::Damaged("a length is too great"))?;
        self.take(bytes)
    }

    fn text(&mut self) -> Result<String, UnpackError> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| UnpackError::Damaged("a text is not valid UTF-8"))
    }

    fn headers(&mut self) -> Result<Vec<(String, String)>, UnpackError> {
        let count = self.number()?;
        // No more room is made than the bytes that are there can fill.
        let mut headers = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(self.0.len() / 2));
        for _ in 0..count {
            headers.push((self.text()?, self.text()?));
        }
        Ok(headers)
    }

    fn end(&self) -> Result<(), UnpackError> {
        if self.0.is_empty() { Ok(()) } else { Err(UnpackError::Damaged("something follows its end")) }
    }
}

#[cfg(test)]
mod tests;
