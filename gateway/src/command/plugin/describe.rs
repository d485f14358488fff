//! What a component says of itself, for the person who is to trust it: what it can do, where it wants to go, and for each secret
//! how it is used and where it is sent. Every word of the manifest is shown as it is, with nothing hidden in it.

use std::fmt::Write as _;

use renmen_plugin_host::Inspection;
use renmen_schema::manifest::{Idempotence, Manifest, WebhookManifest};
use renmen_schema::shown::line;
use renmen_schema::{Text, text};

use super::capabilities;
use crate::command::reach::{how, sealed};
use crate::output::thousands;

/// The sheet of one component.
pub(super) fn describe(found: &Inspection) -> Text {
    Text::rendered(|| sheet(found))
}

/// In the language that is shown.
fn sheet(found: &Inspection) -> String {
    let manifest = &found.manifest;
    let mut sheet = Sheet(String::new());
    let _ = writeln!(sheet.0, "{} {}: {}", line(&manifest.name), line(&manifest.version), line(&manifest.description));
    sheet.row("digest", &found.digest);
    sheet.row("size", &text!("{} bytes", "{} 字节", thousands(found.bytes)));
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
            Idempotence::Key => text!("once for each key", "每个键一次"),
            Idempotence::ReadBeforeWrite => text!("looks before it writes", "写入前先查询"),
            Idempotence::None => text!("a second attempt may do it twice", "再次尝试可能重复执行"),
        };
        sheet.row("action", &format!("{name}: {} ({again})", action.description));
    }
    if let Some(webhook) = &manifest.webhook {
        sheet.row("webhook", &format!("{} ({})", webhook.description, webhook.entities.join(", ")));
        proof(webhook, &mut sheet);
        if let Some(socket) = &webhook.socket {
            sheet.row("socket", &text!("leads to {}", "通向 {}", socket.hosts.join(", ")));
            sheet.row(
                "",
                &text!(
                    "asked for at {} with the secret of slot {}",
                    "以凭据槽 {1} 的密钥在 {0} 申请",
                    socket.open_url,
                    socket.slot
                ),
            );
        }
    }
    sheet.0.trim_end().to_owned()
}

fn slots(manifest: &Manifest, sheet: &mut Sheet) {
    for (name, slot) in &manifest.slots {
        sheet.row("slot", &format!("{name}: {}", slot.description));
        if let Some(other) = &slot.same_as {
            sheet.row("", &text!("holds the secret of slot {other}", "使用凭据槽 {other} 的密钥"));
        }
        match &slot.auth {
            None => sheet.row("", &text!("never sent, {}", "从不发送，{}", sealed(slot.seal.as_ref()))),
            Some(auth) => {
                let to = match slot.audience.as_slice() {
                    [] => text!("any of the hosts above", "上述任一主机"),
                    audience => Text::verbatim(audience.join(", ")),
                };
                sheet.row("", &text!("goes to {to}", "发往 {to}"));
                sheet.row("", &how(auth));
                if let Some(url) = auth.token_url() {
                    sheet.row("", &text!("the secret itself goes to {url}", "密钥本身发往 {url}"));
                }
            }
        }
    }
}

/// Who finds out whether a delivery is the vendor's.
fn proof(webhook: &WebhookManifest, sheet: &mut Sheet) {
    let Some(proof) = &webhook.proof else {
        return sheet.row(
            "",
            &text!(
                "the connector itself finds out whether a delivery is the vendor's",
                "由连接器自行判断投递是否来自厂商"
            ),
        );
    };
    sheet.row("", &text!("the gateway proves each delivery with slot {}", "网关用凭据槽 {} 验证每次投递", proof.slot));
    if let Some(open) = &proof.open {
        let answers = if webhook.answer.is_some() {
            text!(", and seals the answer", "，并密封应答")
        } else {
            Text::default()
        };
        sheet.row("", &text!("the gateway opens it with slot {}{answers}", "网关用凭据槽 {} 打开{answers}", open.slot));
        if open.question.is_some() {
            sheet.row(
                "",
                &text!(
                    "one unsigned question of the vendor's is answered by the gateway itself",
                    "厂商的一个未签名询问由网关自行应答"
                ),
            );
        }
    }
}

/// Lines with a word before them.
struct Sheet(String);

impl Sheet {
    fn row(&mut self, word: &str, text: &dyn std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{word:<10}{}", line(&text.to_string()));
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
        let sheet = describe(&found).english().to_owned();
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
