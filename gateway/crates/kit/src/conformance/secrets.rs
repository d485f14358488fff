//! Credentials for the test: canaries in every slot, and the token endpoints that the manifest names.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use renmen_egress::{SecretFinder, SlotSpec};
use renmen_misbehave::model::Serve;
use renmen_misbehave::place;
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{AuthRecipe, JwtAlgorithm, KeyForm, Manifest, TokenBody};
use renmen_vault::Secret;
use serde_json::{Value, json};

/// What every secret of the test begins with: it must turn up nowhere.
pub(super) const CANARY: &str = "canary-5e1f0c7d";

/// Keys for tests alone, known to everybody: what is signed with them proves nothing.
const RSA_KEY: &str = include_str!("keys/rsa.pem");
const P256_KEY: &str = include_str!("keys/p256.pem");

/// A canary in each slot; one that shares another's secret gets the same.
pub(super) fn slots(manifest: &Manifest) -> BTreeMap<SlotName, SlotSpec> {
    let of = |(name, slot): (&SlotName, &renmen_schema::manifest::SlotManifest)| {
        let owner = slot.same_as.as_ref().unwrap_or(name);
        let sharing =
            manifest.slots.iter().filter(|(other, slot)| *other == owner || slot.same_as.as_ref() == Some(owner));
        let sharing: Vec<_> = sharing.map(|(_, slot)| slot).collect();
        let key = sharing.iter().filter_map(|slot| slot.seal).any(|seal| seal.scheme.key_form() == KeyForm::Base64);
        let secret = match key {
            true => STANDARD_NO_PAD.encode(key_of(owner)),
            false => secret(owner, sharing.iter().filter_map(|slot| slot.auth.as_ref())),
        };
        let secret = Some(Secret::new(secret));
        let (audience, auth) = (slot.audience.clone(), slot.auth.clone());
        let spec = SlotSpec { secret, to: None, audience, auth, public: Vec::new(), seal: slot.seal };
        (name.clone(), spec)
    };
    manifest.slots.iter().map(of).collect()
}

/// A canary of 32 bytes, as AES wants one: another for each slot.
fn key_of(owner: &SlotName) -> String {
    let mut hasher = DefaultHasher::new();
    owner.as_str().hash(&mut hasher);
    format!("{CANARY}-{:016x}", hasher.finish())
}

fn secret<'a>(owner: &SlotName, recipes: impl Iterator<Item = &'a AuthRecipe>) -> String {
    let mut members = BTreeSet::new();
    let mut basic = false;
    let mut key = RSA_KEY;
    for recipe in recipes {
        basic |= matches!(recipe, AuthRecipe::Basic {});
        if matches!(recipe, AuthRecipe::Oauth2JwtBearer { algorithm: JwtAlgorithm::ES256, .. }) {
            key = P256_KEY;
        }
        members.extend(recipe.members());
    }
    match (members.is_empty(), basic) {
        (true, false) => format!("{CANARY}-{owner}"),
        (true, true) => format!("user:{CANARY}-{owner}"),
        _ => {
            let value = |member: &str| match member {
                // Something is signed with it, so it must be a key.
                "private_key" => key.to_owned(),
                _ => format!("{CANARY}-{owner}-{member}"),
            };
            let object: serde_json::Map<String, Value> =
                members.into_iter().map(|member| (member.clone(), value(&member).into())).collect();
            Value::Object(object).to_string()
        }
    }
}

/// The token endpoints of the manifest, each answering with a canary.
pub(super) fn token_endpoints(manifest: &Manifest, config: &Value) -> Vec<Serve> {
    let of = |(name, slot): (&SlotName, &renmen_schema::manifest::SlotManifest)| {
        let (url, method, answer) = match slot.auth.as_ref()? {
            AuthRecipe::Oauth2ClientCredentials { token_url, .. }
            | AuthRecipe::Oauth2JwtBearer { token_url, .. }
            | AuthRecipe::Oauth2SamlBearer { token_url, .. } => {
                (token_url, "POST", json!({"access_token": token(name), "token_type": "bearer", "expires_in": 7200}))
            }
            AuthRecipe::Oauth2RefreshToken { token_url, .. } => {
                let next = format!("{CANARY}-refresh-{name}");
                let answer = json!({"access_token": token(name), "refresh_token": next, "expires_in": 7200});
                (token_url, "POST", answer)
            }
            AuthRecipe::JsonToken { token_url, send, token: pointer, expires_in, error_code, .. } => {
                let mut answer = json!({});
                place::put(&mut answer, pointer, token(name).into());
                if let Some(pointer) = expires_in {
                    place::put(&mut answer, pointer, 7200.into());
                }
                if let Some(pointer) = error_code {
                    place::put(&mut answer, pointer, 0.into());
                }
                (token_url, if *send == TokenBody::Query { "GET" } else { "POST" }, answer)
            }
            AuthRecipe::Static { .. } | AuthRecipe::Basic {} | AuthRecipe::Signed { .. } => return None,
        };
        let url = filled(url, config);
        let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()))?;
        let path = path.split('?').next().unwrap_or_default().to_owned();
        Some(Serve { method: Some(method.to_owned()), path, around: Some(answer), ..Serve::default() })
    };
    manifest.slots.iter().filter_map(of).collect()
}

fn token(slot: &SlotName) -> String {
    format!("{CANARY}-token-{slot}")
}

fn filled(template: &str, config: &Value) -> String {
    let mut url = template.to_owned();
    for (key, value) in config.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            url = url.replace(&format!("{{{key}}}"), text.trim_end_matches('/'));
        }
    }
    url
}

/// Is a canary in these bytes, in any form in which the gateway would look for it?
pub(super) fn leaks(bytes: &[u8]) -> bool {
    static CANARY_FINDER: LazyLock<SecretFinder> = LazyLock::new(|| {
        SecretFinder::new(&Secret::new(CANARY.to_owned())).expect("the canary is long enough to be looked for")
    });
    CANARY_FINDER.occurs_in(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form_and_nothing_else_is() {
        let secret = format!("{CANARY}-app");
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let reversed: String = secret.chars().rev().collect();
        for found in [secret.clone(), format!("x{secret}y"), hex.to_uppercase(), hex, percent, reversed] {
            assert!(leaks(found.as_bytes()), "{found}");
        }
        for before in ["", "u", "us", "user:", "user:p"] {
            assert!(leaks(STANDARD_NO_PAD.encode(format!("{before}{secret}")).as_bytes()), "after {before:?}");
        }
        assert!(!leaks(b"canary-5e1f0c7") && !leaks(b"Y2FuYXJ5") && !leaks(b""));
    }

    #[test]
    fn what_a_recipe_signs_with_is_a_key_and_what_it_names_a_canary() {
        let manifest = Manifest::parse(
            r#"
name = "x"
version = "0.1.0"
description = "x"
contract = "0.2.0"
[slots.jwt]
description = "x"
auth = { type = "oauth2_jwt_bearer", token_url = "{api}/t", algorithm = "ES256", claims = { iss = "{client_id}", aud = "{config/api}" } }
[slots.refresh]
description = "x"
auth = { type = "oauth2_refresh_token", token_url = "{api}/r" }
[slots.signed]
description = "x"
auth = { type = "signed", with = { text = "{path}{time_s}" }, headers = { x-sign = "{text | hmac-sha256 app_secret | hex}" } }
"#,
        )
        .unwrap();
        let of = |name: &str| -> Value {
            serde_json::from_str(slots(&manifest)[&SlotName::new(name).unwrap()].secret.as_ref().unwrap().expose())
                .unwrap()
        };
        assert_eq!(of("jwt")["private_key"], json!(P256_KEY));
        assert_eq!(of("jwt")["client_id"], json!(format!("{CANARY}-jwt-client_id")));
        assert_eq!(of("refresh")["refresh_token"], json!(format!("{CANARY}-refresh-refresh_token")));
        assert_eq!(of("signed"), json!({ "app_secret": format!("{CANARY}-signed-app_secret") }));
        let served = token_endpoints(&manifest, &json!({"api": "http://127.0.0.1:1"}));
        assert_eq!(served.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["/t", "/r"]);
    }

    #[test]
    fn slots_are_filled_and_token_endpoints_served_as_the_manifest_says() {
        let manifest = Manifest::parse(
            r#"
name = "x"
version = "0.1.0"
description = "x"
contract = "0.2.0"
[slots.app]
description = "x"
auth = { type = "json_token", token_url = "{api}/t?x=1", send = "query", fields = { k = "{client_id}", s = "{client_secret}" }, token = "/a/b", error_code = "/errcode" }
[slots.old]
description = "x"
same_as = "app"
[slots.key]
description = "x"
auth = { type = "static", place = { in = "header", name = "x-key" } }
"#,
        )
        .unwrap();
        let slots = slots(&manifest);
        let of = |name: &str| slots[&SlotName::new(name).unwrap()].secret.clone().unwrap().expose().to_owned();
        let members: Value = serde_json::from_str(&of("app")).unwrap();
        assert_eq!(members["client_secret"], json!(format!("{CANARY}-app-client_secret")));
        assert_eq!((of("old"), of("key")), (of("app"), format!("{CANARY}-key")));
        let served = token_endpoints(&manifest, &json!({"api": "http://127.0.0.1:1/"}));
        assert_eq!((served.len(), served[0].path.as_str(), served[0].method.as_deref()), (1, "/t", Some("GET")));
        assert_eq!(served[0].around, Some(json!({"a": {"b": format!("{CANARY}-token-app")}, "errcode": 0})));
    }
}
