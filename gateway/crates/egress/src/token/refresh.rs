//! OAuth 2.0 refresh tokens (RFC 6749, 6), of which many vendors end the old one with each use. The new one is kept before the token that
//! came with it is used, under a lock that other processes of this gateway respect; what could not be written is kept in memory, and written
//! before anything else is asked for.

use http::header::AUTHORIZATION;
use renmen_schema::manifest::ClientAuth;
use renmen_vault::Secret;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use super::around::Surroundings;
use super::{Token, oauth2_client, oauth2_form};
use crate::EgressError;
use crate::recipe::{member_text, members};
use crate::wire::{Outgoing, WayOut};

/// How it is asked for.
pub(super) struct RefreshAsk {
    pub(super) client: ClientAuth,
    pub(super) scopes: Vec<String>,
    pub(super) rotates: bool,
}

/// What is kept: the token, and the one of the slot that it goes back to. Where the operator gives the slot another one, what was kept of
/// the old one counts no more.
#[derive(Serialize, Deserialize)]
struct Kept {
    of: String,
    refresh_token: String,
}

impl RefreshAsk {
    pub(super) async fn fetch(
        &self,
        url: &Url,
        secret: &Secret,
        around: &Surroundings,
        way: &dyn WayOut,
    ) -> Result<Token, EgressError> {
        let members = members(secret)?;
        let own = member_text(&members, "refresh_token").map(Zeroizing::new);
        let own =
            own.ok_or_else(|| EgressError::Auth("the slot's secret has no text member `refresh_token`".into()))?;
        let Some(keeper) = around.keeper.as_ref().filter(|_| self.rotates) else {
            return oauth2_form::token_of(&way.send(self.request(url, secret, &own)?).await?);
        };
        let of = blake3::hash(own.as_bytes()).to_hex().to_string();
        let held = keeper.hold(&around.slot).await.map_err(|why| unkept("be read", &why))?;
        if let Some(waiting) = around.unkept.get(&around.slot) {
            held.keep(&waiting).await.map_err(|why| unkept("be written", &why))?;
            around.unkept.remove(&around.slot);
        }
        let kept = held.kept().await.map_err(|why| unkept("be read", &why))?;
        let kept = kept.and_then(|kept| serde_json::from_str::<Kept>(kept.expose()).ok()).filter(|kept| kept.of == of);
        let used = kept.map_or(own, |kept| Zeroizing::new(kept.refresh_token));
        let token = oauth2_form::token_of(&way.send(self.request(url, secret, &used)?).await?)?;
        if let Some(fresh) = token.refresh.as_ref().filter(|fresh| fresh.expose() != used.as_str()) {
            let kept = Kept { of, refresh_token: fresh.expose().to_owned() };
            let kept = Secret::new(serde_json::to_string(&kept).unwrap_or_default());
            if let Err(why) = held.keep(&kept).await {
                around.unkept.put(around.slot.clone(), kept);
                return Err(unkept("be written", &why));
            }
        }
        Ok(token)
    }

    fn request(&self, url: &Url, secret: &Secret, refresh_token: &str) -> Result<Outgoing, EgressError> {
        let members = members(secret)?;
        let mut form = vec![
            ("grant_type", Zeroizing::new("refresh_token".to_owned())),
            ("refresh_token", Zeroizing::new(refresh_token.to_owned())),
        ];
        if !self.scopes.is_empty() {
            form.push(("scope", Zeroizing::new(self.scopes.join(" "))));
        }
        if self.client == ClientAuth::Form {
            let id = member_text(&members, "client_id");
            let id = id.ok_or_else(|| EgressError::Auth("the slot's secret has no text member `client_id`".into()))?;
            form.push(("client_id", Zeroizing::new(id)));
            form.extend(member_text(&members, "client_secret").map(|text| ("client_secret", Zeroizing::new(text))));
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut outgoing = oauth2_form::request(url, &form);
        if self.client == ClientAuth::Basic {
            outgoing.headers.insert(AUTHORIZATION, oauth2_client::credentials(secret)?);
        }
        Ok(outgoing)
    }
}

fn unkept(what: &str, why: &str) -> EgressError {
    EgressError::Unavailable(format!(
        "the refresh token of the slot cannot {what}: {why}; nothing is asked for until it can"
    ))
}
