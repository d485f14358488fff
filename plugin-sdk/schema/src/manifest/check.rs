//! Reading a `plugin.toml`, and the contradictions that its types cannot rule out.

use std::fmt;

use super::{AuthRecipe, CallBudget, LineageRule, Manifest, Placement, RetryHeader};
use crate::kind::EntityKind;
use crate::sensitivity::class_of;
use crate::shown::line;

/// Bytes of a manifest's text.
pub const MANIFEST_BYTES_MAX: usize = 256 << 10;

/// A manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin.toml, line {}, column {}: {}", self.line, self.column, line(&self.message))
    }
}

impl std::error::Error for ManifestError {}

/// A contradiction in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFault {
    /// Which key: `streams.employees.entities`.
    pub key: String,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", line(&self.key), line(&self.message))
    }
}

impl Manifest {
    /// Reads the text of a `plugin.toml`. Says nothing of contradictions: [`Self::check`] does.
    ///
    /// # Errors
    /// [`ManifestError`] with line and column: no TOML, an unknown key, a wrong type, a missing key, or too many bytes.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MANIFEST_BYTES_MAX {
            let message = format!("{} bytes; expected at most {MANIFEST_BYTES_MAX}", text.len());
            return Err(ManifestError { line: 1, column: 1, message });
        }
        toml::from_str(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            ManifestError { line, column, message: error.message().replace('\n', ", ") }
        })
    }

    /// Every contradiction at once; none means that the manifest can be used.
    #[must_use]
    pub fn check(&self) -> Vec<ManifestFault> {
        let mut faults = Vec::new();
        self.check_names(&mut faults);
        self.check_entities(&mut faults);
        self.check_actions(&mut faults);
        self.check_webhook(&mut faults);
        self.check_hosts(&mut faults);
        self.check_slots(&mut faults);
        self.check_seals(&mut faults);
        self.http.retry_headers.iter().filter_map(RetryHeader::fault).for_each(|why| {
            fault(&mut faults, "http.retry_headers", why);
        });
        if self.http.retry_headers.len() > RetryHeader::COUNT_MAX {
            let message =
                format!("{} headers; expected at most {}", self.http.retry_headers.len(), RetryHeader::COUNT_MAX);
            fault(&mut faults, "http.retry_headers", message);
        }
        if let Some(wrong) = self.rate.and_then(|rate| rate.fault()).map(|fault| fault.to_string()) {
            fault(&mut faults, "rate", wrong);
        }
        if let Some(wrong) = self.budget.as_ref().and_then(CallBudget::fault) {
            fault(&mut faults, "budget", wrong);
        }
        faults
    }

    fn check_names(&self, faults: &mut Vec<ManifestFault>) {
        if crate::id::ConnectionName::new(&self.name).is_err() {
            fault(faults, "name", "expected 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter");
        }
        for (key, version) in [("version", &self.version), ("contract", &self.contract)] {
            if semver::Version::parse(version).is_err() {
                fault(faults, key, format!("`{version}`; expected a semantic version, as 0.1.0"));
            }
        }
        if self.streams.is_empty() && self.actions.is_empty() && self.webhook.is_none() {
            fault(faults, "streams", "neither streams nor actions nor a webhook; expected at least one of them");
        }
    }

    fn check_entities(&self, faults: &mut Vec<ManifestFault>) {
        for (name, stream) in &self.streams {
            let key = format!("streams.{name}.entities");
            if stream.entities.is_empty() {
                fault(faults, &key, "nothing; expected the entities that its pages carry");
            }
            stream.entities.iter().filter_map(|entity| not_carried(entity)).for_each(|why| fault(faults, &key, why));
        }
        for (entity, rules) in &self.lineage {
            let key = format!("lineage.{entity}");
            let Some(kind) = EntityKind::from_name(entity) else {
                fault(faults, &key, format!("`{entity}` is not an entity; `renmen schema` lists them"));
                continue;
            };
            if !self.carries(entity) {
                fault(faults, &key, "an entity that neither a stream nor the webhook carries");
            }
            for (pointer, rule) in rules {
                if !pointer.starts_with('/') || class_of(kind, pointer).is_none() {
                    fault(
                        faults,
                        &key,
                        format!("`{pointer}` is not a field of {entity}; expected a JSON Pointer into its body"),
                    );
                }
                let (LineageRule::From(from) | LineageRule::Transformed { from, .. }) = rule;
                if !from.split(' ').all(|part| part.starts_with('/')) {
                    fault(
                        faults,
                        &key,
                        format!("the source of `{pointer}` is not a JSON Pointer; expected one, as /mobile"),
                    );
                }
            }
        }
    }

    fn check_hosts(&self, faults: &mut Vec<ManifestFault>) {
        let slots = self.slots.iter().map(|(slot, s)| (format!("slots.{slot}.audience"), &s.audience));
        let socket = self.webhook.iter().filter_map(|webhook| webhook.socket.as_ref());
        let socket = socket.map(|socket| ("webhook.socket.hosts".to_owned(), &socket.hosts));
        for (key, hosts) in std::iter::once(("http.hosts".to_owned(), &self.http.hosts)).chain(slots).chain(socket) {
            for host in hosts {
                if !is_origin(host) {
                    let expected = "https://host, https://*.host, {configuration_key} or drop:";
                    fault(faults, &key, format!("`{host}` is not an origin; expected {expected}"));
                }
                self.check_place_holder(host, &key, faults);
            }
        }
        for method in &self.http.methods {
            if !matches!(method.as_str(), "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") {
                fault(faults, "http.methods", format!("`{method}`; expected GET, HEAD, POST, PUT, PATCH or DELETE"));
            }
        }
    }

    fn check_slots(&self, faults: &mut Vec<ManifestFault>) {
        for (name, slot) in &self.slots {
            let key = format!("slots.{name}");
            if let Some(other) = &slot.same_as {
                match self.slots.get(other) {
                    None => fault(faults, &key, format!("same_as names the slot `{other}`, which there is not")),
                    Some(_) if other == name => fault(faults, &key, "same_as names itself"),
                    Some(target) if target.same_as.is_some() => {
                        fault(
                            faults,
                            &key,
                            format!("same_as names `{other}`, which has a same_as itself; name its slot"),
                        );
                    }
                    Some(_) => {}
                }
            }
            if let Some(recipe) = &slot.auth {
                self.check_recipe(recipe, &key, faults);
            }
        }
    }

    fn check_recipe(&self, recipe: &AuthRecipe, key: &str, faults: &mut Vec<ManifestFault>) {
        if let Some(token_url) = recipe.token_url() {
            if !token_url.starts_with("https://") && !token_url.starts_with("http://") && !token_url.starts_with('{') {
                fault(faults, key, format!("the token_url `{token_url}` is not absolute; expected https://"));
            }
            self.check_place_holder(token_url, key, faults);
        }
        for (at, why) in recipe.expressions().faults() {
            fault(faults, &format!("{key}.auth.{at}"), why);
        }
        if let AuthRecipe::Oauth2JwtBearer { claims, .. } = recipe {
            for own in ["exp", "iat", "jti"].iter().filter(|own| claims.contains_key(**own)) {
                fault(
                    faults,
                    &format!("{key}.auth.claims"),
                    format!("`{own}` is the gateway's: it makes a JWT when one is wanted"),
                );
            }
        }
        if let AuthRecipe::Oauth2JwtBearer { life_s, .. } | AuthRecipe::Oauth2SamlBearer { life_s, .. } = recipe
            && !(10..=3600).contains(life_s)
        {
            fault(faults, &format!("{key}.auth.life_s"), format!("{life_s} seconds; expected 10 to 3600"));
        }
        let places = recipe.places();
        if places.is_empty() {
            fault(faults, key, "a recipe that adds nothing to a request; expected `headers` or `query`");
        }
        for place in places {
            let (name, at) = match &place {
                Placement::Header { name, .. } | Placement::Query { name } | Placement::Form { name } => (name, "/"),
                Placement::Json { at } => (at, at.as_str()),
            };
            if name.is_empty() || !at.starts_with('/') {
                fault(
                    faults,
                    key,
                    format!("a credential cannot be put at `{name}`; expected a name, or a JSON Pointer as /key"),
                );
            }
        }
    }

    /// A `{key}` must be a key of the configuration, as far as the configuration's schema tells.
    pub(super) fn check_place_holder(&self, text: &str, key: &str, faults: &mut Vec<ManifestFault>) {
        let Some((name, _)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { return };
        let declared = self.config_schema.as_ref().is_some_and(|schema| schema["properties"].get(name).is_some());
        if !declared {
            fault(faults, key, format!("`{{{name}}}` is not a key of config_schema; declare it under its properties"));
        }
    }
}

/// Why a connector cannot carry an entity of this name; none when it can.
pub(super) fn not_carried(entity: &str) -> Option<String> {
    match EntityKind::from_name(entity) {
        None => Some(format!("`{entity}` is not an entity; `renmen schema` lists them")),
        Some(kind) if kind.is_gateway_only() => {
            Some(format!("`{entity}` is written by the gateway alone, and no connector can carry it; take it out"))
        }
        Some(_) => None,
    }
}

pub(super) fn fault(faults: &mut Vec<ManifestFault>, key: &str, message: impl Into<String>) {
    faults.push(ManifestFault { key: key.to_owned(), message: message.into() });
}

fn is_origin(text: &str) -> bool {
    if text == "drop:" {
        return true;
    }
    if let Some(name) = text.strip_prefix('{') {
        return name.strip_suffix('}').is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']));
    }
    let Some(authority) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Manifest;

    const GOOD: &str = r#"
name = "staff"
version = "1.2.3"
description = "Staff"
contract = "0.2.0"
[streams.employees]
description = "All staff"
entities = ["employee", "org_unit"]
[actions."message.send"]
description = "Sends a message"
idempotent = "read-before-write"
input = { type = "object" }
confirm = "message.read"
[actions."message.read"]
description = "What became of it"
[webhook]
description = "Changes of staff"
entities = ["assignment"]
slots = ["app"]
[webhook.socket]
open_url = "{base_url}/open"
slot = "app"
hosts = ["https://wss.example.com"]
open = { body = { id = "{id}" }, endpoint = "/endpoint", ticket = "/ticket", ticket_query = "ticket", error_code = "/code" }
event = { when = { "/type" = "EVENT" }, id = "/id", headers = "/headers", body = "/data" }
answers = { taken = { id = "{id}", data = "{answer}" }, later = { id = "{id}" }, refused = { id = "{id}", data = "{body}" } }
[[webhook.socket.controls]]
when = { "/type" = "PING" }
answer = { id = "{id}", data = "{body}" }
[http]
hosts = ["https://api.example.com", "https://*.example.com:8443", "{base_url}", "drop:"]
methods = ["GET", "POST"]
retry_headers = [{ name = "x-ratelimit-reset", unit = "seconds" }]
[slots.app]
description = "The app"
auth = { type = "json_token", token_url = "{base_url}/token", fields = { key = "{id}" }, token = "/token" }
[slots.old]
description = "The same app, older API"
same_as = "app"
[config_schema.properties.base_url]
type = "string"
[lineage.employee]
"/person/phones/0/number" = "/mobile"
"/work/hire_date" = { from = "/a /b", transform = "joined" }
"#;

    fn faults(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        Manifest::parse(&GOOD.replace(from, to)).unwrap().check().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_manifest_has_no_faults() {
        assert_eq!(Manifest::parse(GOOD).unwrap().check(), []);
    }

    #[test]
    fn each_contradiction_names_its_key() {
        for (from, to, wanted) in [
            ("\"org_unit\"", "\"departments\"", "streams.employees.entities: `departments` is not an entity"),
            ("\"org_unit\"", "\"decision\"", "streams.employees.entities: `decision` is written by the gateway alone"),
            (
                "[\"assignment\"]",
                "[\"notification\"]",
                "webhook.entities: `notification` is written by the gateway alone",
            ),
            (
                "[\"assignment\"]",
                "[\"decision_rule\"]",
                "webhook.entities: `decision_rule` is written by the gateway alone",
            ),
            ("same_as = \"app\"", "same_as = \"none\"", "slots.old: same_as names the slot `none`"),
            ("same_as = \"app\"", "same_as = \"old\"", "slots.old: same_as names itself"),
            ("[lineage.employee]", "[lineage.worker]", "lineage.worker: `worker` is not an entity"),
            (
                "[lineage.employee]",
                "[lineage.job]",
                "lineage.job: an entity that neither a stream nor the webhook carries",
            ),
            ("/work/hire_date", "/work/hired", "lineage.employee: `/work/hired` is not a field of employee"),
            ("\"/mobile\"", "\"mobile\"", "lineage.employee: the source of `/person/phones/0/number`"),
            (
                "https://api.example.com",
                "https://api.example.com/v1",
                "http.hosts: `https://api.example.com/v1` is not an origin",
            ),
            ("https://*.example.com:8443", "*", "http.hosts: `*` is not an origin"),
            ("\"POST\"", "\"TRACE\"", "http.methods: `TRACE`"),
            ("contract = \"0.2.0\"", "contract = \"0.2\"", "contract: `0.2`; expected a semantic version"),
            ("version = \"1.2.3\"", "version = \"01.2.3\"", "version: `01.2.3`"),
            (
                "config_schema.properties.base_url",
                "config_schema.properties.url",
                "http.hosts: `{base_url}` is not a key",
            ),
            ("{base_url}/token", "token", "slots.app: the token_url `token` is not absolute"),
            ("{ key = \"{id}\" }", "{ key = \"{id | md4}\" }", "slots.app.auth.fields.key: `md4` is not a function"),
            ("{ key = \"{id}\" }", "{ key = \"{body}\" }", "slots.app.auth.fields.key: `body` is part of a request"),
            (
                "token = \"/token\" }",
                "token = \"/token\", place = { in = \"json\", at = \"a\" } }",
                "slots.app: a credential cannot be put at `a`",
            ),
            (
                "type = \"json_token\", token_url = \"{base_url}/token\", fields = { key = \"{id}\" }, token = \"/token\"",
                "type = \"signed\"",
                "slots.app: a recipe that adds nothing to a request",
            ),
            (
                "type = \"json_token\", token_url = \"{base_url}/token\", fields = { key = \"{id}\" }, token = \"/token\"",
                "type = \"oauth2_jwt_bearer\", token_url = \"{base_url}/token\", claims = { exp = \"1\" }, life_s = 9",
                "slots.app.auth.claims: `exp` is the gateway's",
            ),
            (
                "type = \"json_token\", token_url = \"{base_url}/token\", fields = { key = \"{id}\" }, token = \"/token\"",
                "type = \"oauth2_jwt_bearer\", token_url = \"{base_url}/token\", claims = {}, life_s = 3601",
                "slots.app.auth.life_s: 3601 seconds; expected 10 to 3600",
            ),
            ("name = \"staff\"", "name = \"Staff!\"", "name: expected 1 to 63"),
            ("actions.\"message.send\"", "actions.\"Message send\"", "actions.Message send: no name of an action"),
            ("type = \"object\" }", "type = \"string\" }", "actions.message.send.input: expected a JSON Schema"),
            ("[\"assignment\"]", "[\"job_change\"]", "webhook.entities: `job_change` is not an entity"),
            ("slots = [\"app\"]", "slots = [\"apps\"]", "webhook.slots: `apps` is not a declared slot"),
            ("slot = \"app\"", "slot = \"apps\"", "webhook.socket.slot: `apps` is not a declared slot"),
            ("https://wss.example.com", "wss.example.com", "webhook.socket.hosts: `wss.example.com` is not an origin"),
            ("{base_url}/open", "open", "webhook.socket.open_url: `open` is not absolute"),
            ("\"/endpoint\"", "\"endpoint\"", "webhook.socket.open.endpoint: `endpoint` is not a JSON Pointer"),
            (
                "when = { \"/type\" = \"PING\" }",
                "when = { type = \"PING\" }",
                "webhook.socket.controls.0.when: `type` is not",
            ),
            ("when = { \"/type\" = \"EVENT\" }", "when = {}", "webhook.socket.event.when: nothing"),
            ("{answer}", "{answers}", "webhook.socket.answers.taken: `{answers}` stands for nothing here"),
            (
                "answer = { id = \"{id}\"",
                "answer = { id = \"{answer}\"",
                "webhook.socket.controls.0.answer: `{answer}` stands for nothing here; expected `{id}`, `{body}`",
            ),
            ("later = { id = \"{id}\" }", "later = \"{id}\"", "webhook.socket.answers.later: expected a JSON object"),
            ("x-ratelimit-reset", "x ratelimit", "http.retry_headers: `x ratelimit` is not the name of a header"),
            (
                "confirm = \"message.read\"",
                "confirm = \"message.gone\"",
                "actions.message.send.confirm: `message.gone` is not another action",
            ),
        ] {
            let found = faults(from, to);
            assert!(found.iter().any(|fault| fault.starts_with(wanted)), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn all_contradictions_come_at_once() {
        let text = GOOD.replace("\"org_unit\"", "\"x\"").replace("\"POST\"", "\"TRACE\"").replace("0.2.0", "one");
        assert_eq!(Manifest::parse(&text).unwrap().check().len(), 3);
    }

    #[test]
    fn an_unknown_key_or_a_wrong_type_has_its_line_and_column() {
        let error = Manifest::parse(&GOOD.replace("[http]", "[http]\nhost = []")).unwrap_err();
        assert_eq!((error.line, error.column), (31, 1), "{error}");
        assert!(error.message.contains("host"), "{error}");
        let error = Manifest::parse(&GOOD.replace("\"1.2.3\"", "1")).unwrap_err();
        assert_eq!((error.line, error.column), (3, 11), "{error}");
        let error = Manifest::parse("name = \"x").unwrap_err();
        assert_eq!(error.line, 1);
    }

    #[test]
    fn no_fault_repeats_a_text_that_deceives() {
        let hidden = "POST\\u001B[2K\\u202E\\u200B";
        let faults = faults("\"POST\"", &format!("\"{hidden}\""));
        assert!(faults[0].contains("POST\\u{1b}[2K\\u{202e}\\u{200b}"), "{faults:?}");
        let error = Manifest::parse(&GOOD.replace("[http]", "[http]\n\"ho\\u001Bst\" = []")).unwrap_err().to_string();
        assert!(error.contains("ho\\u{1b}st") && !error.chars().any(crate::shown::is_deceptive), "{error}");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        let long = format!("{GOOD}{}", "#".repeat(super::MANIFEST_BYTES_MAX));
        assert!(Manifest::parse(&long).unwrap_err().message.contains("expected at most"));
    }
}
