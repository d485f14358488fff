#![allow(clippy::unwrap_used)]
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn slot(name: &str) -> SlotName {
    SlotName::new(name).unwrap()
}

fn seal(secrets: &[(&str, &str)]) -> Seal {
    let secrets = secrets.iter().map(|(name, text)| (slot(name), Secret::new((*text).to_owned()))).collect();
    Seal::new(secrets, 1_000)
}

fn texts(parts: &[&str]) -> Vec<Part> {
    parts.iter().map(|text| Part::Bytes(text.as_bytes().to_vec())).collect()
}

/// A vector that DingTalk publishes: token, AES key, timestamp, nonce, signature, encrypted text, owner, message.
fn dingtalk(vector: [&str; 8]) {
    let [token, aes_key, timestamp, nonce, signature, encrypted, owner, message] = vector;
    let seal = seal(&[("token", token), ("aes_key", aes_key)]);
    let mut parts = texts(&[timestamp, nonce, encrypted]);
    parts.push(Part::Key);
    assert_eq!(hex::encode(seal.sign(&slot("token"), "sha1-sorted", &parts).unwrap()), signature);
    assert!(seal.verify(&slot("token"), "sha1-sorted", &parts, &hex::decode(signature).unwrap()).unwrap());
    parts[0] = Part::Bytes(b"1".to_vec());
    assert!(!seal.verify(&slot("token"), "sha1-sorted", &parts, &hex::decode(signature).unwrap()).unwrap());

    let (key, scheme) = (slot("aes_key"), "aes-256-cbc-key-iv:base64");
    let cipher = STANDARD.decode(encrypted).unwrap();
    let plain = seal.decrypt(&key, scheme, &cipher).unwrap();
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    assert_eq!(std::str::from_utf8(&plain[20..20 + length]).unwrap(), message);
    assert_eq!(std::str::from_utf8(&plain[20 + length..]).unwrap(), owner);
    assert_eq!(seal.encrypt(&key, scheme, &plain).unwrap(), cipher);
}

#[test]
fn dingtalks_published_vectors_hold() {
    dingtalk([
        "123456",
        "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij",
        "1445827045067",
        "nEXhMP4r",
        "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0",
        "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9VrYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ==",
        "suite4xxxxxxxxxxxxxxx",
        r#"{"EventType":"check_create_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}"#,
    ]);
    dingtalk([
        "mryue",
        "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7",
        "1608001896814",
        "WL4PK6yA",
        "03044561471240d4a14bb09372dfcfd4fd0e40cb",
        "0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3",
        "ding6ccabc44d2c8d38b",
        r#"{"EventType":"check_url"}"#,
    ]);
}

#[test]
fn feishus_published_vector_holds_and_encrypting_is_its_reverse() {
    let seal = seal(&[("encrypt_key", "test key")]);
    let key = slot("encrypt_key");
    let cipher = STANDARD.decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=").unwrap();
    assert_eq!(seal.decrypt(&key, "aes-256-cbc:sha256", &cipher).unwrap(), b"hello world");
    let once = seal.encrypt(&key, "aes-256-cbc:sha256", b"hello world").unwrap();
    assert_ne!(once, seal.encrypt(&key, "aes-256-cbc:sha256", b"hello world").unwrap(), "the IV is new each time");
    assert_eq!(seal.decrypt(&key, "aes-256-cbc:sha256", &once).unwrap(), b"hello world");
}

#[test]
fn hmac_is_that_of_rfc_2202_and_rfc_4231() {
    let seal = seal(&[("k", "Jefe")]);
    let sign = |scheme: &str| {
        hex::encode(seal.sign(&slot("k"), scheme, &texts(&["what do ya want ", "for nothing?"])).unwrap())
    };
    assert_eq!(sign("hmac-sha1"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_eq!(sign("hmac-sha256"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!(
        sign("hmac-sha512"),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    );
}

#[test]
fn the_key_goes_in_where_the_parts_say() {
    let seal = seal(&[("k", "b")]);
    let parts = [Part::Bytes(b"a".to_vec()), Part::Key, Part::Bytes(b"c".to_vec())];
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex::encode(seal.sign(&slot("k"), "sha256", &parts).unwrap()), abc);
}

#[test]
fn a_plain_digest_of_the_key_alone_is_refused() {
    let seal = seal(&[("k", "test key")]);
    for scheme in ["sha1", "sha256", "sha1-sorted"] {
        for parts in [vec![Part::Key], vec![Part::Bytes(vec![]), Part::Key], vec![Part::Key, Part::Key]] {
            assert!(matches!(seal.sign(&slot("k"), scheme, &parts), Err(EgressError::BadRequest(_))), "{scheme}");
        }
    }
    assert!(seal.sign(&slot("k"), "hmac-sha256", &[Part::Key]).is_ok());
}

#[test]
fn bad_slots_schemes_sizes_and_texts_are_told_apart() {
    let seal = seal(&[("k", "test key"), ("empty", " \n")]);
    let sign = |slot_name: &str, scheme: &str, parts: &[Part]| seal.sign(&slot(slot_name), scheme, parts).unwrap_err();
    assert!(matches!(sign("none", "hmac-sha1", &[]), EgressError::Auth(_)));
    assert!(matches!(sign("empty", "hmac-sha1", &[]), EgressError::Auth(_)));
    assert!(matches!(sign("k", "md5", &[]), EgressError::BadRequest(_)));
    assert!(matches!(sign("k", "hmac-sha1", &[Part::Bytes(vec![0; 1_001])]), EgressError::Limit { .. }));
    assert!(seal.sign(&slot("k"), "hmac-sha1", &[Part::Bytes(vec![0; 1_000])]).is_ok());
    assert!(matches!(seal.encrypt(&slot("k"), "aes-256-cbc", b"x"), Err(EgressError::Auth(_))));
    assert!(matches!(seal.encrypt(&slot("k"), "aes-256-cbc:base64", b"x"), Err(EgressError::Auth(_))));
    for bad in [&b""[..], &[0; 16], &[0; 17], &[7; 48]] {
        assert!(matches!(seal.decrypt(&slot("k"), "aes-256-cbc:sha256", bad), Err(EgressError::BadRequest(_))));
    }
}
