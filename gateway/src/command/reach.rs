//! Where a secret is sent and how, in words: the same for what a manifest asks and for what a connection gets.

use renmen_schema::manifest::{AuthRecipe, Placement};

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
