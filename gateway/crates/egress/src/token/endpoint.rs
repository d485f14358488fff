//! A token endpoint as its recipe describes it. Owns reading the recipe and telling a stale token by an API's answer.

use std::future::Future;
use std::pin::Pin;

use renmen_origin::config_text;
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{AuthRecipe, StaleToken};
use renmen_vault::Secret;
use url::Url;

use super::around::Surroundings;
use super::json::JsonAsk;
use super::jwt::JwtAsk;
use super::refresh::RefreshAsk;
use super::saml::SamlAsk;
use super::{Token, json, oauth2_client};
use crate::EgressError;
use crate::recipe::read_named;
use crate::template::fill;
use crate::wire::{Answer, WayOut};

/// Answers that tell of a stale token are short; a page of records is not searched. Bytes.
const STALE_ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Where and how to ask.
pub(crate) struct TokenEndpoint {
    pub(crate) url: Url,
    ask: Ask,
    pub(crate) stale: Option<StaleToken>,
    around: Surroundings,
}

/// A fetch under way.
type Fetching<'f> = Pin<Box<dyn Future<Output = Result<Token, EgressError>> + Send + 'f>>;

enum Ask {
    Oauth2 { scopes: Vec<String> },
    Json(JsonAsk),
    Refresh(RefreshAsk),
    Jwt(JwtAsk),
    Saml(SamlAsk),
}

impl TokenEndpoint {
    /// Reads the recipe; `None` when it has no token endpoint.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] when the URL cannot be made of the configuration, and for refresh tokens that nothing keeps.
    pub(crate) fn of(recipe: &AuthRecipe, around: Surroundings) -> Result<Option<Self>, EgressError> {
        let Some(token_url) = recipe.token_url() else { return Ok(None) };
        let slot = around.slot.slot.clone();
        let (ask, stale) = ask_of(&slot, recipe, &around)?;
        let bad = |why: String| EgressError::BadRequest(format!("token_url of slot `{slot}`: {why}"));
        let text = fill(token_url, |key| config_text(&around.config, key))
            .map_err(|key| bad(format!("configuration key `{key}` is not set to a text")))?;
        let url = Url::parse(&text).map_err(|e| bad(e.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("put user and password into the slot, not into the URL".into()));
        }
        Ok(Some(Self { url, ask, stale, around }))
    }

    /// Asks for a token over this way out.
    ///
    /// # Errors
    /// [`EgressError::Auth`] when the secret has the wrong form or the endpoint refuses it; what the way out says.
    pub(crate) fn fetch<'f>(&'f self, secret: &'f Secret, way: &'f dyn WayOut) -> Fetching<'f> {
        Box::pin(async move {
            match &self.ask {
                Ask::Oauth2 { scopes } => oauth2_client::fetch(&self.url, scopes, secret, way).await,
                Ask::Json(ask) => json::fetch(&self.url, ask, secret, &self.around, way).await,
                Ask::Refresh(ask) => ask.fetch(&self.url, secret, &self.around, way).await,
                Ask::Jwt(ask) => ask.fetch(&self.url, secret, &self.around, way).await,
                Ask::Saml(ask) => ask.fetch(&self.url, secret, &self.around, way).await,
            }
        })
    }
}

/// How a recipe asks, and what tells that its token is stale.
fn ask_of(
    slot: &SlotName,
    recipe: &AuthRecipe,
    around: &Surroundings,
) -> Result<(Ask, Option<StaleToken>), EgressError> {
    Ok(match recipe {
        AuthRecipe::Static { .. } | AuthRecipe::Basic {} | AuthRecipe::Signed { .. } => {
            return Err(EgressError::BadRequest(format!("slot `{slot}` asks for no token")));
        }
        AuthRecipe::Oauth2ClientCredentials { scopes, .. } => (Ask::Oauth2 { scopes: scopes.clone() }, None),
        AuthRecipe::JsonToken { send, fields, with, token, expires_in, error_code, stale, .. } => {
            let ask = JsonAsk {
                send: *send,
                fields: read_named(fields)?,
                with: read_named(with)?,
                token: token.clone(),
                expires_in: expires_in.clone(),
                error_code: error_code.clone(),
            };
            (Ask::Json(ask), stale.clone())
        }
        AuthRecipe::Oauth2RefreshToken { client, scopes, rotates, stale, .. } => {
            if *rotates && around.keeper.is_none() {
                return Err(EgressError::BadRequest(format!(
                    "slot `{slot}`: each use of its refresh token gives another one, and there is no vault to keep it in; \
                     set [vault] in the gateway's configuration"
                )));
            }
            let ask = RefreshAsk { client: *client, scopes: scopes.clone(), rotates: *rotates };
            (Ask::Refresh(ask), stale.clone())
        }
        AuthRecipe::Oauth2JwtBearer { algorithm, claims, header, fields, life_s, stale, .. } => {
            let ask = JwtAsk {
                algorithm: *algorithm,
                claims: read_named(claims)?,
                header: read_named(header)?,
                fields: read_named(fields)?,
                life_s: *life_s,
            };
            (Ask::Jwt(ask), stale.clone())
        }
        AuthRecipe::Oauth2SamlBearer { stale, .. } => (Ask::Saml(SamlAsk::of(recipe)?), stale.clone()),
    })
}

/// Does this answer say that the token is no longer taken?
pub(crate) fn is_stale(answer: &Answer, sign: Option<&StaleToken>) -> bool {
    if answer.status == 401 {
        return true;
    }
    let Some(sign) = sign.filter(|_| answer.body.len() <= STALE_ANSWER_BYTES_MAX) else { return false };
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(&answer.body) else { return false };
    let is_code = |at: &String| match body.pointer(at) {
        Some(serde_json::Value::String(text)) => sign.codes.contains(text),
        Some(serde_json::Value::Number(number)) => sign.codes.contains(&number.to_string()),
        _ => false,
    };
    std::iter::once(&sign.pointer).chain(&sign.also).any(is_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: http::HeaderMap::new(), body: body.to_owned().into() }
    }

    #[test]
    fn a_stale_token_shows_as_401_or_as_the_recipes_code() {
        let codes = vec!["40014".into(), "Invalid".into()];
        let sign = StaleToken { pointer: "/errcode".into(), also: Vec::new(), codes };
        assert!(is_stale(&answer(401, ""), None));
        assert!(!is_stale(&answer(403, ""), None));
        assert!(is_stale(&answer(200, r#"{"errcode":40014}"#), Some(&sign)));
        assert!(is_stale(&answer(400, r#"{"errcode":"Invalid"}"#), Some(&sign)));
        assert!(!is_stale(&answer(200, r#"{"errcode":0}"#), Some(&sign)));
        assert!(!is_stale(&answer(200, r#"{"errcode":40014}"#), None));
        assert!(!is_stale(&answer(200, "<html>"), Some(&sign)));
    }

    #[test]
    fn the_code_of_a_stale_token_is_found_where_the_api_wraps_it() {
        let wrapped = answer(200, r#"{"errcode":88,"sub_code":"40014"}"#);
        let plain = StaleToken { pointer: "/errcode".into(), also: Vec::new(), codes: vec!["40014".into()] };
        assert!(!is_stale(&wrapped, Some(&plain)));
        let sign = StaleToken { also: vec!["/sub_code".into()], ..plain };
        assert!(is_stale(&wrapped, Some(&sign)));
        assert!(is_stale(&answer(200, r#"{"errcode":40014}"#), Some(&sign)));
        assert!(!is_stale(&answer(200, r#"{"errcode":88,"sub_code":"60011"}"#), Some(&sign)));
    }
}
