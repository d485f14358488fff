//! Where a secret is sent and how, and what it is a key for, in words: the same for what a manifest asks and for what a connection
//! gets.

use renmen_schema::manifest::{AuthRecipe, Placement, SealManifest, SealUse};
use renmen_schema::{Text, text};

/// What a slot that is never sent is a key for.
pub(crate) fn sealed(seal: Option<&SealManifest>) -> Text {
    let Some(SealManifest { scheme, used }) = seal else { return text!("a key for nothing", "不用于任何用途") };
    let who = match used {
        SealUse::Verify => text!(
            "the connector may ask whether a signature is right, and gets none",
            "连接器可以询问签名是否正确，但得不到签名"
        ),
        SealUse::Sign => text!("the connector gets signatures made with it", "连接器可得到用它生成的签名"),
        SealUse::Host => text!("for the gateway alone", "只供网关使用"),
    };
    text!("a key for {}: {who}", "用于 {} 的密钥：{who}", scheme.name())
}

/// How a slot's credential is made, and its place on a request.
pub(crate) fn how(auth: &AuthRecipe) -> Text {
    match auth {
        AuthRecipe::Static { place } => at(place),
        AuthRecipe::Basic {} => text!(
            "in the header authorization, as user and password (RFC 7617)",
            "在 authorization 头中，作为用户名与密码（RFC 7617）"
        ),
        AuthRecipe::Oauth2ClientCredentials { place, .. } => {
            text!("{}, as a token (OAuth 2.0 client credentials)", "{}，作为令牌（OAuth 2.0 客户端凭据）", at(place))
        }
        AuthRecipe::Oauth2RefreshToken { place, .. } => {
            text!("{}, as a token (OAuth 2.0 refresh token)", "{}，作为令牌（OAuth 2.0 刷新令牌）", at(place))
        }
        AuthRecipe::Oauth2JwtBearer { place, .. } => text!(
            "{}, as a token for a JWT that the gateway signs (RFC 7523)",
            "{}，作为令牌，以网关签名的 JWT 换取（RFC 7523）",
            at(place)
        ),
        AuthRecipe::Oauth2SamlBearer { place, .. } => text!(
            "{}, as a token for a SAML assertion that the gateway signs (RFC 7522)",
            "{}，作为令牌，以网关签名的 SAML 断言换取（RFC 7522）",
            at(place)
        ),
        AuthRecipe::JsonToken { place, .. } => text!("{}, as a token", "{}，作为令牌", at(place)),
        AuthRecipe::Signed { headers, query, .. } => {
            let names = headers.keys().map(String::as_str).chain(query.iter().map(|one| one.name.as_str()));
            let names = names.collect::<Vec<_>>().join(", ");
            text!("each request is signed: {names}", "每个请求都签名：{names}")
        }
    }
}

fn at(place: &Placement) -> Text {
    match place {
        Placement::Header { name, prefix } if prefix.is_empty() => text!("in the header {name}", "在 {name} 头中"),
        Placement::Header { name, prefix } => {
            text!("in the header {name}, behind `{prefix}`", "在 {name} 头中，位于 `{prefix}` 之后")
        }
        Placement::Query { name } => text!("in the query, as {name}", "在查询参数 {name} 中"),
        Placement::Json { at } => text!("in the JSON body, at {at}", "在 JSON 正文的 {at} 处"),
        Placement::Form { name } => text!("in the form, as {name}", "在表单字段 {name} 中"),
    }
}
