//! What can be asked of `seal`: too often, too much, and what no slot is sealed for.

use std::fmt::Write as _;

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::seal;
use crate::bindings::renmen::connector::types::Failure;
use crate::page;

/// Every slot of the manifest, and one that it does not have.
const SLOTS: [&str; 8] = ["key", "signing", "proving", "digest", "cipher", "plain", "none", "../key"];

pub(crate) fn without_end() -> Result<Page, Failure> {
    loop {
        // Not even a refusal stops it.
        let _ignored = seal::sign("signing", &[vec![0; 64]]);
    }
}

/// As many bytes as the cursor says.
pub(crate) fn long(asked: &PullRequest) -> Result<Page, Failure> {
    let bytes = asked.cursor.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
    seal::sign("signing", &[vec![7; bytes]])?;
    Ok(page::of(Vec::new()))
}

/// The most parts that are allowed, then one more; reports the result of both.
pub(crate) fn pieces() -> Result<Page, Failure> {
    let told = |parts: usize| match seal::sign("signing", &vec![vec![7]; parts]) {
        Ok(digest) => format!("{parts}: {} bytes", digest.len()),
        Err(failure) => format!("{parts}: {}", failure.message),
    };
    Ok(page::of([16, 17].map(|parts| named(&told(parts))).to_vec()))
}

/// Signs a mebibyte at a time until something ends it.
pub(crate) fn burn(asked: &PullRequest) -> Result<Page, Failure> {
    let text = vec![7; 1 << 20];
    for _ in 0..asked.max_records {
        seal::sign("signing", std::slice::from_ref(&text))?;
    }
    Ok(page::of(Vec::new()))
}

/// One record per answer: `SLOT FUNCTION: RESULT`.
pub(crate) fn attack() -> Result<Page, Failure> {
    let mut told = Vec::new();
    // Pieces between which an order, a digest or a block of the key could be told apart, if any were answered.
    let messages: [&[Vec<u8>]; 6] = [
        &[],
        &[Vec::new()],
        &[b"A".to_vec()],
        &[b"m".to_vec(), b"z".to_vec()],
        &[vec![0; 16], vec![0; 32]],
        &[vec![0xff; 64]],
    ];
    for slot in SLOTS {
        for parts in messages {
            told.push(named(&format!("{slot} sign: {}", said(seal::sign(slot, parts).map(|digest| hex(&digest))))));
            let guess = seal::verify(slot, parts, &[0; 20]).map(|good| good.to_string());
            told.push(named(&format!("{slot} verify: {}", said(guess))));
        }
    }
    Ok(page::of(told))
}

fn named(text: &str) -> crate::bindings::renmen::connector::types::Envelope {
    let mut record = page::record(0, b"{}");
    record.external_id = text.to_owned();
    record
}

fn said(answer: Result<String, Failure>) -> String {
    answer.unwrap_or_else(|failure| format!("refused, {}", failure.message))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _never_fails = write!(text, "{byte:02x}");
        text
    })
}
