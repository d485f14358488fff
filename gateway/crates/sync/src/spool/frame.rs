//! The bytes of a spool file: frames with a length and a hash, so that a tail torn by a kill is told from a whole frame.
//! Knows no exchange: an answer is opaque here.

use std::io::Read;

use serde::{Deserialize, Serialize};

/// Which page the answers that follow belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begin {
    /// The run that pulled it.
    pub(crate) run: i64,
    /// Its number in that run, from 0.
    pub(crate) page: u64,
    /// What it was asked with.
    pub(crate) cursor: Option<String>,
    /// The clock that the connector saw: a resumed call must see the same, or it would ask for something else.
    pub(crate) clock_ms: i64,
    /// The code that asked.
    pub(crate) digest: String,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Begin(Begin),
    Answer { key: [u8; 16], packed: Vec<u8> },
}

/// `length (4, little endian) | BLAKE3 of the payload (16) | payload`; the payload's first byte says what it is.
const HEAD: usize = 20;
const BEGIN: u8 = 1;
const ANSWER: u8 = 2;

/// The frame that begins a page.
pub(crate) fn begin(begin: &Begin) -> Vec<u8> {
    let json = serde_json::to_vec(begin).expect("a struct of numbers and strings always serialises");
    sealed(BEGIN, &[&json])
}

/// The frame of one answer.
pub(crate) fn answer(key: &[u8; 16], packed: &[u8]) -> Vec<u8> {
    sealed(ANSWER, &[key, packed])
}

fn sealed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(HEAD + length);
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&[0; 16]);
    bytes.push(tag);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    let hash = blake3::hash(&bytes[HEAD..]);
    bytes[4..HEAD].copy_from_slice(&hash.as_bytes()[..16]);
    bytes
}

/// Reads frames until the end or until one is torn, damaged or larger than `frame_bytes_max`. Answers how many bytes were
/// whole: what follows them is worth nothing.
pub(crate) fn read_all(mut from: impl Read, frame_bytes_max: u64, mut each: impl FnMut(Frame)) -> u64 {
    let mut whole = 0;
    let mut head = [0; HEAD];
    while from.read_exact(&mut head).is_ok() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if u64::from(length) > frame_bytes_max {
            break;
        }
        let mut payload = Vec::new();
        match from.by_ref().take(u64::from(length)).read_to_end(&mut payload) {
            Ok(read) if read == length as usize => {}
            _ => break,
        }
        if blake3::hash(&payload).as_bytes()[..16] != head[4..] {
            break;
        }
        let Some(frame) = parse(&payload) else { break };
        each(frame);
        whole += (HEAD + payload.len()) as u64;
    }
    whole
}

fn parse(payload: &[u8]) -> Option<Frame> {
    let (tag, rest) = payload.split_first()?;
    match *tag {
        BEGIN => serde_json::from_slice(rest).ok().map(Frame::Begin),
        ANSWER => {
            let (key, packed) = rest.split_at_checked(16)?;
            Some(Frame::Answer { key: key.try_into().ok()?, packed: packed.to_vec() })
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sample() -> (Vec<u8>, Vec<Frame>) {
        let first =
            Begin { run: 7, page: 3, cursor: Some("c".to_owned()), clock_ms: 12, digest: "sha256:0".to_owned() };
        let mut bytes = begin(&first);
        bytes.extend(answer(&[1; 16], b"one"));
        bytes.extend(answer(&[2; 16], b""));
        let frames = vec![
            Frame::Begin(first),
            Frame::Answer { key: [1; 16], packed: b"one".to_vec() },
            Frame::Answer { key: [2; 16], packed: Vec::new() },
        ];
        (bytes, frames)
    }

    fn frames_of(bytes: &[u8]) -> (u64, Vec<Frame>) {
        let mut frames = Vec::new();
        let whole = read_all(bytes, 1 << 20, |frame| frames.push(frame));
        (whole, frames)
    }

    #[test]
    fn what_was_written_is_read() {
        let (bytes, frames) = sample();
        assert_eq!(frames_of(&bytes), (bytes.len() as u64, frames));
    }

    #[test]
    fn a_tail_torn_anywhere_costs_only_its_own_frame() {
        let (bytes, frames) = sample();
        for cut in 0..bytes.len() {
            let (whole, read) = frames_of(&bytes[..cut]);
            assert!(whole <= cut as u64);
            assert_eq!(read, frames[..read.len()], "cut at {cut}");
            assert!(read.len() < frames.len());
        }
    }

    #[test]
    fn a_damaged_byte_ends_the_reading_before_its_frame() {
        let (bytes, frames) = sample();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let (_, read) = frames_of(&damaged);
            assert!(read.len() < frames.len(), "byte {at} was changed without being noticed");
            assert_eq!(read, frames[..read.len()]);
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_not_read_into_memory() {
        let (bytes, _) = sample();
        let mut seen = 0;
        assert_eq!(read_all(&bytes[..], 4, |_| seen += 1), 0);
        assert_eq!(seen, 0);
    }
}
