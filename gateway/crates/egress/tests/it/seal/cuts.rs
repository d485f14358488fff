//! Vendors join the pieces of what they sign without a mark between them. Anyone who has seen one signed delivery could
//! cut the same bytes into other pieces, and learn from the answer where the key sorts among them, or have a part of a
//! cipher text opened. Every cut of many deliveries is tried here, and also on a gateway that has no shapes, where the
//! attack works.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_egress::Incoming;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::rig::Door;
use super::vendors::dingtalk;

const OWNER: &str = "dingmadeupapp";
const AES: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// Time, nonce and cipher text.
type Pieces = [String; 3];

/// A delivery as the vendor signs it: what is joined and hashed, and where the key stands in it.
struct Signed {
    token: String,
    pieces: Pieces,
    joined: String,
    key_at: usize,
}

impl Signed {
    /// A cipher text of so many blocks of 32 bytes: what is in it does not matter to a signature.
    fn new(token: &str, nonce: &str, blocks: u8, seed: u8) -> Self {
        let bytes: Vec<u8> =
            (0..blocks * 32).map(|at| at.wrapping_mul(37).wrapping_add(seed.wrapping_mul(101))).collect();
        let pieces = ["1767225600000".to_owned(), nonce.to_owned(), STANDARD.encode(bytes)];
        let joined = joined(token, &pieces);
        // Tokens stand nowhere else here.
        let key_at = joined.find(token).unwrap();
        Self { token: token.to_owned(), pieces, joined, key_at }
    }

    /// Every way to cut what stands before and behind the key into three pieces, that a gateway without shapes would take for
    /// signed: sorted with the key they give the same bytes.
    fn cuts(&self) -> BTreeSet<Pieces> {
        let before = &self.joined[..self.key_at];
        let behind = &self.joined[self.key_at + self.token.len()..];
        let mut found = BTreeSet::new();
        for in_front in 0..=3 {
            for front in cut(before, in_front) {
                for back in cut(behind, 3 - in_front) {
                    let all: Vec<&str> = front.iter().chain(&back).copied().collect();
                    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                        let pieces = order.map(|at| all[at].to_owned());
                        if joined(&self.token, &pieces) == self.joined {
                            found.insert(pieces);
                        }
                    }
                }
            }
        }
        found
    }

    fn signature(&self) -> String {
        hex::encode(Sha1::digest(&self.joined))
    }
}

fn joined(token: &str, pieces: &Pieces) -> String {
    let mut sorted: Vec<&str> = pieces.iter().map(String::as_str).chain([token]).collect();
    sorted.sort_unstable();
    sorted.concat()
}

/// A text cut into so many pieces, none of them empty.
fn cut(text: &str, pieces: usize) -> Vec<Vec<&str>> {
    match pieces {
        0 => {
            if text.is_empty() {
                vec![vec![]]
            } else {
                vec![]
            }
        }
        1 => {
            if text.is_empty() {
                vec![]
            } else {
                vec![vec![text]]
            }
        }
        _ => (1..text.len())
            .flat_map(|at| cut(&text[at..], pieces - 1).into_iter().map(move |rest| [vec![&text[..at]], rest].concat()))
            .collect(),
    }
}

/// What a gateway says of pieces under a signature.
fn said(door: &Door, [time, nonce, cipher]: &Pieces, signature: &str) -> String {
    let encoded: String = url_encoded(nonce);
    let query = format!("?signature={signature}&timestamp={}&nonce={encoded}", url_encoded(time));
    let body = json!({ "encrypt": cipher }).to_string();
    let incoming = Incoming {
        path_and_query: &query,
        headers: &[],
        body: body.as_bytes(),
        received_at_ms: 1_767_225_600_000,
        window_ms: 300_000,
    };
    match door.prove(&incoming) {
        Ok(_) => "opened".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn url_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn no_cut_of_a_signed_delivery_passes_for_signed_but_the_vendors_own() {
    // Tokens that sort before the time, between time and cipher text, behind the nonce.
    let tokens = ["+first", "1token", "Token-in-the-middle", "zzz-last"];
    let nonces = ["n", "7", "00", "WL4PK6yA", "zNonce123456789012345678901234567890"];
    let mut others = 0;
    for token in tokens {
        let door = dingtalk(token, AES, OWNER);
        let refusal = said(&door, &["1".into(), "n".into(), "x".into()], "00");
        for (seed, nonce) in (1_u8..).zip(nonces) {
            for blocks in 1..=2 {
                let signed = Signed::new(token, nonce, blocks, seed);
                let signature = signed.signature();
                let own = said(&door, &signed.pieces, &signature);
                assert!(own.contains("signed by the vendor"), "its own pieces get past the signature: {own}");
                for pieces in signed.cuts().iter().filter(|pieces| **pieces != signed.pieces) {
                    others += 1;
                    assert_eq!(said(&door, pieces, &signature), refusal, "{token} {pieces:?}");
                }
            }
        }
    }
    assert!(others > 1_000, "without shapes {others} other cuts would have passed: the attack is real");
}

/// What the attack is for: the answer tells which of two tokens it is, and with as many cuts as a cipher text has characters, more
/// and more of it. Here both gateways say the same.
#[test]
fn the_order_of_a_token_and_a_text_is_not_told() {
    let texts = |token| {
        let signed = Signed::new(token, "zNonce", 1, 9);
        let cuts = signed.cuts();
        (signed, cuts)
    };
    let ((low, low_cuts), (high, high_cuts)) = (texts("Abc"), texts("xyz"));
    assert_eq!(low.pieces, high.pieces);
    let telling: Vec<&Pieces> = low_cuts.symmetric_difference(&high_cuts).collect();
    assert!(!telling.is_empty(), "there are cuts that tell a low token from a high one");
    let doors = [dingtalk("Abc", AES, OWNER), dingtalk("xyz", AES, OWNER)];
    for pieces in telling {
        let answers = [said(&doors[0], pieces, &low.signature()), said(&doors[1], pieces, &high.signature())];
        assert_eq!(answers[0], answers[1], "{pieces:?}");
    }
}

/// A guess of the order alone: pieces of the attacker's choice under every digest that he can make without the key.
#[test]
fn a_digest_that_was_made_without_the_key_never_passes() {
    let pieces = Signed::new("token", "WL4PK6yA", 1, 3).pieces;
    let [time, nonce, cipher] = &pieces;
    let forged = [vec![time, nonce, cipher], vec![nonce, time, cipher], vec![time, cipher], vec![cipher], vec![]];
    for key in ["A", "token", "zzzzzz", "1767225600000"] {
        let door = dingtalk(key, AES, OWNER);
        let refusal = said(&door, &["1".into(), "n".into(), "x".into()], "00");
        for parts in &forged {
            let text: String = parts.iter().map(|part| part.as_str()).collect();
            // With guesses that are close to the key, before and behind.
            for guess in ["", "tok", "toke", "okeno", "tokentoken", "\0"] {
                for digest in [Sha1::digest(format!("{guess}{text}")), Sha1::digest(format!("{text}{guess}"))] {
                    assert_eq!(said(&door, &pieces, &hex::encode(digest)), refusal, "{key} {guess}");
                }
            }
        }
    }
}
