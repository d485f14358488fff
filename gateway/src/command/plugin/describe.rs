//! What a component says of itself, for the person who is to trust it: what it can do, where it wants to go, and for each secret
//! how it is used and where it is sent. Every word of the manifest is shown as it is, with nothing hidden in it.

use std::fmt::Write as _;

use renmen_plugin_host::Inspection;
use renmen_schema::manifest::{Idempotence, Manifest, WebhookManifest};
use renmen_schema::shown::line;

use super::capabilities;
use crate::command::reach::{how, sealed};
use crate::output::thousands;

/// The sheet of one component.
pub(super) fn describe(found: &Inspection) -> String {
    let manifest = &found.manifest;
    let mut sheet = Sheet(String::new());
    let _ = writeln!(sheet.0, "{} {}: {}", line(&manifest.name), line(&manifest.version), line(&manifest.description));
    sheet.row("digest", &found.digest);
    sheet.row("size", &format!("{} bytes", thousands(found.bytes)));
    sheet.row("contract", &manifest.contract);
    sheet.row("can", &capabilities(found).join(", "));
    sheet.row("imports", &found.imports.join(", "));
    sheet.row("exports", &found.exports.join(", "));
    sheet.row("hosts", &manifest.http.hosts.join(", "));
    let methods = &manifest.http.methods;
    sheet.row("methods", &if methods.is_empty() { "GET".to_owned() } else { methods.join(", ") });
    slots(manifest, &mut sheet);
    for (name, stream) in &manifest.streams {
        sheet.row("stream", &format!("{name}: {} ({})", stream.description, stream.entities.join(", ")));
    }
    for (name, action) in &manifest.actions {
        let again = match action.idempotent {
            Idempotence::Key => "once for each key",
            Idempotence::ReadBeforeWrite => "looks before it writes",
            Idempotence::None => "a second attempt may do it twice",
        };
        sheet.row("action", &format!("{name}: {} ({again})", action.description));
    }
    if let Some(webhook) = &manifest.webhook {
        sheet.row("webhook", &format!("{} ({})", webhook.description, webhook.entities.join(", ")));
        proof(webhook, &mut sheet);
        if let Some(socket) = &webhook.socket {
            sheet.row("socket", &format!("leads to {}", socket.hosts.join(", ")));
            sheet.row("", &format!("asked for at {} with the secret of slot {}", socket.open_url, socket.slot));
        }
    }
    sheet.0.trim_end().to_owned()
}

fn slots(manifest: &Manifest, sheet: &mut Sheet) {
    for (name, slot) in &manifest.slots {
        sheet.row("slot", &format!("{name}: {}", slot.description));
        if let Some(other) = &slot.same_as {
            sheet.row("", &format!("holds the secret of slot {other}"));
        }
        match &slot.auth {
            None => sheet.row("", &format!("never sent, {}", sealed(slot.seal.as_ref()))),
            Some(auth) => {
                let to = match slot.audience.as_slice() {
                    [] => "any of the hosts above".to_owned(),
                    audience => audience.join(", "),
                };
                sheet.row("", &format!("goes to {to}"));
                sheet.row("", &how(auth));
                if let Some(url) = auth.token_url() {
                    sheet.row("", &format!("the secret itself goes to {url}"));
                }
            }
        }
    }
}

/// Who finds out whether a delivery is the vendor's.
fn proof(webhook: &WebhookManifest, sheet: &mut Sheet) {
    let Some(proof) = &webhook.proof else {
        return sheet.row("", "the connector itself finds out whether a delivery is the vendor's");
    };
    sheet.row("", &format!("the gateway proves each delivery with slot {}", proof.slot));
    if let Some(open) = &proof.open {
        let answers = if webhook.answer.is_some() { ", and seals the answer" } else { "" };
        sheet.row("", &format!("the gateway opens it with slot {}{answers}", open.slot));
        if open.question.is_some() {
            sheet.row("", "one unsigned question of the vendor's is answered by the gateway itself");
        }
    }
}

/// Lines with a word before them.
struct Sheet(String);

impl Sheet {
    fn row(&mut self, word: &str, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{word:<10}{}", line(text));
    }
}

#[cfg(test)]
mod tests {
    use renmen_schema::shown::is_deceptive;

    use super::*;

    /// A manifest whose author would like another line to be read than the one that is there.
    const LIAR: &str = r#"
name = "liar"
version = "1.0.0"
description = "Staff\u001B[3A\rhosts     https://api.good.example\u202E"
contract = "0.2.0"
[streams.employees]
description = "All\nslot      key: goes nowhere"
entities = ["employee"]
[http]
hosts = ["https://api.good.example", "https://collector.example"]
methods = ["GET", "POST"]
[slots.key]
description = "The key\u200B\u009B2K"
audience = ["https://collector.example"]
auth = { type = "static", place = { in = "query", name = "k\u001Bey" } }
[slots.app]
description = "The app"
auth = { type = "json_token", token_url = "https://token.example/get", send = "form", fields = { key = "{id}" }, token = "/t" }
[slots.app_old]
description = "The same"
same_as = "app"
auth = { type = "basic" }
[slots.signing]
description = "Signs"
seal = { scheme = "hmac-sha256", use = "sign" }
[slots.checking]
description = "Checks"
seal = { scheme = "hmac-sha1", use = "verify" }
[slots.token]
description = "Proves"
seal = { scheme = "sha1-sorted", use = "host" }
[slots.aes]
description = "Opens"
seal = { scheme = "aes-256-cbc-key-iv:base64", use = "host" }
[slots.idle]
description = "Lies there"
[webhook]
description = "Staff that changed"
entities = ["employee"]
[webhook.proof]
slot = "token"
signature = { query = ["s"] }
signed = [{ is = "time_ms", at = { query = ["t"] } }, { is = "nonce", at = { query = ["n"] } }, { is = "cipher" }]
open = { slot = "aes", cipher = "/encrypt" }
[webhook.answer]
body = { s = "{signature}", c = "{cipher}" }
"#;

    #[test]
    fn each_slot_says_where_its_secret_goes_and_nothing_is_hidden() -> anyhow::Result<()> {
        let manifest = Manifest::parse(LIAR)?;
        let found = Inspection { manifest, digest: "sha256:00".into(), bytes: 1, imports: vec![], exports: vec![] };
        let sheet = describe(&found);
        assert!(!sheet.chars().any(|c| c != '\n' && is_deceptive(c)), "{sheet}");
        for wanted in [
            "hosts     https://api.good.example, https://collector.example\n",
            "methods   GET, POST\n",
            "slot      key: The key\\u{200b}\\u{9b}2K\n          goes to https://collector.example\n          in the query, as k\\u{1b}ey\n",
            "          in the header authorization, behind `Bearer `, as a token\n          the secret itself goes to https://token.example/get\n",
            "holds the secret of slot app\n          goes to any of the hosts above\n          in the header authorization, as user and password (RFC 7617)\n",
            "never sent, a key for hmac-sha256: the connector gets signatures made with it\n",
            "never sent, a key for hmac-sha1: the connector may ask whether a signature is right, and gets none\n",
            "never sent, a key for sha1-sorted: for the gateway alone\n",
            "slot      idle: Lies there\n          never sent, a key for nothing\n",
            "          the gateway proves each delivery with slot token\n          the gateway opens it with slot aes, and seals the answer",
            "stream    employees: All\\nslot      key: goes nowhere (employee)",
        ] {
            assert!(sheet.contains(wanted), "{wanted}\n---\n{sheet}");
        }
        assert_eq!(sheet.lines().filter(|line| line.starts_with("hosts")).count(), 1, "{sheet}");
        Ok(())
    }
}
