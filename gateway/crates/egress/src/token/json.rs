//! A vendor's own token endpoint: named fields in, a pointer to the token out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use renmen_schema::manifest::{Expression, TokenBody};
use renmen_vault::Secret;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::around::Surroundings;
use super::{Token, life};
use crate::EgressError;
use crate::recipe::{Values, members};
use crate::wire::{Answer, Outgoing, WayOut};

/// A vendor's own way.
pub(super) struct JsonAsk {
    pub(super) send: TokenBody,
    pub(super) fields: BTreeMap<String, Expression>,
    /// Values that the fields name.
    pub(super) with: BTreeMap<String, Expression>,
    pub(super) token: String,
    pub(super) expires_in: Option<String>,
    pub(super) error_code: Option<String>,
}

pub(super) async fn fetch(
    url: &Url,
    ask: &JsonAsk,
    secret: &Secret,
    around: &Surroundings,
    way: &dyn WayOut,
) -> Result<Token, EgressError> {
    let answer = way.send(request(url, ask, secret, around)?).await?;
    token_of(&answer, ask)
}

fn request(url: &Url, ask: &JsonAsk, secret: &Secret, around: &Surroundings) -> Result<Outgoing, EgressError> {
    // Its form is checked first: what a plain text lacks would be told as a member that is missing.
    members(secret)?;
    let moment = around.moment();
    let values = Values::new(secret, &around.config, &moment).with(&ask.with);
    let mut fields = Vec::with_capacity(ask.fields.len());
    for (name, expression) in &ask.fields {
        fields.push((name.as_str(), values.text(expression)?));
    }
    Ok(outgoing(url, ask.send, &fields))
}

fn outgoing(url: &Url, send: TokenBody, fields: &[(&str, Zeroizing<String>)]) -> Outgoing {
    let pairs = || fields.iter().map(|(name, value)| (*name, value.as_str()));
    let mut url = url.clone();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let (method, body) = match send {
        TokenBody::Json => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let object: serde_json::Map<String, Value> =
                fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
            (Method::POST, Some(Bytes::from(Value::Object(object).to_string())))
        }
        TokenBody::Form => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs()).finish();
            (Method::POST, Some(Bytes::from(form)))
        }
        TokenBody::Query => {
            url.query_pairs_mut().extend_pairs(pairs());
            (Method::GET, None)
        }
    };
    Outgoing { method, url, headers, body }
}

fn token_of(answer: &Answer, ask: &JsonAsk) -> Result<Token, EgressError> {
    let status = answer.status;
    if status >= 500 {
        return Err(EgressError::Unavailable(format!("the token endpoint answers status {status}")));
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| {
        EgressError::Auth(format!("the token endpoint answers status {status} and no JSON; check token_url"))
    })?;
    if let Some(code) = ask.error_code.as_deref().and_then(|pointer| error_code(&body, pointer)) {
        return Err(EgressError::Auth(format!("the token endpoint refuses the slot's secret: code {code}")));
    }
    if !(200..300).contains(&status) {
        return Err(EgressError::Auth(format!("the token endpoint refuses the slot's secret: status {status}")));
    }
    let token = body.pointer(&ask.token).and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token
        .ok_or_else(|| EgressError::Auth(format!("the token endpoint's answer has no text at `{}`", ask.token)))?;
    let life = match ask.expires_in.as_deref() {
        None => None,
        Some(pointer) => life::of(body.pointer(pointer)).map_err(|why| {
            EgressError::Auth(format!("the token endpoint's answer cannot be used: `{pointer}` {why}"))
        })?,
    };
    Ok(Token::new(token.to_owned(), life))
}

/// The code, when it is one that means failure. Long or odd texts could be an echo and are not shown.
fn error_code(body: &Value, pointer: &str) -> Option<String> {
    let code = match body.pointer(pointer)? {
        Value::Number(number) => number.to_string(),
        Value::String(text)
            if text.len() <= 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) =>
        {
            text.clone()
        }
        Value::String(_) => "unknown".to_owned(),
        _ => return None,
    };
    // Zeros of any number: `0`, `00000`.
    let good = code.bytes().all(|byte| byte == b'0') || matches!(code.as_str(), "200" | "ok");
    (!good).then_some(code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ask(send: TokenBody) -> JsonAsk {
        JsonAsk {
            send,
            fields: [("appKey", "{client_id}"), ("appSecret", "{client_secret}")]
                .map(|(name, text)| (name.to_owned(), Expression::parse(text).unwrap()))
                .into(),
            with: BTreeMap::new(),
            token: "/accessToken".into(),
            expires_in: Some("/expireIn".into()),
            error_code: Some("/errcode".into()),
        }
    }

    /// Remembers what it was given and answers as told.
    struct Told(Answer, parking_lot::Mutex<Option<Outgoing>>);

    #[async_trait::async_trait]
    impl WayOut for Told {
        async fn send(&self, outgoing: Outgoing) -> Result<Answer, EgressError> {
            *self.1.lock() = Some(outgoing);
            Ok(self.0.clone())
        }
    }

    async fn run(
        send: TokenBody,
        secret: &str,
        status: u16,
        body: &str,
    ) -> (Option<Outgoing>, Result<Token, EgressError>) {
        let url = Url::parse("https://a.test/token").unwrap();
        let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) };
        let told = Told(answer, parking_lot::Mutex::new(None));
        let around = Surroundings::for_test();
        let token = fetch(&url, &ask(send), &Secret::new(secret.into()), &around, &told).await;
        (told.1.into_inner(), token)
    }

    const SECRET: &str = r#"{"client_id":"id-1","client_secret":"s&cret"}"#;

    #[tokio::test]
    async fn fields_go_as_json_form_or_query() {
        let good = r#"{"accessToken":"t-1","expireIn":"7200","errcode":0}"#;
        let (sent, token) =
            run(TokenBody::Json, SECRET, 200, &good.replace("\"errcode\":0", "\"errcode\":\"00000\"")).await;
        assert_eq!(token.unwrap().text.expose(), "t-1");
        assert_eq!(sent.unwrap().body.unwrap(), r#"{"appKey":"id-1","appSecret":"s&cret"}"#);
        let (sent, _) = run(TokenBody::Form, SECRET, 200, good).await;
        assert_eq!(sent.unwrap().body.unwrap(), "appKey=id-1&appSecret=s%26cret");
        let (sent, _) = run(TokenBody::Query, SECRET, 200, good).await;
        let sent = sent.unwrap();
        assert_eq!(
            (sent.method, sent.url.as_str()),
            (Method::GET, "https://a.test/token?appKey=id-1&appSecret=s%26cret")
        );
    }

    #[tokio::test]
    async fn what_is_no_token_is_an_auth_error_without_the_secret() {
        for (secret, status, body) in [
            (SECRET, 200, r#"{"errcode":40089,"errmsg":"s&cret is wrong"}"#),
            (SECRET, 200, r#"{"errcode":"s&cret"}"#),
            (SECRET, 401, "{}"),
            (SECRET, 200, "<html>s&cret</html>"),
            (SECRET, 200, r#"{"accessToken":""}"#),
            (SECRET, 200, r#"{"accessToken":"s&cret","expireIn":-7200}"#),
            (SECRET, 200, r#"{"accessToken":"s&cret","expireIn":"two hours, s&cret"}"#),
            ("s&cret", 200, "{}"),
            (r#"{"client_id":"id-1"}"#, 200, "{}"),
        ] {
            let Err(EgressError::Auth(message)) = run(TokenBody::Json, secret, status, body).await.1 else {
                panic!("{body}")
            };
            assert!(!message.contains("s&cret"), "{message}");
        }
        let down = run(TokenBody::Json, SECRET, 502, "").await.1;
        assert!(matches!(down, Err(EgressError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_bad_secret_sends_nothing() {
        assert!(run(TokenBody::Json, r#"{"client_id":"id-1"}"#, 200, "{}").await.0.is_none());
    }
}
