//! What a manifest may seal, and what not.

use renmen_schema::manifest::Manifest;

/// Both families of vendors: one signs sorted pieces and wants a sealed answer, one signs the body and asks unsigned.
const SORTED: &str = r#"
name = "sorted"
version = "1.0.0"
description = "x"
contract = "0.2.0"
[slots.app]
description = "x"
auth = { type = "static", place = { in = "header", name = "x-key" } }
[slots.token]
description = "x"
seal = { scheme = "sha1-sorted", use = "host" }
[slots.aes]
description = "x"
seal = { scheme = "aes-256-cbc-key-iv:base64", use = "host" }
[slots.outgoing]
description = "x"
seal = { scheme = "hmac-sha256", use = "sign" }
[webhook]
description = "x"
[webhook.proof]
slot = "token"
signature = { query = ["signature"] }
signed = [{ is = "time_ms", at = { query = ["timestamp"] } }, { is = "nonce", at = { query = ["nonce"] } }, { is = "cipher" }]
[webhook.proof.open]
slot = "aes"
cipher = "/encrypt"
owner = "{owner}"
[webhook.answer]
body = { signature = "{signature}", time = "{time}", nonce = "{nonce}", encrypt = "{cipher}" }
[config_schema.properties.owner]
type = "string"
"#;

const ORDERED: &str = r#"
name = "ordered"
version = "1.0.0"
description = "x"
contract = "0.2.0"
[slots.encrypt_key]
description = "x"
seal = { scheme = "sha256", use = "host" }
[slots.decrypt_key]
description = "x"
same_as = "encrypt_key"
seal = { scheme = "aes-256-cbc:sha256", use = "host" }
[slots.verification]
description = "x"
optional = true
seal = { scheme = "equal", use = "host" }
[webhook]
description = "x"
[webhook.proof]
slot = "encrypt_key"
signature = { header = "x-signature" }
signed = [{ is = "time_s", at = { header = "x-time" } }, { is = "nonce", at = { header = "x-nonce" } }, { is = "key" }, { is = "body" }]
[webhook.proof.open]
slot = "decrypt_key"
cipher = "/encrypt"
token = { slot = "verification", at = ["/token", "/header/token"] }
question = { when = { "/type" = "url_verification" }, answer = { challenge = "/challenge" } }
"#;

fn faults(text: &str) -> Vec<String> {
    Manifest::parse(text).unwrap().check().iter().map(ToString::to_string).collect()
}

fn check(base: &str, cases: &[(&str, &str, &str)]) {
    assert_eq!(faults(base), [] as [&str; 0]);
    for (from, to, wanted) in cases {
        assert!(base.contains(from), "{from}");
        let found = faults(&base.replacen(from, to, 1));
        assert!(found.iter().any(|fault| fault.starts_with(wanted)), "{to}: {found:#?}");
    }
}

#[test]
fn a_slot_is_a_key_or_a_credential_and_never_both() {
    let auth = "auth = { type = \"static\", place = { in = \"header\", name = \"x-key\" } }";
    let sealed = format!("{auth}\nseal = {{ scheme = \"hmac-sha256\", use = \"verify\" }}");
    let signs = "seal = { scheme = \"hmac-sha256\", use = \"sign\" }";
    let shares = format!("same_as = \"app\"\n{signs}");
    check(
        SORTED,
        &[
            (auth, &sealed, "slots.app.seal: a slot with an auth recipe is never sealed"),
            (signs, &shares, "slots.outgoing.seal: slot `app` has the same secret and an auth recipe"),
            (
                "[webhook.proof]",
                "[webhook.socket]\nopen = { body = {}, endpoint = \"/e\", ticket = \"/t\", ticket_query = \"t\" }\nevent = { when = { \"/type\" = \"EVENT\" }, id = \"/id\", body = \"/data\" }\nanswers = { taken = {}, later = {}, refused = {} }\nopen_url = \"https://a.test/\"\nslot = \"outgoing\"\nhosts = [\"https://a.test\"]\n[webhook.proof]",
                "slots.outgoing.seal: the slot that opens webhook.socket is never sealed",
            ),
        ],
    );
}

#[test]
fn a_key_that_only_checks_hmacs_may_be_the_secret_that_goes_onto_requests() {
    let signs = "seal = { scheme = \"hmac-sha256\", use = \"sign\" }";
    for (seal, allowed) in [
        ("{ scheme = \"hmac-sha256\", use = \"verify\" }", true),
        ("{ scheme = \"hmac-sha1\", use = \"host\" }", true),
        ("{ scheme = \"hmac-sha256\", use = \"sign\" }", false),
        ("{ scheme = \"sha256\", use = \"host\" }", false),
        ("{ scheme = \"equal\", use = \"host\" }", false),
    ] {
        let found = faults(&SORTED.replacen(signs, &format!("same_as = \"app\"\nseal = {seal}"), 1));
        let refused = found.iter().any(|fault| fault.contains("has the same secret and an auth recipe"));
        assert_eq!(refused, !allowed, "{seal}: {found:#?}");
    }
}

#[test]
fn a_plain_digest_a_cipher_and_a_text_are_never_a_connectors_to_ask_for() {
    for scheme in ["sha1", "sha256", "sha1-sorted", "aes-256-cbc:sha256", "aes-256-cbc-key-iv:base64", "equal"] {
        for used in ["verify", "sign"] {
            let seal = format!("seal = {{ scheme = \"{scheme}\", use = \"{used}\" }}");
            let wanted = format!("slots.outgoing.seal: `{scheme}` is for the gateway alone");
            check(SORTED, &[("seal = { scheme = \"hmac-sha256\", use = \"sign\" }", &seal, &wanted)]);
        }
    }
}

#[test]
fn what_stands_on_one_secret_is_a_pair_with_an_argument() {
    check(
        ORDERED,
        &[
            (
                "scheme = \"sha256\"",
                "scheme = \"sha1\"",
                "slots.decrypt_key.seal: `aes-256-cbc:sha256` here and `sha1`",
            ),
            (
                "scheme = \"aes-256-cbc:sha256\"",
                "scheme = \"aes-256-cbc:base64\"",
                "slots.decrypt_key.seal: `aes-256-cbc:base64` here and `sha256`",
            ),
        ],
    );
}

#[test]
fn what_is_signed_has_one_reading() {
    let signed = "signed = [{ is = \"time_ms\", at = { query = [\"timestamp\"] } }, { is = \"nonce\", at = { query = [\"nonce\"] } }, { is = \"cipher\" }]";
    let two_ways = "webhook.proof.signed: sha1-sorted takes one time, one nonce and the cipher text";
    check(
        SORTED,
        &[
            (", { is = \"cipher\" }]", "]", two_ways),
            (", { is = \"cipher\" }]", ", { is = \"body\" }]", two_ways),
            (
                ", { is = \"cipher\" }]",
                ", { is = \"cipher\" }, { is = \"key\" }]",
                "webhook.proof.signed: `key` is for sha1",
            ),
            (signed, "signed = [{ is = \"cipher\" }]", two_ways),
            ("aes-256-cbc-key-iv:base64", "aes-256-cbc:base64", two_ways),
            (
                "[webhook.proof.open]\nslot = \"aes\"",
                "[webhook.proof.open]\nslot = \"token\"",
                "webhook.proof.open: slot `token`",
            ),
            ("slot = \"aes\"", "slot = \"app\"", "webhook.proof.open.slot: slot `app` is not sealed"),
            ("slot = \"aes\"", "slot = \"none\"", "webhook.proof.open.slot: `none` is not a slot"),
            (
                "slot = \"token\"",
                "slot = \"outgoing\"",
                "webhook.proof.slot: slot `outgoing` is not sealed with use = \"host\"",
            ),
            ("query = [\"signature\"]", "query = []", "webhook.proof: a place without a name"),
        ],
    );
    check(
        ORDERED,
        &[
            (", { is = \"key\" }", "", "webhook.proof.signed: a plain digest proves nothing without the key"),
            (", { is = \"body\" }]", "]", "webhook.proof.signed: neither the body nor its cipher text"),
            ("cipher = \"/encrypt\"", "cipher = \"encrypt\"", "webhook.proof.open: `encrypt` is not a JSON Pointer"),
            (
                "scheme = \"equal\"",
                "scheme = \"hmac-sha1\"",
                "webhook.proof.open: slot `verification` is not sealed with `equal`",
            ),
            (
                "same_as = \"encrypt_key\"\nseal = { scheme = \"aes-256-cbc:sha256\"",
                "seal = { scheme = \"aes-256-cbc-key-iv:base64\"",
                "webhook.proof.signed: a cipher whose IV is from the key must be signed",
            ),
        ],
    );
}

#[test]
fn nothing_unproved_is_opened_where_the_iv_is_from_the_key() {
    let question = "owner = \"{owner}\"\nquestion = { when = { \"/type\" = \"x\" }, answer = { challenge = \"/c\" } }";
    check(
        SORTED,
        &[("owner = \"{owner}\"", question, "webhook.proof.open: a cipher whose IV is from the key opens nothing")],
    );
    check(
        ORDERED,
        &[("when = { \"/type\" = \"url_verification\" }", "when = {}", "webhook.proof.open: question.when")],
    );
}

#[test]
fn an_answer_holds_what_the_gateway_makes_and_no_more() {
    check(
        SORTED,
        &[
            ("encrypt = \"{cipher}\"", "encrypt = \"x\"", "webhook.answer: no member holds `{cipher}`"),
            ("signature = \"{signature}\"", "signature = \"{key}\"", "webhook.answer: no member holds `{signature}`"),
            ("time = \"{time}\"", "time = \"{key}\"", "webhook.answer: `{key}`: the places are"),
            ("{owner}", "{owned}", "webhook.proof.open: `{owned}` is not a key of config_schema"),
        ],
    );
    let answer = "[webhook.answer]\nbody = { s = \"{signature}\", c = \"{cipher}\" }\n[webhook.proof]";
    check(
        ORDERED,
        &[("[webhook.proof]", answer, "webhook.answer: an answer is signed over key, time, nonce and cipher")],
    );
}

#[test]
fn a_scheme_that_does_not_exist_is_an_error_with_its_place() {
    let error = Manifest::parse(&SORTED.replacen("sha1-sorted", "md5-sorted", 1)).unwrap_err();
    assert!(error.message.contains("md5-sorted"), "{error}");
    assert!(Manifest::parse(&SORTED.replacen("use = \"sign\"", "use = \"encrypt\"", 1)).is_err());
    assert!(Manifest::parse(&SORTED.replacen(", use = \"sign\"", "", 1)).is_err(), "who asks must be said");
}
