//! Auth recipes: how a credential is made from a slot's secret and where it goes, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a slot becomes a credential on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthRecipe {
    /// The slot's secret as it is.
    Static {
        /// Where it goes.
        place: Placement,
    },
    /// RFC 7617. The slot holds `user:password`.
    Basic {},
    /// OAuth 2.0 client credentials (RFC 6749, 4.4). The slot holds JSON `{"client_id", "client_secret"}`.
    Oauth2ClientCredentials {
        /// The token endpoint; may name a configuration key: `{auth_url}/token`.
        token_url: String,
        /// Scopes to ask for.
        #[serde(default)]
        scopes: Vec<String>,
        /// Where the token goes.
        #[serde(default)]
        place: Placement,
    },
    /// A vendor's own token endpoint: JSON or a query in, JSON out. The slot holds a JSON object whose members
    /// fill the `{name}` places of `fields`.
    JsonToken {
        /// The token endpoint; may name a configuration key.
        token_url: String,
        /// How the fields are sent.
        #[serde(default)]
        send: TokenBody,
        /// Name to value, with `{member}` for a member of the slot's secret: `{ appKey = "{client_id}" }`.
        fields: BTreeMap<String, String>,
        /// RFC 6901 pointer to the token in the answer.
        token: String,
        /// RFC 6901 pointer to its life in seconds; none means 300.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_in: Option<String>,
        /// Pointer to a value that is 0 (or absent) when all is well: `/errcode`, `/code`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<String>,
        /// How an API answer other than a 401 says that the token is stale.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stale: Option<StaleToken>,
        /// Where the token goes.
        #[serde(default)]
        place: Placement,
    },
}

impl AuthRecipe {
    /// The token endpoint as the manifest writes it; none for a recipe without one.
    #[must_use]
    pub fn token_url(&self) -> Option<&str> {
        match self {
            Self::Static { .. } | Self::Basic {} => None,
            Self::Oauth2ClientCredentials { token_url, .. } | Self::JsonToken { token_url, .. } => Some(token_url),
        }
    }
}

/// What an API answers, without a 401, to a token that it no longer takes: a code in the body of a 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaleToken {
    /// RFC 6901 pointer to the code in the answer: `/errcode`.
    pub pointer: String,
    /// Further places of the code, where the API wraps some of its refusals: `/sub_code`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The codes, as text: `40014`, `InvalidAuthentication`.
    pub codes: Vec<String>,
}

/// How a token request carries its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    /// `POST` with a JSON object.
    #[default]
    Json,
    /// `POST` with a form.
    Form,
    /// `GET` with a query.
    Query,
}

/// Where a credential goes on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "in", rename_all = "snake_case", deny_unknown_fields)]
pub enum Placement {
    /// A header, with what stands before the credential: `Bearer `.
    Header {
        /// The header's name.
        name: String,
        /// What stands before the credential.
        #[serde(default)]
        prefix: String,
    },
    /// A query parameter. Taken out of every log and recording.
    Query {
        /// The parameter's name.
        name: String,
    },
}

impl Default for Placement {
    fn default() -> Self {
        Self::Header { name: "authorization".into(), prefix: "Bearer ".into() }
    }
}
