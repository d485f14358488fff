//! Auth recipes: how a credential is made from a slot's secret and where it goes, as data.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::Expressions;
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
    /// fill the `{name}` places of `fields`, which may be signed too.
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
        /// Named values that `fields` may name: `{ text = "appKey{app_key}timestamp{time_ms}" }`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        with: BTreeMap<String, String>,
    },
    /// OAuth 2.0 refresh tokens (RFC 6749, 6). The slot holds JSON `{"client_id", "client_secret", "refresh_token"}`; a client without a
    /// secret leaves that out.
    Oauth2RefreshToken {
        /// The token endpoint; may name a configuration key.
        token_url: String,
        /// How the client says who it is.
        #[serde(default)]
        client: ClientAuth,
        /// Scopes to ask for.
        #[serde(default)]
        scopes: Vec<String>,
        /// Does each use of a refresh token end it, and give another one? Then the gateway keeps the new one in its vault before it uses
        /// what came with it. `false`: the slot's own is used again and again.
        #[serde(default = "yes")]
        rotates: bool,
        /// How an API answer other than a 401 says that the token is stale.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stale: Option<StaleToken>,
        /// Where the token goes.
        #[serde(default)]
        place: Placement,
    },
    /// A JWT that the gateway makes and signs, for a token (RFC 7523). The slot holds JSON with `private_key` (PEM) and what the texts name.
    /// `iat`, `exp` and `jti` are the gateway's.
    Oauth2JwtBearer {
        /// The token endpoint; may name a configuration key.
        token_url: String,
        /// By which it is signed.
        #[serde(default)]
        algorithm: JwtAlgorithm,
        /// Claim to value, with places: `{ iss = "{client_id}", sub = "{config/user}", aud = "{config/login_url}" }`.
        claims: BTreeMap<String, String>,
        /// Members of the JWT's header besides `alg` and `typ`: `{ kid = "{key_id}" }`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        header: BTreeMap<String, String>,
        /// Fields of the token request besides `grant_type` and `assertion`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fields: BTreeMap<String, String>,
        /// How long a JWT is good for, in seconds: 10 to 3600.
        #[serde(default = "jwt_life_s")]
        life_s: u32,
        /// How an API answer other than a 401 says that the token is stale.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stale: Option<StaleToken>,
        /// Where the token goes.
        #[serde(default)]
        place: Placement,
    },
    /// A SAML 2.0 assertion that the gateway makes and signs (RSA with SHA-256), for a token (RFC 7522). The slot holds JSON with
    /// `private_key` (PEM), what the texts name, and perhaps `certificate` (PEM), which then goes along.
    Oauth2SamlBearer {
        /// The token endpoint; may name a configuration key.
        token_url: String,
        /// Who says it: `{client_id}`.
        issuer: String,
        /// Of whom: `{config/user}`.
        subject: String,
        /// The format of the subject's name.
        #[serde(default = "unspecified")]
        name_format: String,
        /// For whom it is.
        audience: String,
        /// Where it is handed in: `{config/base_url}/oauth/token`.
        recipient: String,
        /// Attribute to value.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        attributes: BTreeMap<String, String>,
        /// Fields of the token request besides `grant_type` and `assertion`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fields: BTreeMap<String, String>,
        /// How long an assertion is good for, in seconds, before and after now: 10 to 3600.
        #[serde(default = "saml_life_s")]
        life_s: u32,
        /// How an API answer other than a 401 says that the token is stale.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stale: Option<StaleToken>,
        /// Where the token goes.
        #[serde(default)]
        place: Placement,
    },
    /// Requests that are signed one by one. The slot holds a text or a JSON object; nothing of it is sent but what `headers` and `query`
    /// name, and a signature is new for each attempt.
    Signed {
        /// Named values: what is signed, keys that are made from the secret. They may name each other.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        with: BTreeMap<String, String>,
        /// Header to value.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// Parameters, added in this order: `{query}` in a later one has the earlier ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        query: Vec<SignedParameter>,
    },
}

fn yes() -> bool {
    true
}

fn jwt_life_s() -> u32 {
    120
}

fn saml_life_s() -> u32 {
    600
}

fn unspecified() -> String {
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified".to_owned()
}

/// By which a JWT is signed (RFC 7518).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub enum JwtAlgorithm {
    /// RSA with SHA-256.
    #[default]
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
}

/// How an OAuth 2.0 client says who it is (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the form.
    #[default]
    Form,
    /// As user and password of HTTP Basic.
    Basic,
}

/// A query parameter of a signed request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedParameter {
    /// Its name.
    pub name: String,
    /// Its value: a text with places.
    pub value: String,
}

impl AuthRecipe {
    /// The token endpoint as the manifest writes it; none for a recipe without one.
    #[must_use]
    pub fn token_url(&self) -> Option<&str> {
        match self {
            Self::Static { .. } | Self::Basic {} | Self::Signed { .. } => None,
            Self::Oauth2ClientCredentials { token_url, .. }
            | Self::Oauth2RefreshToken { token_url, .. }
            | Self::Oauth2JwtBearer { token_url, .. }
            | Self::Oauth2SamlBearer { token_url, .. }
            | Self::JsonToken { token_url, .. } => Some(token_url),
        }
    }

    /// The texts with places in it, apart from `token_url`.
    #[must_use]
    pub fn expressions(&self) -> Expressions<'_> {
        match self {
            Self::Static { .. }
            | Self::Basic {}
            | Self::Oauth2ClientCredentials { .. }
            | Self::Oauth2RefreshToken { .. } => Expressions::default(),
            Self::JsonToken { fields, with, .. } => {
                Expressions { with: Some(with), sent: sent(&[("fields", fields)]).collect(), of_request: false }
            }
            Self::Oauth2JwtBearer { claims, header, fields, .. } => {
                let tables = [("claims", claims), ("header", header), ("fields", fields)];
                Expressions { sent: sent(&tables).collect(), ..Expressions::default() }
            }
            Self::Oauth2SamlBearer { issuer, subject, audience, recipient, attributes, fields, .. } => {
                let texts =
                    [("issuer", issuer), ("subject", subject), ("audience", audience), ("recipient", recipient)];
                let texts = texts.into_iter().map(|(key, text)| (key.to_owned(), text.as_str()));
                let tables = [("attributes", attributes), ("fields", fields)];
                Expressions { sent: texts.chain(sent(&tables)).collect(), ..Expressions::default() }
            }
            Self::Signed { with, headers, query } => {
                let headers = headers.iter().map(|(name, text)| (format!("headers.{name}"), text.as_str()));
                let query = query.iter().map(|one| (format!("query.{}", one.name), one.value.as_str()));
                Expressions { with: Some(with), sent: headers.chain(query).collect(), of_request: true }
            }
        }
    }

    /// Where it puts something on a request.
    #[must_use]
    pub fn places(&self) -> Vec<Placement> {
        match self {
            Self::Static { place }
            | Self::Oauth2ClientCredentials { place, .. }
            | Self::Oauth2RefreshToken { place, .. }
            | Self::Oauth2JwtBearer { place, .. }
            | Self::Oauth2SamlBearer { place, .. }
            | Self::JsonToken { place, .. } => vec![place.clone()],
            Self::Basic {} => vec![Placement::default()],
            Self::Signed { headers, query, .. } => {
                let header = |name: &String| Placement::Header { name: name.clone(), prefix: String::new() };
                let query = query.iter().map(|one| Placement::Query { name: one.name.clone() });
                headers.keys().map(header).chain(query).collect()
            }
        }
    }

    /// The members of the slot's secret that it names; none where it takes the secret as a whole.
    #[must_use]
    pub fn members(&self) -> BTreeSet<String> {
        let fixed: &[&str] = match self {
            Self::Oauth2ClientCredentials { .. } => &["client_id", "client_secret"],
            Self::Oauth2RefreshToken { .. } => &["client_id", "client_secret", "refresh_token"],
            Self::Oauth2JwtBearer { .. } => &["private_key"],
            Self::Oauth2SamlBearer { .. } => &["private_key"],
            Self::Static { .. } | Self::Basic {} | Self::JsonToken { .. } | Self::Signed { .. } => &[],
        };
        fixed.iter().map(|name| (*name).to_owned()).chain(self.expressions().members()).collect()
    }
}

/// The texts of tables, each by its table and key.
fn sent<'m>(tables: &[(&'static str, &'m BTreeMap<String, String>)]) -> impl Iterator<Item = (String, &'m str)> {
    let of = |(key, table): &(&'static str, &'m BTreeMap<String, String>)| {
        let key = *key;
        table.iter().map(move |(name, text)| (format!("{key}.{name}"), text.as_str())).collect::<Vec<_>>()
    };
    tables.iter().flat_map(of).collect::<Vec<_>>().into_iter()
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
    /// A place in a JSON body. The connector's body has the text `<secret>` there, and the gateway puts the credential in its place after
    /// everything is recorded.
    Json {
        /// RFC 6901 pointer to it: `/params/args/2`.
        at: String,
    },
    /// A field of a form. The connector's body has the text `<secret>` there, as in JSON.
    Form {
        /// The field's name.
        name: String,
    },
}

impl Placement {
    /// What stands in a body where the gateway puts a credential.
    pub const BODY_PLACE: &str = "<secret>";
}

impl Default for Placement {
    fn default() -> Self {
        Self::Header { name: "authorization".into(), prefix: "Bearer ".into() }
    }
}
