//! Patterns: `https://api.example.com`, `https://*.example.com:8443`, `{base_url}`, `drop:`. Owns reading, matching and what two
//! of them have in common.

use std::fmt;

use renmen_schema::{Text, text};
use url::{Host, Url};

use crate::origin::{Origin, write_with};
use crate::{config_text, suffix};

/// What grants an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Just this one.
    Exact(Origin),
    /// One or more labels before this host; scheme and port as they stand. Never an address, and never a name of another owner
    /// than this host's.
    Below(Origin),
    /// The drop directory.
    Drop,
}

/// A pattern as it is written.
enum Written<'a> {
    Key(&'a str),
    Plain(Pattern),
}

/// Is this text a pattern? Nothing is asked of a configuration.
///
/// # Errors
/// What is wrong with it, to follow the text: `is not an origin`.
pub fn check(text: &str) -> Result<(), Text> {
    written(text).map(drop)
}

fn written(text: &str) -> Result<Written<'_>, Text> {
    if text == "drop:" {
        return Ok(Written::Plain(Pattern::Drop));
    }
    if let Some(key) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let named = !key.is_empty() && !key.contains(['{', '}']);
        return named.then_some(Written::Key(key)).ok_or_else(|| text!("names no configuration key", "没有写明配置项"));
    }
    if text.contains('*') && (text.matches('*').count() > 1 || !text.contains("://*.")) {
        return Err(text!("may have one `*.`, at the beginning of the host", "只能在主机名开头有一个 `*.`"));
    }
    let url = Url::parse(&text.replacen("*.", "", 1)).map_err(|_| text!("is not an origin", "不是源地址"))?;
    let origin = Origin::of(&url)
        .ok_or_else(|| text!("does not begin with https:// or http://", "不是以 https:// 或 http:// 开头"))?;
    if origin.host.is_empty() || has_user(&url) {
        return Err(text!("is not an origin", "不是源地址"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(text!(
            "has more than scheme, host and port: access is granted to whole hosts",
            "含有协议、主机与端口以外的部分：授权以整个主机为单位"
        ));
    }
    if !text.contains('*') {
        return Ok(Written::Plain(Pattern::Exact(origin)));
    }
    if !matches!(url.host(), Some(Host::Domain(_))) {
        return Err(text!("has a `*` before an address", "在 IP 地址前有 `*`"));
    }
    if suffix::is_public(&origin.host) {
        let host = &origin.host;
        return Err(text!(
            "covers names of strangers: anyone can register below `{host}`; name the vendor's own domain",
            "包含他人的域名：任何人都可以在 `{host}` 下注册；请写厂商自己的域名"
        ));
    }
    Ok(Written::Plain(Pattern::Below(origin)))
}

impl Pattern {
    /// Reads a pattern. `Ok(None)`: it names a configuration key that this connection does not set, so it grants nothing.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn read(text: &str, config: &serde_json::Value) -> Result<Option<Self>, Text> {
        match written(text).map_err(|why| text!("host `{text}` {why}", "主机 `{text}` {why}"))? {
            Written::Plain(pattern) => Ok(Some(pattern)),
            Written::Key(key) => match config.get(key) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(_) => Self::of_config(key, config).map(Some),
            },
        }
    }

    fn of_config(key: &str, config: &serde_json::Value) -> Result<Self, Text> {
        let text = config_text(config, key).ok_or_else(|| {
            text!("configuration key `{key}` must be a URL in a string", "配置项 `{key}` 必须是字符串形式的 URL")
        })?;
        let url = Url::parse(&text)
            .map_err(|e| text!("configuration key `{key}` is not a URL: {e}", "配置项 `{key}` 不是 URL：{e}"))?;
        if url.scheme() == "drop" {
            return Ok(Self::Drop);
        }
        if has_user(&url) {
            return Err(text!(
                "configuration key `{key}`: put user and password into a slot, not into the URL",
                "配置项 `{key}`：请把用户名与密码放到凭据槽，不要写在 URL 中"
            ));
        }
        let origin = Origin::of(&url).ok_or_else(|| {
            text!(
                "configuration key `{key}` must begin with https:// or http://",
                "配置项 `{key}` 必须以 https:// 或 http:// 开头"
            )
        })?;
        Ok(Self::Exact(origin))
    }

    /// Does it grant this origin?
    #[must_use]
    pub fn covers(&self, origin: &Origin) -> bool {
        match self {
            Self::Exact(exact) => exact == origin,
            Self::Below(base) => {
                let below = |host: &str| {
                    host.strip_suffix(&base.host)
                        .and_then(|labels| labels.strip_suffix('.'))
                        .is_some_and(|l| !l.is_empty())
                };
                base.tls == origin.tls
                    && base.port == origin.port
                    && !origin.is_address()
                    && below(&origin.host)
                    // Below a domain there may be names that belong to everybody again: `s3.amazonaws.com`.
                    && suffix::public_bytes(&origin.host) < base.host.len()
            }
            Self::Drop => false,
        }
    }

    /// What this pattern and another one both cover.
    fn common(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Drop, Self::Drop) => Some(Self::Drop),
            (Self::Exact(origin), any) | (any, Self::Exact(origin)) => {
                let same = matches!(any, Self::Exact(other) if other == origin);
                (same || any.covers(origin)).then(|| Self::Exact(origin.clone()))
            }
            (Self::Below(one), Self::Below(two)) => {
                let (wide, narrow) = if one.host.len() <= two.host.len() { (self, two) } else { (other, one) };
                let same = matches!(wide, Self::Below(base) if base == narrow);
                (same || wide.covers(narrow)).then(|| Self::Below(narrow.clone()))
            }
            (Self::Drop, Self::Below(_)) | (Self::Below(_), Self::Drop) => None,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(origin) => write_with(f, origin, ""),
            Self::Below(origin) => write_with(f, origin, "*."),
            Self::Drop => f.write_str("drop:"),
        }
    }
}

/// Reads several; patterns of unset configuration keys fall away.
///
/// # Errors
/// As [`Pattern::read`].
pub fn read_all(texts: &[String], config: &serde_json::Value) -> Result<Vec<Pattern>, Text> {
    texts.iter().filter_map(|text| Pattern::read(text, config).transpose()).collect()
}

/// What two lists both cover, each once.
#[must_use]
pub fn within(ours: &[Pattern], theirs: &[Pattern]) -> Vec<Pattern> {
    let mut found = Vec::new();
    for pattern in ours.iter().flat_map(|one| theirs.iter().filter_map(|two| one.common(two))) {
        if !found.contains(&pattern) {
            found.push(pattern);
        }
    }
    found
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn covers(pattern: &str, url: &str) -> bool {
        let pattern =
            Pattern::read(pattern, &json!({ "base_url": "https://erp.corp.test:8443/k3cloud/" })).unwrap().unwrap();
        pattern.covers(&Origin::of(&Url::parse(url).unwrap()).unwrap())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(covers("https://a.test", "https://a.test:443/x"));
        assert!(covers("https://a.test", "https://A.TEST./x"));
        assert!(!covers("https://a.test", "http://a.test/x"));
        assert!(!covers("https://a.test", "https://a.test:444/x"));
        assert!(!covers("https://a.test", "https://b.a.test/x"));
        assert!(!covers("https://a.test", "https://a.test.evil.test/x"));
    }

    #[test]
    fn a_star_is_one_or_more_whole_labels_and_never_an_address() {
        assert!(covers("https://*.a.test", "https://x.a.test"));
        assert!(covers("https://*.a.test", "https://y.x.a.test"));
        assert!(!covers("https://*.a.test", "https://a.test"));
        assert!(!covers("https://*.a.test", "https://xa.test"));
        assert!(!covers("https://*.a.test", "http://x.a.test"));
        assert!(!covers("https://*.a.test", "https://1.2.3.4"));
    }

    #[test]
    fn a_configuration_key_grants_its_origin_alone() {
        assert!(covers("{base_url}", "https://erp.corp.test:8443/anything"));
        assert!(!covers("{base_url}", "https://erp.corp.test/anything"));
        assert_eq!(Pattern::read("{unset}", &json!({})).unwrap(), None);
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_reason() {
        for bad in [
            "a.test",
            "*",
            "https://*",
            "https://a.test/path",
            "https://a.test?x",
            "ftp://a.test",
            "https://a.*.test",
            "https://*.*.a.test",
            "https://*.1.2.3.4",
            "https://u:p@a.test",
            "{}",
            "{a}{b}",
            "",
        ] {
            assert!(Pattern::read(bad, &json!({})).unwrap_err().english().starts_with("host `"), "{bad}");
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in [
            "https://a.test",
            "https://*.a.test",
            "http://127.0.0.1:8080",
            "https://[::1]:1/",
            "http://erp",
            "{base_url}",
            "drop:",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert!(Pattern::read("{k}", &json!({ "k": 5 })).unwrap_err().english().contains("`k`"));
        assert!(Pattern::read("{k}", &json!({ "k": "https://u:p@a.test" })).unwrap_err().english().contains("slot"));
    }

    #[test]
    fn a_star_never_spans_names_of_different_owners() {
        for bad in [
            "https://*.com",
            "https://*.co.uk",
            "https://*.github.io",
            "https://*.s3.amazonaws.com",
            "https://*.localhost",
            "https://*.erp",
            "https://*.xn--55qx5d.cn",
            "https://*.公司.cn",
            "https://*.COM",
        ] {
            let why = check(bad).unwrap_err();
            assert!(why.english().contains("strangers"), "{bad}: {why}");
            assert!(Pattern::read(bad, &json!({})).is_err(), "{bad}");
        }
        for good in
            ["https://*.example.com", "https://*.example.co.uk", "https://*.acme.github.io", "https://*.erp.internal"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        // The domain is one owner's, some names below it are not.
        assert!(covers("https://*.amazonaws.com", "https://sts.amazonaws.com"));
        assert!(!covers("https://*.amazonaws.com", "https://stranger.s3.amazonaws.com"));
    }

    #[test]
    fn what_two_lists_have_in_common_is_what_both_cover() {
        let read = |texts: &[&str]| {
            read_all(
                &texts.iter().map(ToString::to_string).collect::<Vec<_>>(),
                &json!({ "base_url": "https://api.a.test/v1" }),
            )
            .unwrap()
        };
        let common = |ours: &[&str], theirs: &[&str]| {
            within(&read(ours), &read(theirs)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(common(&["https://*.a.test"], &["{base_url}", "https://b.test"]), ["https://api.a.test"]);
        assert_eq!(common(&["https://*.a.test"], &["https://*.x.a.test"]), ["https://*.x.a.test"]);
        assert_eq!(
            common(&["https://*.x.a.test", "https://*.a.test"], &["https://*.a.test"]),
            ["https://*.x.a.test", "https://*.a.test"]
        );
        assert_eq!(common(&["https://*.a.test:8443"], &["https://*.a.test"]), [""; 0]);
        assert_eq!(common(&["https://a.test"], &["http://a.test", "https://*.a.test", "drop:"]), [""; 0]);
        assert_eq!(
            common(&["drop:", "https://a.test"], &["drop:", "https://a.test", "https://a.test:443/"]),
            ["drop:", "https://a.test"]
        );
    }
}
