//! Secrets stay secrets with the real binary: canaries in the slots of two tenants, a connector that hands them over by every way
//! out, a vendor that prints them in many disguises, and then every byte of the folder (F14).

use axum::Json;
use axum::http::HeaderMap;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::{Home, plugin, said, serve};

const ALPHA: &str = "canary-9f3e77a1c0d24b58";
const BETA: &str = "canary-2b6d90e4f7a8135c";

const WAYS: [&str; 11] =
    ["payload", "id", "pointer", "entity", "reject", "reject_id", "reject_reason", "cursor", "failure", "log", "panic"];

/// As a vendor prints a credential.
fn printed(secret: &str) -> Vec<String> {
    let each = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    let (first, second) = secret.split_at(secret.len() / 2);
    vec![
        secret.to_owned(),
        format!("Bearer {secret}"),
        secret.to_uppercase(),
        secret.chars().rev().collect(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(format!("Bearer {secret}")),
        STANDARD.encode(STANDARD.encode(format!("x{secret}"))),
        hex::encode(secret),
        hex::encode_upper(secret),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("%25{byte:02x}")),
        each(|byte| format!("&#x{byte:X};")),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("{byte} ")),
        secret.replace('-', "\n"),
        format!("{first}…"),
        format!("…{second}"),
    ]
}

async fn echo(headers: HeaderMap) -> Json<Value> {
    let sent = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Json(json!(printed(sent.trim_start_matches("Bearer "))))
}

/// Raw, in any case, reversed, in hex, percent-encoded, in base64 at each alignment; and each half.
fn carries(bytes: &[u8], secret: &str) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let base64 = (0..3).map(|before| {
        let padded = STANDARD.encode([vec![0; before], secret.as_bytes().to_vec()].concat());
        padded[if before == 0 { 0 } else { before + 1 }..(before + secret.len()) / 3 * 4].to_lowercase()
    });
    let (first, second) = secret.split_at(secret.len() / 2);
    let reversed: String = secret.chars().rev().collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let plain = [secret, first, second].map(str::to_owned);
    plain.into_iter().chain([reversed, percent, hex::encode(secret)]).chain(base64).any(|form| text.contains(&form))
}

fn config(vendor: &str) -> String {
    let connection = |name: &str, secret: &str| {
        let plugin = plugin("hostile").display().to_string();
        let tenant = if name == "beta" { "tenant = \"beta\"\n" } else { "" };
        let streams: String =
            WAYS.iter().chain(&["echo"]).map(|way| format!("streams.leak_{way} = {{ manual = true }}\n")).collect();
        format!(
            "[connections.{name}]\n{tenant}plugin = {plugin:?}\n\
             config = {{ base_url = {vendor:?}, leak = {secret:?} }}\n\
             grant = {{ hosts = [\"{{base_url}}\"], methods = [\"GET\", \"POST\"], plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n\
             slots.key = {{ env = \"KEY_{name}\" }}\n{streams}\n"
        )
    };
    format!("{}{}", connection("alpha", ALPHA), connection("beta", BETA))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_secret_is_stored_told_or_logged_whatever_a_connector_does_f14() {
    let vendor = serve(axum::Router::new().route("/echo", get(echo))).await;
    let home = Home::new(&config(&vendor)).env("KEY_alpha", ALPHA).env("KEY_beta", BETA).env("RUST_LOG", "debug");
    let mut told = String::new();
    for connection in ["alpha", "beta"] {
        for way in WAYS {
            told += &said(&home.run(&["--dev", "sync", connection, &format!("leak_{way}")]).await);
        }
        let echoed = home.json(&["--dev", "sync", connection, "leak_echo"]).await;
        told += &echoed.to_string();
    }
    let quarantine = home.json(&["--dev", "quarantine", "list"]).await.to_string();
    told += &quarantine;
    for secret in [ALPHA, BETA] {
        assert!(!carries(told.as_bytes(), secret), "{told}");
        let mut seen = 0;
        for (path, bytes) in home.every_byte() {
            // The configuration of this test hands the connector what it is to leak.
            if path.file_name().is_some_and(|name| name != "connectors.toml") {
                seen += bytes.len();
                assert!(!carries(&bytes, secret), "{}", path.display());
            }
        }
        assert!(seen > 100_000, "{seen} bytes: was anything stored?");
    }
    assert!(told.contains("carries_secret"), "{told}");
    // The honest records of the same pages are there: nine or ten of each way that is not a failure, and the vendor's
    // texts.
    let runs = home.json(&["--dev", "runs"]).await.to_string();
    assert!(runs.contains("\"completed\""), "{runs}");
}
