//! Every form of the promise against the whole search, and honest texts against it.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use renmen_schema::id::SlotName;

use super::{Parts, Search, Sight, parts};

const SECRET: &str = "canary-9f3e77a1+c0d/24b58=";

fn search(secret: &str) -> Search {
    let slot = SlotName::new("app").unwrap();
    Search::new([(&slot, &parts(secret, None, &[]).unwrap())]).unwrap().unwrap()
}

fn redacted(search: &Search, text: &str, sight: Sight) -> String {
    search
        .redact(text.as_bytes(), sight)
        .map_or(text.to_owned(), |(clean, _)| String::from_utf8_lossy(&clean).into_owned())
}

fn each(text: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

/// What a vendor could make of a credential that it prints, and a connector of one that it got.
fn disguises(secret: &str) -> Vec<(&'static str, String)> {
    let bytes = secret.as_bytes();
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let percent = |text: &str| each(text, |byte| format!("%{byte:02X}"));
    let hex = hex::encode(bytes);
    let mixed = hex.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c });
    let wrap = |text: &str, every: usize, with: &str| {
        let lines: Vec<&str> = text.as_bytes().chunks(every).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(with)
    };
    let base32 = |bytes: &[u8]| {
        let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let sign = |five: &[u8]| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
                [five.iter().fold(0, |n, bit| n << 1 | usize::from(*bit)) << (5 - five.len())]
        };
        bits.chunks(5).map(|five| char::from(sign(five))).collect::<String>()
    };
    vec![
        ("as it is", secret.to_owned()),
        ("upper case", secret.to_ascii_uppercase()),
        ("lower case", secret.to_ascii_lowercase()),
        ("reversed", secret.chars().rev().collect()),
        ("without its padding", secret.trim_end_matches('=').to_owned()),
        ("hex", hex::encode(bytes)),
        ("hex, upper case", hex::encode_upper(bytes)),
        ("hex, mixed case", mixed.collect()),
        ("hex with spaces", each(secret, |byte| format!("{byte:02x} "))),
        ("base64", STANDARD.encode(bytes)),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(bytes)),
        ("base64 after 1", STANDARD.encode(format!("u{secret}"))),
        ("base64 after 2", STANDARD.encode(format!("us{secret}p"))),
        ("base64 of JSON", STANDARD_NO_PAD.encode(format!("{{\"key\":{}}}", json(secret)))),
        ("base64 twice", STANDARD.encode(STANDARD.encode(bytes))),
        ("base64 twice after 1", STANDARD.encode(format!("x{}", STANDARD.encode(format!("y{secret}"))))),
        ("base64 in lines", wrap(&STANDARD.encode(bytes), 10, "\r\n")),
        ("base64 of hex", STANDARD.encode(hex::encode(bytes))),
        ("hex of base64", hex::encode(STANDARD.encode(bytes))),
        ("base32", base32(bytes)),
        ("base32 after 3", base32(format!("abc{secret}").as_bytes())),
        ("percent", url::form_urlencoded::byte_serialize(bytes).collect()),
        ("percent, every sign", percent(secret)),
        ("percent, small digits", percent(secret).to_ascii_lowercase()),
        ("percent twice", percent(&percent(secret))),
        ("percent of JSON", percent(&json(secret))),
        (
            "JSON as Gson writes it",
            each(
                secret,
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("\\u{byte:04x}") },
            ),
        ),
        ("JSON, every sign", each(secret, |byte| format!("\\u{byte:04X}"))),
        ("JSON with slashes", secret.replace('/', "\\/")),
        ("JSON within JSON", json(&each(secret, |byte| format!("\\u{byte:04x}")))),
        (
            "HTML as mustache writes it",
            each(
                secret,
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("&#x{byte:X};") },
            ),
        ),
        ("HTML decimal, every sign", each(secret, |byte| format!("&#{byte};"))),
        (
            "HTML names",
            secret.replace('+', "&plus;").replace('/', "&sol;").replace('=', "&equals;").replace('-', "&hyphen;"),
        ),
        ("program escapes", each(secret, |byte| format!("\\x{byte:02x}"))),
        ("octal escapes", each(secret, |byte| format!("\\{byte:03o}"))),
        ("in lines", wrap(secret, 7, "\n")),
        ("in lines within JSON", wrap(secret, 7, "\\n")),
        ("with spaces", wrap(secret, 1, " ")),
        ("with dashes", wrap(secret, 4, "-")),
        ("a list of bytes", format!("{bytes:?}")),
        ("a list of bytes in hex", format!("{bytes:#04x?}")),
        ("a list of letters", serde_json::to_string(&secret.chars().map(String::from).collect::<Vec<_>>()).unwrap()),
        ("in UTF-16", String::from_utf8(bytes.iter().flat_map(|byte| [*byte, 0]).collect()).unwrap()),
        ("the first half", secret[..secret.len() / 2].to_owned()),
        ("the second half", secret[secret.len() / 2..].to_owned()),
        ("split over members", format!("a\",\"b\":\"{}\",\"c\":\"{}", &secret[..12], &secret[12..])),
        ("the first half in base64", STANDARD.encode(&secret[..secret.len() / 2])),
        ("quoted-printable", each(secret, |byte| format!("={byte:02X}"))),
    ]
}

#[test]
fn a_secret_is_found_in_every_disguise_of_the_promise_f14() {
    let search = search(SECRET);
    for (name, disguise) in disguises(SECRET) {
        for text in
            [disguise.clone(), format!("{{\"a\":1,\"echo\":\"{disguise}\",\"n\":[7,8]}}"), format!("x={disguise}&y=2")]
        {
            for sight in [Sight::Told, Sight::Kept] {
                assert!(search.find(text.as_bytes(), sight).is_some(), "{name}, {sight:?}: {text}");
                let clean = redacted(&search, &text, sight);
                assert!(
                    clean.contains("[redacted]") && search.find(clean.as_bytes(), sight).is_none(),
                    "{name}: {clean}"
                );
            }
        }
    }
}

#[test]
fn what_is_plainly_a_secret_is_taken_out_whole_and_nothing_else_is() {
    let search = search(SECRET);
    for form in super::form::whole_forms(SECRET) {
        let text = format!("before {} after", String::from_utf8_lossy(&form));
        assert_eq!(redacted(&search, &text, Sight::Told), "before [redacted] after");
    }
    assert_eq!(redacted(&search, "nothing here, not even a canary", Sight::Kept), "nothing here, not even a canary");
}

#[test]
fn json_stays_json_where_a_number_or_a_list_is_taken_out() {
    let search = search(r#"{"pin":4711081599,"key":"7GqLwPz0RkTn3vYs"}"#);
    for text in [r#"{"pin": 4711081599, "b": 1}"#.to_owned(), format!("{{\"list\": {:?}}}", b"7GqLwPz0RkTn3vYs")] {
        let clean = redacted(&search, &text, Sight::Told);
        let json: serde_json::Value = serde_json::from_str(&clean).unwrap_or_else(|error| panic!("{clean}: {error}"));
        assert!(json.to_string().contains("[redacted]"));
    }
}

#[test]
fn a_number_is_found_alone_and_not_within_another() {
    let search = search(r#"{"pin":4711081599}"#);
    assert!(search.find(b"pin 4711081599.", Sight::Told).is_some());
    assert!(search.find(b"{\"phone\":\"14711081599\"}", Sight::Told).is_none());
    assert!(search.find(STANDARD.encode("4711081599").as_bytes(), Sight::Told).is_some());
}

#[test]
fn a_short_or_plain_secret_is_found_as_it_is_and_in_the_usual_encodings() {
    for secret in ["s&cret", "summer-2024", "p@ss \"word\"/+é", "!$%&/()=?*+#'-_.:,;<>|"] {
        let search = search(secret);
        for text in [
            secret.to_owned(),
            secret.to_ascii_uppercase(),
            serde_json::to_string(secret).unwrap(),
            STANDARD.encode(secret),
            STANDARD.encode(format!("user:{secret}")),
            hex::encode_upper(secret),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            each(secret, |byte| format!("%{byte:02x}")),
        ] {
            assert!(search.find(format!("<{text}>").as_bytes(), Sight::Told).is_some(), "{secret}: {text}");
        }
        assert!(search.find(b"{\"season\":\"summer\",\"year\":2024,\"kind\":\"secret\"}", Sight::Kept).is_none());
    }
}

#[test]
fn pieces_of_what_is_public_are_not_looked_for() {
    let secret = r#"{"client_id":"ding7GqLwPz0RkTn","client_secret":"ding7GqLwPz0RkTn-3vYs5hXa9dBc"}"#;
    let slot = SlotName::new("app").unwrap();
    let parts = parts(secret, None, &["client_id".to_owned()]).unwrap();
    let search = Search::new([(&slot, &parts)]).unwrap().unwrap();
    assert!(search.find(b"app ding7GqLwPz0RkTn", Sight::Kept).is_none());
    assert_eq!(search.find(b"3vYs5hXa9dBc", Sight::Told).unwrap().member.as_deref(), Some("client_secret"));
}

#[test]
fn what_lies_across_two_bites_is_found() {
    let search = search(SECRET);
    for at in (60_000..70_000).step_by(997) {
        let text = format!("{}{SECRET}{}", "x".repeat(at), "y".repeat(70_000 - at));
        let clean = redacted(&search, &text, Sight::Told);
        assert_eq!(clean.len(), 70_000 + "[redacted]".len(), "{at}");
    }
}

#[test]
fn an_empty_slot_has_nothing_to_look_for() {
    let slot = SlotName::new("app").unwrap();
    assert!(Search::new([(&slot, &Parts::default())]).unwrap().is_none());
}

/// Secrets as operators have them, for the proof that honest pages are left alone.
const OPERATORS_SECRETS: [&str; 9] = [
    r#"{"client_id":"dingoaxk3v7qz1m","client_secret":"Zk8-pLw2_RtV5nYq7bXc1mHs9dFg3jKa6uTe4iOo0vBnMwQeRtYu"}"#,
    r#"{"app_id":"cli_a1b2c3d4e5f6","app_secret":"Hq3mZx8vKc2pLw7tRb5nYs1dGf9jAe4u"}"#,
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "6f1ed002-ab5e-4a2c-9b3d-7c0f4d5e8a91",
    "sk_live_51HqLmZx8vKc2pLw7tRb5nYs1",
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "correct-horse-battery-staple",
    "renmen-gateway-production-1",
    "renmen:Interview-Employee-2026!",
];

#[test]
fn no_text_of_this_project_is_taken_for_a_secret() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let mut texts = Vec::new();
    for folder in ["docs", "plugins", "plugin-sdk", "tests"] {
        collect(&root.join(folder), &mut texts);
    }
    assert!(texts.len() > 150 && texts.iter().map(Vec::len).sum::<usize>() > 1 << 20, "{} texts", texts.len());
    let search = operators();
    for text in &texts {
        if let Some((clean, found)) = search.redact(text, Sight::Kept) {
            let clean = String::from_utf8_lossy(&clean).into_owned();
            let at = clean.find("[redacted]").unwrap_or_default();
            panic!("{found} in: {}", &clean[clean.floor_char_boundary(at.saturating_sub(200))..at]);
        }
    }
}

fn operators() -> Search {
    let slots: Vec<_> = OPERATORS_SECRETS
        .iter()
        .enumerate()
        .map(|(n, secret)| (SlotName::new(&format!("slot_{n}")).unwrap(), parts(secret, None, &[]).unwrap()))
        .collect();
    Search::new(slots.iter().map(|(slot, parts)| (slot, parts))).unwrap().unwrap()
}

/// Fixtures, snapshots, documents and sources; not what is built.
fn collect(folder: &std::path::Path, texts: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
                collect(&path, texts);
            }
        } else if path
            .extension()
            .is_some_and(|ext| ["json", "md", "toml", "snap", "rs", "csv", "wit"].iter().any(|known| ext == *known))
        {
            texts.push(std::fs::read(path).unwrap());
        }
    }
}

#[test]
fn a_page_of_random_ids_holds_no_piece_of_a_secret() {
    use std::fmt::Write as _;
    let mut page = String::new();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for n in 0..10_000 {
        let (a, b) = (random(), random());
        write!(
            page,
            r#"{{"id":"{a:016x}{b:016x}","open_id":"ou_{:016x}","no":{n},"at":"2026-11-{:02}T08:00:00Z"}}"#,
            random(),
            n % 28
        )
        .unwrap();
    }
    assert_eq!(operators().find(page.as_bytes(), Sight::Kept), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_random_secret_is_found_in_every_disguise_and_wherever_it_stands(
        secret in "[a-zA-Z0-9+/_-]{24,48}",
        before in "[ -~]{0,12}",
        after in "[ -~]{0,12}",
        which in any::<proptest::sample::Index>(),
    ) {
        prop_assume!(!super::piece::pieces(&secret, Sight::Told).is_empty());
        let search = search(&secret);
        let mut all = disguises(&secret);
        // A half may be what is too common to be known; the whole is not.
        all.retain(|(name, _)| !name.contains("half") && !name.contains("split"));
        let (name, disguise) = &all[which.index(all.len())];
        prop_assume!(secret.bytes().filter(u8::is_ascii_alphanumeric).count() >= 20);
        let text = format!("{before} {disguise} {after}");
        prop_assert!(search.find(text.as_bytes(), Sight::Told).is_some(), "{}: {}", name, text);
        let clean = redacted(&search, &text, Sight::Told);
        prop_assert!(search.find(clean.as_bytes(), Sight::Told).is_none(), "{}: {}", name, clean);
    }

    #[test]
    fn taking_secrets_out_never_panics_and_leaves_none(text in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..400) {
        let search = search(SECRET);
        let at = at.min(text.len());
        let text = [&text[..at], SECRET.as_bytes(), &text[at..]].concat();
        let (clean, _) = search.redact(&text, Sight::Kept).unwrap();
        prop_assert!(search.find(&clean, Sight::Kept).is_none());
    }
}
