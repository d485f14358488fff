//! An authenticator as a slot of `plugin.toml`.
//!
//! Owns which secret goes where, and how a token is made of it. The secrets themselves are not part of a manifest and of no file that is written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::jinja::{Expr, Piece, parse, path};
use super::left::Lefts;
use super::spec::Spec;
use super::translate::Scope;
use super::yaml::Node;

/// Where a secret stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Header(String),
    Query(String),
    Json(String),
    Form(String),
}

/// A secret in a header or a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// The key that the manifest calls it.
    pub(super) key: String,
    pub(super) prefix: String,
    pub(super) place: Place,
}

/// A slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    pub(super) name: String,
    /// What people put into it.
    pub(super) description: String,
    /// `auth` of plugin.toml.
    pub(super) auth: Value,
    /// What the manifest says of the token's address, where there is one.
    pub(super) token_url: Option<String>,
}

/// What stands where the host puts a secret into a body.
pub(super) const SECRET_MARK: &str = "<secret>";

/// A text that is a secret with at most a word before it.
pub(super) fn placed(raw: &str, place: Place, scope: &Scope<'_>) -> Option<Placed> {
    let pieces = parse(raw).ok()?;
    let (prefix, expr) = match pieces.as_slice() {
        [Piece::Expr(expr)] => ("", expr),
        [Piece::Text(prefix), Piece::Expr(expr)] => (prefix.as_str(), expr),
        _ => return None,
    };
    let key = key_of(expr)?;
    let is_secret = scope.secrets.is_some_and(|secrets| secrets.contains(&key));
    let is_credential = matches!(&place, Place::Header(name) if name.eq_ignore_ascii_case("authorization"));
    (is_secret || is_credential).then(|| Placed { key, prefix: prefix.to_owned(), place })
}

/// The key of the configuration that an expression is.
fn key_of(expr: &Expr) -> Option<String> {
    let (name, members, _) = path(expr)?;
    (name == "config" && !members.is_empty()).then(|| members.join("/"))
}

/// The key of the configuration that a text is; `None` where it is a constant or more than a key.
fn key_in(node: Option<&Node>) -> Option<String> {
    match parse(node?.text()?).ok()?.as_slice() {
        [Piece::Expr(expr)] => key_of(expr),
        _ => None,
    }
}

fn constant(node: Option<&Node>) -> Option<String> {
    node?.scalar().filter(|text| !text.contains("{{"))
}

impl Placed {
    /// The slot that puts it there.
    pub(super) fn slot(&self, spec: &Spec) -> Slot {
        let place = match &self.place {
            Place::Header(name) => json!({ "in": "header", "name": name.to_lowercase(), "prefix": self.prefix }),
            Place::Query(name) => json!({ "in": "query", "name": name }),
            Place::Json(at) => json!({ "in": "json", "at": at }),
            Place::Form(name) => json!({ "in": "form", "name": name }),
        };
        Slot {
            name: "key".to_owned(),
            description: spec.about(&self.key),
            auth: json!({ "type": "static", "place": place }),
            token_url: None,
        }
    }
}

/// What an authenticator becomes.
pub(super) struct Authenticated {
    pub(super) slot: Option<Slot>,
    /// Secrets that it uses: they are not configuration.
    pub(super) secrets: BTreeSet<String>,
    /// The body holds [`SECRET_MARK`] here.
    pub(super) marked: Option<Place>,
    /// Why nothing can be sent.
    pub(super) blocked: Option<String>,
}

impl Authenticated {
    fn slot(slot: Slot, secrets: impl IntoIterator<Item = String>) -> Self {
        Self { slot: Some(slot), secrets: secrets.into_iter().collect(), marked: None, blocked: None }
    }

    fn blocked(why: String) -> Self {
        Self { slot: None, secrets: BTreeSet::new(), marked: None, blocked: Some(why) }
    }
}

/// Reads an authenticator; `wanted` is the one to take where there are several by name.
pub(super) fn read(node: &Node, wanted: Option<&str>, spec: &Spec, left: &mut Lefts) -> Authenticated {
    match node.component() {
        "NoAuth" => Authenticated { slot: None, secrets: BTreeSet::new(), marked: None, blocked: None },
        "BearerAuthenticator" => {
            let place = Place::Header("authorization".to_owned());
            one_secret(node, node.get("api_token"), "Bearer ", place, spec, left)
        }
        "ApiKeyAuthenticator" => api_key(node, spec, left),
        "BasicHttpAuthenticator" => basic(node, spec, left),
        "OAuthAuthenticator" => oauth(node, spec, left),
        "SelectiveAuthenticator" => selected(node, wanted, spec, left),
        other => {
            let told = format!("{other} has no counterpart among the slots of plugin.toml");
            left.add(node, other, "no slot makes such a credential");
            Authenticated::blocked(told)
        }
    }
}

fn one_secret(
    node: &Node,
    token: Option<&Node>,
    before: &str,
    place: Place,
    spec: &Spec,
    left: &mut Lefts,
) -> Authenticated {
    let pieces = token.and_then(Node::text).and_then(|text| parse(text).ok()).unwrap_or_default();
    let found = match pieces.as_slice() {
        [Piece::Expr(expr)] => key_of(expr).map(|key| (key, String::new())),
        [Piece::Text(prefix), Piece::Expr(expr)] => key_of(expr).map(|key| (key, prefix.clone())),
        _ => None,
    };
    let Some((key, prefix)) = found else {
        left.add(token.unwrap_or(node), "api_token", "more than one key of the configuration: no slot is made so");
        return Authenticated::blocked(format!("the token of its {} is put together", node.component()));
    };
    let prefix = format!("{before}{prefix}");
    let marked = matches!(place, Place::Json(_) | Place::Form(_)).then(|| place.clone());
    let placed = Placed { key: key.clone(), prefix, place };
    Authenticated { marked, ..Authenticated::slot(placed.slot(spec), [key]) }
}

fn api_key(node: &Node, spec: &Spec, left: &mut Lefts) -> Authenticated {
    let option = node.get("inject_into");
    let name = constant(option.and_then(|option| option.get("field_name")).or_else(|| node.get("header")));
    let Some(name) = name else {
        left.add(node, "ApiKeyAuthenticator", "without the constant name of a header or parameter");
        return Authenticated::blocked("its ApiKeyAuthenticator does not say where the key goes".to_owned());
    };
    let place = match option.and_then(|option| option.word("inject_into")).unwrap_or("header") {
        "request_parameter" => Place::Query(name),
        "body_json" => Place::Json(format!("/{}", name.replace('~', "~0").replace('/', "~1"))),
        "body_data" => Place::Form(name),
        _ => Place::Header(name),
    };
    one_secret(node, node.get("api_token"), "", place, spec, left)
}

fn basic(node: &Node, spec: &Spec, left: &mut Lefts) -> Authenticated {
    let half = |name: &str| -> (Option<String>, String) {
        match (key_in(node.get(name)), constant(node.get(name))) {
            (Some(key), _) => (Some(key.clone()), key.rsplit('/').next().unwrap_or(&key).to_uppercase()),
            (None, text) => (None, text.unwrap_or_default()),
        }
    };
    let ((user, user_shown), (password, password_shown)) = (half("username"), half("password"));
    if node.get("username").and_then(Node::text).is_some_and(|text| text.contains("{{") && user.is_none()) {
        left.add(node, "BasicHttpAuthenticator", "a user name that is put together: put the whole of it into the slot");
    }
    let mut about: Vec<String> = Vec::new();
    for key in [&user, &password].into_iter().flatten() {
        let told = spec.about(key);
        if !about.contains(&told) {
            about.push(told);
        }
    }
    let about = about.join("; ");
    let slot = Slot {
        name: "key".to_owned(),
        description: format!("`{user_shown}:{password_shown}`. {about}"),
        auth: json!({ "type": "basic" }),
        token_url: None,
    };
    Authenticated::slot(slot, user.into_iter().chain(password))
}

fn oauth(node: &Node, spec: &Spec, left: &mut Lefts) -> Authenticated {
    let keys: BTreeSet<String> =
        ["client_id", "client_secret", "refresh_token"].iter().filter_map(|name| key_in(node.get(name))).collect();
    let scopes: Vec<String> =
        node.get("scopes").map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect();
    let token_url = node.get("token_refresh_endpoint").and_then(Node::scalar).unwrap_or_default();
    for (name, usual) in [
        ("access_token_name", "access_token"),
        ("expires_in_name", "expires_in"),
        ("refresh_token_name", "refresh_token"),
    ] {
        if let Some(other) = node.get(name).filter(|other| other.text() != Some(usual)) {
            left.add(other, name, format!("the slot reads and sends `{usual}`"));
        }
    }
    for name in ["refresh_request_headers", "refresh_request_body", "token_expiry_date_format"] {
        if let Some(extra) = node.get(name).filter(|extra| !extra.is_falsy()) {
            left.add(extra, name, "the token's request goes without it");
        }
    }
    let grant = node.word("grant_type").unwrap_or("refresh_token");
    let (auth, members) = match grant {
        "client_credentials" => {
            let auth = json!({ "type": "oauth2_client_credentials", "token_url": "{token_url}", "scopes": scopes });
            (auth, r#"{"client_id": "…", "client_secret": "…"}"#)
        }
        "refresh_token" => {
            let rotates = node.get("refresh_token_updater").is_some();
            let auth = json!({
                "type": "oauth2_refresh_token", "token_url": "{token_url}", "scopes": scopes, "rotates": rotates,
            });
            (auth, r#"{"client_id": "…", "client_secret": "…", "refresh_token": "…"}"#)
        }
        other => {
            left.add(node, "OAuthAuthenticator", format!("the grant `{other}`: no slot makes such a token"));
            return Authenticated::blocked(format!("the grant `{other}` of its OAuthAuthenticator"));
        }
    };
    let about = keys.iter().map(|key| spec.about(key)).collect::<Vec<_>>().join("; ");
    let slot = Slot {
        name: "client".to_owned(),
        description: format!("As JSON: {members}. {about}"),
        auth,
        token_url: Some(token_url),
    };
    Authenticated::slot(slot, keys)
}

/// One of several: the one that was asked for, or else one that needs no token request.
fn selected(node: &Node, wanted: Option<&str>, spec: &Spec, left: &mut Lefts) -> Authenticated {
    let choices = node.get("authenticators").map(Node::members).unwrap_or_default();
    let choices: Vec<&(String, Node)> = choices.iter().filter(|(name, _)| name != "$parameters").collect();
    let named = choices.iter().find(|(name, _)| Some(name.as_str()) == wanted);
    let plain = choices.iter().find(|(_, choice)| choice.component() != "OAuthAuthenticator");
    let Some((name, chosen)) = named.or(plain).or(choices.first()).copied() else {
        return Authenticated::blocked("its SelectiveAuthenticator has nothing to select".to_owned());
    };
    let others: Vec<String> =
        choices.iter().filter(|(other, _)| other != name).map(|(other, _)| format!("`{other}`")).collect();
    if !others.is_empty() {
        let why = format!("`{name}` is taken; `--auth NAME` takes another: {}", others.join(", "));
        left.add(node, "SelectiveAuthenticator", why);
    }
    let mut read = read(chosen, None, spec, left);
    // Which one it is, is decided here and no longer in the configuration.
    let path: Vec<String> = node
        .get("authenticator_selection_path")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Node::scalar)
        .collect();
    read.secrets.insert(path.join("/"));
    read
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::yaml::read as yaml;
    use super::*;

    fn slot(text: &str) -> (Value, String) {
        let mut left = Lefts::default();
        let slot = read(&yaml(text).unwrap(), None, &Spec::default(), &mut left).slot.unwrap();
        assert_eq!(left.sorted(), [], "{text}");
        (slot.auth, slot.description)
    }

    #[test]
    fn authenticators_become_slots() {
        let header = |name: &str, prefix: &str| json!({ "type": "static", "place": { "in": "header", "name": name, "prefix": prefix } });
        for (text, wanted) in [
            ("{ type: BearerAuthenticator, api_token: \"{{ config['key'] }}\" }", header("authorization", "Bearer ")),
            ("{ type: ApiKeyAuthenticator, header: X-Key, api_token: '{{ config.key }}' }", header("x-key", "")),
            (
                "{ type: ApiKeyAuthenticator, inject_into: { inject_into: header, field_name: Authorization }, api_token: 'Token {{ config.key }}' }",
                header("authorization", "Token "),
            ),
            (
                "{ type: ApiKeyAuthenticator, inject_into: { inject_into: request_parameter, field_name: api_key }, api_token: '{{ config.key }}' }",
                json!({ "type": "static", "place": { "in": "query", "name": "api_key" } }),
            ),
            (
                "{ type: ApiKeyAuthenticator, inject_into: { inject_into: body_json, field_name: key }, api_token: '{{ config.key }}' }",
                json!({ "type": "static", "place": { "in": "json", "at": "/key" } }),
            ),
            ("{ type: BasicHttpAuthenticator, username: '{{ config.key }}' }", json!({ "type": "basic" })),
            (
                "{ type: OAuthAuthenticator, grant_type: client_credentials, client_id: '{{ config.id }}', client_secret: '{{ config.secret }}', token_refresh_endpoint: https://a.example/token, scopes: [read] }",
                json!({ "type": "oauth2_client_credentials", "token_url": "{token_url}", "scopes": ["read"] }),
            ),
            (
                "{ type: OAuthAuthenticator, refresh_token: '{{ config.r }}', token_refresh_endpoint: https://a.example/token, refresh_token_updater: {} }",
                json!({ "type": "oauth2_refresh_token", "token_url": "{token_url}", "scopes": [], "rotates": true }),
            ),
        ] {
            assert_eq!(slot(text).0, wanted, "{text}");
        }
        let (_, description) = slot("{ type: BasicHttpAuthenticator, username: '{{ config.api_key }}', password: x }");
        assert!(description.starts_with("`API_KEY:x`"), "{description}");
    }

    #[test]
    fn of_several_one_is_taken_and_the_others_are_named() {
        let text = "{ type: SelectiveAuthenticator, authenticator_selection_path: [credentials, kind], authenticators: { OAuth: { type: OAuthAuthenticator, token_refresh_endpoint: u }, Key: { type: BearerAuthenticator, api_token: '{{ config.credentials.key }}' } } }";
        let taken = |wanted: Option<&str>| {
            let mut left = Lefts::default();
            let read = read(&yaml(text).unwrap(), wanted, &Spec::default(), &mut left);
            (read.slot.unwrap().auth["type"].clone(), left.sorted().pop().unwrap().why)
        };
        let (kind, why) = taken(None);
        assert_eq!(kind, "static");
        assert!(why.contains("`OAuth`"), "{why}");
        assert_eq!(taken(Some("OAuth")).0, "oauth2_refresh_token");
    }

    #[test]
    fn what_no_slot_makes_stops_and_is_told() {
        for text in [
            "{ type: SessionTokenAuthenticator }",
            "{ type: CustomAuthenticator, class_name: a.b }",
            "{ type: JwtAuthenticator }",
            "{ type: BearerAuthenticator, api_token: '{{ config.a }}{{ config.b }}' }",
            "{ type: OAuthAuthenticator, grant_type: password }",
        ] {
            let mut left = Lefts::default();
            let read = read(&yaml(text).unwrap(), None, &Spec::default(), &mut left);
            assert!(read.blocked.is_some() && left.sorted().len() == 1, "{text}");
        }
    }
}
