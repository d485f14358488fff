//! A request as a source sees it.

use bytes::Bytes;
use serde_json::Value;

use crate::place;

/// The type of a form's body.
const FORM: &str = "application/x-www-form-urlencoded";

/// One request, its query and its JSON taken apart.
#[derive(Debug, Clone)]
pub struct Ask {
    /// `GET`, `POST`, …
    pub method: String,
    /// `/v1/employees`, still percent-encoded.
    pub path: String,
    /// Decoded pairs in their order.
    pub query: Vec<(String, String)>,
    /// As it was sent, with its `?`; empty if there was none.
    pub raw_query: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// As it was sent.
    pub body: Bytes,
    /// The body, where it is JSON.
    pub json: Option<Value>,
    /// The pairs of the body, where it is a form.
    pub form: Vec<(String, String)>,
}

impl Ask {
    /// From the parts of a request.
    #[must_use]
    pub fn new(method: &str, path_and_query: &str, headers: Vec<(String, String)>, body: Bytes) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let is_form =
            headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("content-type") && value.starts_with(FORM));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(query),
            form: if is_form { pairs(&String::from_utf8_lossy(&body)) } else { Vec::new() },
            raw_query: path_and_query[path.len()..].to_owned(),
            headers,
            json: serde_json::from_slice(&body).ok(),
            body,
        }
    }

    /// What stands at a place: a pointer (`/size`) into the body, or the name of a query parameter or of a form's field (`limit`).
    #[must_use]
    pub fn at(&self, place: &str) -> Option<Value> {
        if place.starts_with('/') {
            return self.json.as_ref()?.pointer(place).cloned();
        }
        self.query
            .iter()
            .chain(&self.form)
            .find(|(name, _)| name == place)
            .map(|(_, value)| Value::from(value.as_str()))
    }

    /// The text or number at a place, as text.
    #[must_use]
    pub fn text_at(&self, place: &str) -> Option<String> {
        place::text_of(&self.at(place)?)
    }
}

/// `a=1&b=2`, decoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// Takes `%20` and `+` off; bytes that are not UTF-8 are shown as replacement characters.
fn decoded(text: &str) -> String {
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = match bytes[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        out.push(escaped.unwrap_or(if bytes[at] == b'+' { b' ' } else { bytes[at] }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_a_pointer_into_the_body_or_a_query_parameter() {
        let ask =
            Ask::new("POST", "/a?since=2026-01-01T00%3A00%3A00%2B08%3A00&x=%zz+", vec![], r#"{"a":{"n":3}}"#.into());
        assert_eq!(ask.text_at("since").as_deref(), Some("2026-01-01T00:00:00+08:00"));
        assert_eq!(ask.text_at("x").as_deref(), Some("%zz "));
        assert_eq!(ask.at("/a/n"), Some(json!(3)));
        assert_eq!((ask.at("/b"), ask.at("limit"), ask.path.as_str()), (None, None, "/a"));
        let kind = |kind: &str| vec![("Content-Type".to_owned(), kind.to_owned())];
        let form = |kind_of: &str| Ask::new("POST", "/a?x=1", kind(kind_of), "limit=3&x=2&q=a%20b".into());
        let ask = form("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(
            ["limit", "x", "q"].map(|place| ask.text_at(place)),
            ["3", "1", "a b"].map(|text| Some(text.to_owned()))
        );
        assert_eq!(form("text/plain").at("limit"), None);
    }
}
