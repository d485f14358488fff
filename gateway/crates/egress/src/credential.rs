//! Steps 8 and 9: from a slot to a credential on a request. Owns slots, audiences and placement; how a token is fetched is
//! `token`'s business.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use renmen_origin::{Origin, Pattern};
use renmen_schema::id::SlotName;
use renmen_schema::manifest::Placement;
use renmen_vault::Secret;

use crate::EgressError;
use crate::recipe::{SignedRecipe, put_into_body};
use crate::token::{Token, TokenCell, TokenEndpoint};
use crate::wire::Outgoing;

/// One slot of a connection, ready for use.
pub(crate) struct Slot {
    pub(crate) name: SlotName,
    pub(crate) secret: Option<Secret>,
    /// What the operator says of it; none where the operator says nothing.
    pub(crate) to: Option<Vec<Pattern>>,
    /// What the manifest says of it; empty means anywhere that is granted.
    pub(crate) audience: Vec<Pattern>,
    pub(crate) recipe: Option<Recipe>,
}

/// How a slot becomes a credential.
pub(crate) enum Recipe {
    Static(Placement),
    Basic,
    Token { endpoint: Box<TokenEndpoint>, cell: Arc<TokenCell>, place: Placement },
    Signed(Box<SignedRecipe>),
}

/// What goes onto one request.
pub(crate) struct Credential {
    text: Secret,
    place: Placement,
    /// Set when it came from a token endpoint: what to forget when the vendor no longer takes it.
    pub(crate) token: Option<Arc<Token>>,
}

impl Slot {
    /// The slot's secret.
    ///
    /// # Errors
    /// [`EgressError::Auth`] when it is empty.
    pub(crate) fn secret(&self) -> Result<&Secret, EgressError> {
        let filled = self.secret.as_ref().filter(|secret| !secret.expose().trim().is_empty());
        filled.ok_or_else(|| {
            EgressError::Auth(format!("slot `{}` is empty; give the connection a secret for it", self.name))
        })
    }

    /// May the credential go to this origin?
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] naming slot and origin; also for a slot without an auth recipe.
    pub(crate) fn check_audience(&self, origin: &Origin) -> Result<(), EgressError> {
        if self.recipe.is_none() {
            return Err(EgressError::NotGranted(format!(
                "slot `{}` has no auth recipe: its secret goes onto no request",
                self.name
            )));
        }
        self.check_destination(origin)
    }

    /// May the secret, or what was got for it, go to this origin?
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] naming slot, origin and who would have to allow it.
    pub(crate) fn check_destination(&self, origin: &Origin) -> Result<(), EgressError> {
        self.check_to(origin)?;
        if self.audience.is_empty() || self.audience.iter().any(|pattern| pattern.covers(origin)) {
            return Ok(());
        }
        Err(EgressError::NotGranted(format!(
            "the credential of slot `{}` may not go to {origin}; see its audience in the manifest",
            self.name
        )))
    }

    /// Does the operator let it go to this origin?
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] naming slot, origin and the key to write.
    pub(crate) fn check_to(&self, origin: &Origin) -> Result<(), EgressError> {
        if self.to.as_ref().is_none_or(|to| to.iter().any(|pattern| pattern.covers(origin))) {
            return Ok(());
        }
        Err(EgressError::NotGranted(format!(
            "the secret of slot `{}` may not go to {origin}; it is not in `to` of that slot in the configuration",
            self.name
        )))
    }

    /// The credential when it needs no token endpoint.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for an empty slot or a secret of the wrong form.
    pub(crate) fn ready(&self) -> Result<Option<Credential>, EgressError> {
        let secret = self.secret()?;
        Ok(match &self.recipe {
            Some(Recipe::Static(place)) => Some(Credential {
                text: Secret::new(secret.expose().trim().to_owned()),
                place: place.clone(),
                token: None,
            }),
            Some(Recipe::Basic) => {
                if !secret.expose().contains(':') {
                    return Err(EgressError::Auth(format!("slot `{}` must hold `user:password`", self.name)));
                }
                let place = Placement::Header { name: "authorization".into(), prefix: "Basic ".into() };
                Some(Credential { text: Secret::new(STANDARD.encode(secret.expose().trim())), place, token: None })
            }
            Some(Recipe::Token { .. } | Recipe::Signed(_)) | None => None,
        })
    }
}

impl Credential {
    /// Of a token that was fetched.
    pub(crate) fn of_token(token: Arc<Token>, place: &Placement) -> Self {
        Self { text: token.text.clone(), place: place.clone(), token: Some(token) }
    }

    /// Puts the credential into its place.
    ///
    /// # Errors
    /// [`EgressError::Auth`] when it cannot be a header's value, [`EgressError::BadRequest`] when the body has no place for it.
    pub(crate) fn inject(&self, outgoing: &mut Outgoing) -> Result<(), EgressError> {
        match &self.place {
            Placement::Header { name, prefix } => {
                let bad = || {
                    EgressError::Auth(
                        "the credential has characters that no header may have, such as a line break".into(),
                    )
                };
                let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                    EgressError::Auth(format!(
                        "the manifest places the credential in `{name}`, which is not a header name"
                    ))
                })?;
                let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.text.expose())).map_err(|_| bad())?;
                // So that no layer below prints it, and HTTP/2 does not index it.
                value.set_sensitive(true);
                outgoing.headers.insert(header, value);
            }
            Placement::Query { name } => {
                outgoing.url.query_pairs_mut().append_pair(name, self.text.expose());
            }
            Placement::Json { .. } | Placement::Form { .. } => {
                put_into_body(&self.place, self.text.expose(), outgoing)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use url::Url;

    fn slot(secret: Option<&str>, recipe: Option<Recipe>) -> Slot {
        let audience = vec![Pattern::read("https://a.test", &serde_json::json!({})).unwrap().unwrap()];
        Slot {
            name: SlotName::new("app").unwrap(),
            secret: secret.map(|s| Secret::new(s.into())),
            to: None,
            audience,
            recipe,
        }
    }

    fn outgoing() -> Outgoing {
        Outgoing {
            method: http::Method::GET,
            url: Url::parse("https://a.test/?x=1").unwrap(),
            headers: http::HeaderMap::new(),
            body: None,
        }
    }

    #[test]
    fn a_static_credential_goes_where_the_recipe_says() {
        let mut sent = outgoing();
        let place = Placement::Header { name: "X-API-Key".into(), prefix: "key=".into() };
        slot(Some("s3cret\n"), Some(Recipe::Static(place))).ready().unwrap().unwrap().inject(&mut sent).unwrap();
        assert_eq!(sent.headers["x-api-key"], "key=s3cret");
        assert!(sent.headers["x-api-key"].is_sensitive());
        let place = Placement::Query { name: "token".into() };
        slot(Some("s&t"), Some(Recipe::Static(place))).ready().unwrap().unwrap().inject(&mut sent).unwrap();
        assert_eq!(sent.url.as_str(), "https://a.test/?x=1&token=s%26t");
    }

    #[test]
    fn basic_is_encoded_as_rfc_7617_gives_it() {
        let mut sent = outgoing();
        slot(Some("Aladdin:open sesame"), Some(Recipe::Basic)).ready().unwrap().unwrap().inject(&mut sent).unwrap();
        assert_eq!(sent.headers["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(matches!(slot(Some("no colon"), Some(Recipe::Basic)).ready(), Err(EgressError::Auth(_))));
    }

    #[test]
    fn an_empty_slot_fails_by_name() {
        for empty in [None, Some(""), Some(" \n")] {
            let Err(EgressError::Auth(message)) = slot(empty, Some(Recipe::Basic)).ready() else { panic!("{empty:?}") };
            assert!(message.contains("`app`"));
        }
    }

    #[test]
    fn a_credential_goes_to_its_audience_alone() {
        let origin = |url: &str| Origin::of(&Url::parse(url).unwrap()).unwrap();
        let slot = slot(Some("x"), Some(Recipe::Basic));
        assert!(slot.check_audience(&origin("https://a.test/")).is_ok());
        assert!(matches!(slot.check_audience(&origin("https://b.test/")), Err(EgressError::NotGranted(_))));
        assert!(matches!(slot.check_audience(&origin("http://a.test/")), Err(EgressError::NotGranted(_))));
        let to = |pattern: &str| Some(vec![Pattern::read(pattern, &serde_json::json!({})).unwrap().unwrap()]);
        let elsewhere = Slot { to: to("https://b.test"), recipe: Some(Recipe::Basic), ..slot };
        for url in ["https://a.test/", "https://b.test/"] {
            let error = elsewhere.check_audience(&origin(url)).unwrap_err();
            assert!(matches!(error, EgressError::NotGranted(_)), "each of the two only narrows the other: {url}");
        }
        let both = Slot { to: to("https://a.test"), recipe: Some(Recipe::Basic), ..elsewhere };
        assert!(both.check_audience(&origin("https://a.test/")).is_ok());
        let seal_only = Slot { recipe: None, ..both };
        assert!(matches!(seal_only.check_audience(&origin("https://a.test/")), Err(EgressError::NotGranted(_))));
    }
}
