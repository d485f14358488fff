//! Where a secret is sent and how, and what it is a key for, in words: the same for what a manifest asks and for what a connection
//! gets.

use renmen_schema::manifest::{AuthRecipe, Placement, SealManifest, SealUse};

/// What a slot that is never sent is a key for.
pub(crate) fn sealed(seal: Option<&SealManifest>) -> String {
    let Some(SealManifest { scheme, used }) = seal else { return "a key for nothing".to_owned() };
    let who = match used {
        SealUse::Verify => "the connector may ask whether a signature is right, and gets none",
        SealUse::Sign => "the connector gets signatures made with it",
        SealUse::Host => "for the gateway alone",
    };
    format!("a key for {}: {who}", scheme.name())
}

/// How a slot's credential is made, and its place on a request.
pub(crate) fn how(auth: &AuthRecipe) -> String {
    match auth {
        AuthRecipe::Static { place } => at(place),
        AuthRecipe::Basic {} => "in the header authorization, as user and password (RFC 7617)".to_owned(),
        AuthRecipe::Oauth2ClientCredentials { place, .. } => {
            format!("{}, as a token (OAuth 2.0 client credentials)", at(place))
        }
        AuthRecipe::JsonToken { place, .. } => format!("{}, as a token", at(place)),
    }
}

fn at(place: &Placement) -> String {
    match place {
        Placement::Header { name, prefix } if prefix.is_empty() => format!("in the header {name}"),
        Placement::Header { name, prefix } => format!("in the header {name}, behind `{prefix}`"),
        Placement::Query { name } => format!("in the query, as {name}"),
    }
}
