//! The attacker against each scheme. What a connector is answered is compared with an HMAC made from the definition; what anybody
//! can send is refused with one answer.

use std::collections::BTreeSet;

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_egress::{EgressError, Incoming, Proved};
use renmen_schema::manifest::{SealKind, SealScheme, SealUse};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use super::rig::{Door, sealed};
use super::vendors::{FEISHU, Feishu, dingtalk, incoming, read_by_the_vendor};
use crate::support::slot;

/// 32 bytes, and the same in base64: every scheme takes it.
const KEY: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";
const NOW_MS: i64 = 1_767_225_600_000;

/// Which attack stands against which scheme. A scheme that is added does not compile until it has its answer here, and its
/// paragraph in the argument.
fn attacked_by(scheme: SealScheme) -> &'static str {
    match scheme {
        SealScheme::HmacSha1
        | SealScheme::HmacSha1Base64
        | SealScheme::HmacSha256
        | SealScheme::HmacSha256Base64
        | SealScheme::HmacSha512
        | SealScheme::HmacSha512Base64 => "chosen messages, chosen digests, the key as a message, empty parts",
        SealScheme::Sha1 | SealScheme::Sha256 => "length extension, missing pieces, chosen digests",
        SealScheme::Sha1Sorted => "order of key and text, other cuts, chosen digests",
        SealScheme::Aes256CbcSha256 | SealScheme::Aes256CbcBase64 => "padding, changed texts, unproved texts",
        SealScheme::Aes256CbcKeyIvBase64 => "the key as IV, changed texts, unproved texts",
        SealScheme::Equal => "guesses, beginnings, nothing at all",
    }
}

/// RFC 2104, from its definition.
fn hmac(scheme: SealScheme, key: &[u8], message: &[u8]) -> Vec<u8> {
    fn of<D: Digest>(block: usize, key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut padded = if key.len() > block { D::digest(key).to_vec() } else { key.to_vec() };
        padded.resize(block, 0);
        let with = |mask: u8| padded.iter().map(|byte| byte ^ mask).collect::<Vec<u8>>();
        let inner = D::digest([with(0x36).as_slice(), message].concat());
        D::digest([with(0x5c).as_slice(), &inner].concat()).to_vec()
    }
    match scheme {
        SealScheme::HmacSha1 | SealScheme::HmacSha1Base64 => of::<Sha1>(64, key, message),
        SealScheme::HmacSha256 | SealScheme::HmacSha256Base64 => of::<Sha256>(64, key, message),
        SealScheme::HmacSha512 | SealScheme::HmacSha512Base64 => of::<Sha512>(128, key, message),
        other => panic!("{other:?} is not an HMAC"),
    }
}

#[test]
fn of_every_scheme_and_use_a_connector_is_answered_an_hmac_or_nothing() {
    for &scheme in SealScheme::ALL {
        assert!(!attacked_by(scheme).is_empty());
        for used in [SealUse::Verify, SealUse::Sign, SealUse::Host] {
            let connection = sealed(&[("k", scheme, used, SECRET)]).unwrap();
            let (signing, verifying) = (connection.seal().signing(&slot("k")), connection.seal().verifying(&slot("k")));
            let is_hmac = scheme.kind() == SealKind::Hmac;
            assert_eq!(signing.is_ok(), is_hmac && used == SealUse::Sign, "{scheme:?} {used:?}");
            assert_eq!(verifying.is_ok(), is_hmac && used != SealUse::Host, "{scheme:?} {used:?}");
            for refused in [signing.err(), verifying.err()].into_iter().flatten() {
                assert!(matches!(&refused, EgressError::NotGranted(said) if !said.contains(SECRET)), "{refused}");
            }
        }
    }
    let connection = sealed(&[("k", SealScheme::HmacSha256, SealUse::Sign, SECRET)]).unwrap();
    assert!(connection.seal().signing(&slot("none")).is_err(), "a slot that there is not");
}

/// The argument stands on the security page: a paragraph for each scheme, and the table of pairs.
#[test]
fn the_security_page_has_an_argument_for_every_scheme() {
    let page = include_str!("../../../../../../docs/security.md");
    for scheme in SealScheme::ALL {
        let algorithm = scheme.name().split(':').next().unwrap();
        let named = [scheme.name(), algorithm].iter().any(|name| page.contains(&format!("`{name}`")));
        assert!(named, "docs/security.md does not speak of `{}`", scheme.name());
    }
}

#[test]
fn an_hmac_is_what_its_definition_says_whatever_the_message_and_however_it_is_cut() {
    for &scheme in SealScheme::ALL.iter().filter(|scheme| scheme.kind() == SealKind::Hmac) {
        let connection = sealed(&[("k", scheme, SealUse::Sign, SECRET)]).unwrap();
        let key: &[u8] = if scheme.name().ends_with("base64") { KEY } else { SECRET.as_bytes() };
        let sign = |parts: &[&[u8]]| connection.seal().sign(&slot("k"), parts).unwrap();
        let verify = |message: &[u8], signature: &[u8]| {
            let mut verifying = connection.seal().verifying(&slot("k")).unwrap();
            verifying.update(message);
            verifying.matches(signature)
        };
        // Nothing, the key itself, a block of what the key is padded with, and texts that sort before and behind the key.
        for message in [b"".as_slice(), key, &[0x36; 64], &[0x5c; 128], b"0", b"z", &[0; 300]] {
            let wanted = hmac(scheme, key, message);
            assert_eq!(sign(&[message]), wanted, "{scheme:?}");
            let (one, two) = message.split_at(message.len() / 2);
            assert_eq!(sign(&[one, b"", two]), wanted, "pieces are joined, and nothing else depends on them");
            assert!(verify(message, &wanted));
            // Digests that can be made without the key.
            for guess in [b"".as_slice(), b"0123456789abcdef", b"guess", &[0; 64]] {
                assert!(!verify(message, &hmac(scheme, guess, message)), "{scheme:?}");
            }
            for part in [&wanted[..0], &wanted[1..], &wanted[..wanted.len() - 1], &[wanted.as_slice(), b"\0"].concat()]
            {
                assert!(!verify(message, part), "a piece of a signature, or more than one");
            }
        }
        assert_eq!(sign(&[]), hmac(scheme, key, b""));
    }
}

/// A vendor that signs with a plain digest: time, nonce, key, and a body in clear.
fn ordered(scheme: &str) -> Door {
    let manifest = format!(
        r#"
name = "ordered"
version = "1.0.0"
description = "x"
contract = "0.2.0"
[slots.key]
description = "x"
seal = {{ scheme = "{scheme}", use = "host" }}
[webhook]
description = "x"
[webhook.proof]
slot = "key"
signature = {{ header = "x-signature" }}
signed = [{{ is = "time_s", at = {{ header = "x-time" }} }}, {{ is = "nonce", at = {{ header = "x-nonce" }} }}, {{ is = "key" }}, {{ is = "body" }}]
"#
    );
    Door::new(&manifest, &[("key", SECRET)], json!({}))
}

fn headers(time: &str, nonce: &str, signature: &[u8]) -> Vec<(String, String)> {
    [("x-time", time.to_owned()), ("x-nonce", nonce.to_owned()), ("x-signature", hex::encode(signature))]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
}

/// SHA's padding of a message of so many bytes.
fn padding(bytes: usize) -> Vec<u8> {
    let zeros = (119 - bytes % 64) % 64;
    [&[0x80], vec![0; zeros].as_slice(), &(bytes as u64 * 8).to_be_bytes()].concat()
}

/// The digest of a longer message, from a digest and a length alone.
fn extended(scheme: &str, digest: &[u8], hashed: usize, suffix: &[u8]) -> Vec<u8> {
    let tail = [suffix, &padding(hashed + suffix.len())].concat();
    let blocks: Vec<[u8; 64]> = tail.chunks_exact(64).map(|block| block.try_into().unwrap()).collect();
    let words = digest.chunks_exact(4).map(|word| u32::from_be_bytes(word.try_into().unwrap()));
    let words: Vec<u32> = if scheme == "sha1" {
        let mut state: [u32; 5] = words.collect::<Vec<_>>().try_into().unwrap();
        sha1::block_api::compress(&mut state, &blocks);
        state.to_vec()
    } else {
        let mut state: [u32; 8] = words.collect::<Vec<_>>().try_into().unwrap();
        sha2::block_api::compress256(&mut state, &blocks);
        state.to_vec()
    };
    words.into_iter().flat_map(u32::to_be_bytes).collect()
}

fn digest(scheme: &str, message: &[u8]) -> Vec<u8> {
    if scheme == "sha1" { Sha1::digest(message).to_vec() } else { Sha256::digest(message).to_vec() }
}

#[test]
fn to_a_body_that_a_plain_digest_signs_nothing_can_be_appended() {
    for scheme in ["sha1", "sha256"] {
        let door = ordered(scheme);
        let (time, nonce, body) = ("1767225600", "n0nce", r#"{"event":1}"#);
        let message = [time, nonce, SECRET, body].concat();
        let signature = digest(scheme, message.as_bytes());
        let own = headers(time, nonce, &signature);
        assert!(matches!(door.prove(&incoming(&own, body)), Ok(Proved::Delivery { opened: None })));

        let suffix = br#","event":2}"#;
        let whole = message.len() + padding(message.len()).len();
        let forged = extended(scheme, &signature, whole, suffix);
        let longer = [body.as_bytes(), &padding(message.len()), suffix].concat();
        let naive = [[time, nonce, SECRET].concat().as_bytes(), &longer].concat();
        assert_eq!(forged, digest(scheme, &naive), "the forged digest is right: the attack is real");
        let forged = headers(time, nonce, &forged);
        let attempt = Incoming { body: &longer, ..incoming(&forged, "") };
        assert!(door.prove(&attempt).is_err(), "{scheme}");
    }
}

/// Digests of the key with less around it than the vendor puts there: SHA-256 of the key alone is the key of a cipher.
#[test]
fn a_plain_digest_over_fewer_pieces_is_refused_even_if_it_is_right() {
    for scheme in ["sha1", "sha256"] {
        let door = ordered(scheme);
        let refusal = door.refused(&incoming(&[], "{}"));
        for (time, nonce, body) in
            [("", "", ""), ("", "", "{}"), ("1767225600", "", "{}"), ("", "n", "{}"), ("17672256001", "n", "{}")]
        {
            let right = digest(scheme, [time, nonce, SECRET, body].concat().as_bytes());
            let given = headers(time, nonce, &right);
            assert_eq!(door.refused(&incoming(&given, body)), refusal, "{scheme} {time:?} {nonce:?} {body:?}");
        }
        for guess in [digest(scheme, SECRET.as_bytes()), digest(scheme, b""), vec![], vec![0; 20], vec![0; 32]] {
            let given = headers("1767225600", "n", &guess);
            assert_eq!(door.refused(&incoming(&given, "{}")), refusal, "{scheme}");
        }
    }
}

/// Reads an AES key as an attacker would who is given what chosen texts decrypt to under an IV that is the key's first half.
#[test]
fn a_text_that_would_open_to_half_of_the_key_is_never_opened() {
    let (token, owner, aes) = ("t0ken", "dingmadeupapp", SECRET.trim_end_matches('='));
    let door = dingtalk(token, aes, owner);
    let answer: Value = serde_json::from_slice(&door.answer(b"success", NOW_MS)).unwrap();
    let member = |name: &str| answer[name].as_str().unwrap().to_owned();
    let cipher = STANDARD.decode(member("encrypt")).unwrap();
    let (first, last) = (&cipher[..16], &cipher[cipher.len() - 32..]);
    let chosen = [first, &[0; 16], first, first, last].concat();
    // With the key at hand: what the attacker would be told.
    let mut opened = chosen[..48].to_vec();
    let mut mode = cbc::Decryptor::<Aes256>::new_from_slices(KEY, &KEY[..16]).unwrap();
    for block in opened.chunks_exact_mut(16) {
        let block: &mut Block<Aes256> = block.try_into().unwrap();
        mode.decrypt_block(block);
    }
    let half: Vec<u8> = opened[..16].iter().zip(&opened[32..48]).map(|(one, three)| one ^ three).collect();
    assert_eq!(half, KEY[..16], "the attack is real");

    let post = |signature: &str, nonce: &str, cipher: &[u8]| {
        let query = format!("?signature={signature}&timestamp={}&nonce={nonce}", member("timeStamp"));
        let body = json!({ "encrypt": STANDARD.encode(cipher) }).to_string();
        let delivery = Incoming { path_and_query: &query, ..incoming(&[], &body) };
        door.prove(&delivery).map_err(|error| error.to_string())
    };
    let signature = member("msg_signature");
    let mut swapped = cipher.clone();
    swapped.rotate_left(32);
    let mut flipped = cipher.clone();
    flipped[3] ^= 1;
    let words: BTreeSet<String> =
        [&chosen, &cipher[32..].to_vec(), &cipher[..32].to_vec(), &swapped, &flipped, &[0; 64].to_vec()]
            .into_iter()
            .flat_map(|text| [signature.clone(), String::new(), "00".repeat(20)].map(|given| (given, text.clone())))
            .map(|(given, text)| post(&given, &member("nonce"), &text).err().unwrap())
            .collect();
    assert_eq!(words.len(), 1, "{words:?}");

    // What was sealed here can be sent back to us, and opens to what was sealed: a vendor's answer looks like its deliveries.
    let own = post(&signature, &member("nonce"), &cipher);
    assert!(matches!(own, Ok(Proved::Delivery { opened: Some(text) }) if text == b"success"));
    assert_eq!(read_by_the_vendor(answer.to_string().as_bytes(), token, aes, owner).as_deref(), Some("success"));
}

#[test]
fn whoever_has_no_signature_learns_nothing_from_texts_that_he_changes_or_makes_up() {
    let feishu = Feishu { key: "an encrypt key", nonce: "n" };
    let door = feishu.door(None);
    let event = json!({ "schema": "2.0", "header": { "event_id": "e" }, "event": { "name": "Li Lei" } }).to_string();
    let body = feishu.encrypted(&event);
    let recorded: Value = serde_json::from_str(&body).unwrap();
    let recorded = STANDARD.decode(recorded["encrypt"].as_str().unwrap()).unwrap();
    let mut tried = vec![recorded.clone()];
    // A padding oracle asks for each value of a byte before the last block; a forger changes the IV and so the first block.
    for value in 0..=255 {
        for at in [0, 5, recorded.len() - 17, recorded.len() - 32] {
            let mut changed = recorded.clone();
            changed[at] ^= value;
            tried.push(changed);
        }
        tried.push([[value; 16], [value; 16]].concat());
    }
    for blocks in 1..recorded.len() / 16 {
        tried.push(recorded[..blocks * 16].to_vec());
        tried.push(recorded[blocks * 16..].to_vec());
    }
    let words: BTreeSet<String> = tried
        .iter()
        .map(|text| door.refused(&incoming(&[], &json!({ "encrypt": STANDARD.encode(text) }).to_string())))
        .collect();
    assert_eq!(words.len(), 1, "{words:?}");
    let headers = feishu.headers(NOW_MS / 1_000, &body);
    assert_eq!(door.opened(&incoming(&headers, &body)), event, "the vendor's own is opened");
}

/// The one text that is opened without a signature is the answer to a question; nothing else of it comes out.
#[test]
fn a_question_tells_the_word_that_is_to_be_repeated_and_nothing_beside_it() {
    let feishu = Feishu { key: "an encrypt key", nonce: "n" };
    let question = json!({
        "challenge": "word", "type": "url_verification", "token": "t0ken-canary", "name": "Li Lei",
    });
    let body = feishu.encrypted(&question.to_string());
    let Ok(Proved::Question { answer }) = feishu.door(None).prove(&incoming(&[], &body)) else { panic!("no question") };
    assert_eq!(answer, br#"{"challenge":"word"}"#);
    // A wrong signature is not the same as a missing one: with it, the delivery is not a question any more.
    let mut wrong = feishu.headers(NOW_MS / 1_000, &body);
    wrong[2].1 = "00".repeat(32);
    assert!(feishu.door(None).prove(&incoming(&wrong, &body)).is_err());
}

#[test]
fn a_text_that_is_compared_is_told_by_its_whole_alone() {
    let feishu = Feishu { key: "an encrypt key", nonce: "n" };
    let door = Door::new(FEISHU, &[("encrypt_key", feishu.key), ("verification_token", SECRET)], json!({}));
    let event = |token: Value| {
        let body = feishu.encrypted(&json!({ "header": { "token": token }, "token": 7 }).to_string());
        let headers = feishu.headers(NOW_MS / 1_000, &body);
        door.prove(&incoming(&headers, &body)).map_err(|error| error.to_string())
    };
    assert!(event(SECRET.into()).is_ok());
    let guesses = [
        json!(""),
        json!(SECRET[..1]),
        json!(SECRET[..SECRET.len() - 1]),
        json!(format!("{SECRET}x")),
        json!(SECRET.to_lowercase()),
        json!(null),
        json!([SECRET]),
        json!({ "0": SECRET }),
    ];
    let words: BTreeSet<String> = guesses.into_iter().map(|guess| event(guess).err().unwrap()).collect();
    assert_eq!(words.len(), 1, "{words:?}");
}
