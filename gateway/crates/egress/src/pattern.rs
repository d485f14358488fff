//! Origins and the patterns that grant them: `https://api.example.com`, `https://*.example.com:8443`, `{base_url}`, `drop:`.
//! Owns matching alone; who asked for a pattern is not known here.

use std::fmt;

use url::{Host, Url};

use crate::template::config_text;

/// Scheme, host and port of an http(s) URL: the unit in which access is granted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// True for `https`.
    pub(crate) tls: bool,
    /// Lower case, without a dot at its end; IPv6 in brackets.
    pub(crate) host: String,
    /// With the scheme's default filled in.
    pub(crate) port: u16,
}

impl Origin {
    /// The origin of an http(s) URL; `None` for any other.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        Some(Self { tls, host, port: url.port_or_known_default()? })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// What grants an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Just this one.
    Exact(Origin),
    /// One or more labels before this host; scheme and port as they stand. Never an address.
    Below(Origin),
    /// The drop directory.
    Drop,
}

impl Pattern {
    /// Reads a pattern. `Ok(None)`: it names a configuration key that this connection does not set, so it grants nothing.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(crate) fn read(text: &str, config: &serde_json::Value) -> Result<Option<Self>, String> {
        if text == "drop:" {
            return Ok(Some(Self::Drop));
        }
        if let Some(key) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return match config.get(key) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(_) => Self::of_config(key, config).map(Some),
            };
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            format!("host `{text}`: write an origin such as `https://api.example.com`, `https://*.example.com` or `{{base_url}}`")
        })?;
        let below = rest.strip_prefix("*.");
        let url =
            Url::parse(&format!("{scheme}://{}", below.unwrap_or(rest))).map_err(|e| format!("host `{text}`: {e}"))?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() || has_user(&url) {
            return Err(format!("host `{text}`: an origin ends after the host and port; take the rest away"));
        }
        let origin = Origin::of(&url).ok_or_else(|| format!("host `{text}`: the scheme must be https or http"))?;
        if origin.host.contains('*') {
            return Err(format!(
                "host `{text}`: `*` stands only for whole labels at the beginning, as in `https://*.example.com`"
            ));
        }
        match below {
            None => Ok(Some(Self::Exact(origin))),
            Some(_) if matches!(url.host(), Some(Host::Domain(_))) => Ok(Some(Self::Below(origin))),
            Some(_) => Err(format!("host `{text}`: `*` cannot stand before an address")),
        }
    }

    fn of_config(key: &str, config: &serde_json::Value) -> Result<Self, String> {
        let text =
            config_text(config, key).ok_or_else(|| format!("configuration key `{key}` must be a URL in a string"))?;
        let url = Url::parse(&text).map_err(|e| format!("configuration key `{key}` is no URL: {e}"))?;
        if url.scheme() == "drop" {
            return Ok(Self::Drop);
        }
        if has_user(&url) {
            return Err(format!("configuration key `{key}`: put user and password into a slot, not into the URL"));
        }
        let origin =
            Origin::of(&url).ok_or_else(|| format!("configuration key `{key}` must begin with https:// or http://"))?;
        Ok(Self::Exact(origin))
    }

    /// Does it grant this origin?
    pub(crate) fn covers(&self, origin: &Origin) -> bool {
        match self {
            Self::Exact(exact) => exact == origin,
            Self::Below(base) => {
                let is_address = origin.host.starts_with('[') || origin.host.parse::<std::net::Ipv4Addr>().is_ok();
                base.tls == origin.tls
                    && base.port == origin.port
                    && !is_address
                    && origin
                        .host
                        .strip_suffix(&base.host)
                        .and_then(|labels| labels.strip_suffix('.'))
                        .is_some_and(|l| !l.is_empty())
            }
            Self::Drop => false,
        }
    }
}

/// Reads several; patterns of unset configuration keys fall away.
///
/// # Errors
/// As [`Pattern::read`].
pub(crate) fn read_all(texts: &[String], config: &serde_json::Value) -> Result<Vec<Pattern>, String> {
    texts.iter().filter_map(|text| Pattern::read(text, config).transpose()).collect()
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
            "https://a.test/path",
            "ftp://a.test",
            "https://a.*.test",
            "https://*.1.2.3.4",
            "https://u:p@a.test",
        ] {
            assert!(Pattern::read(bad, &json!({})).unwrap_err().starts_with("host `"), "{bad}");
        }
        assert!(Pattern::read("{k}", &json!({ "k": 5 })).unwrap_err().contains("`k`"));
        assert!(Pattern::read("{k}", &json!({ "k": "https://u:p@a.test" })).unwrap_err().contains("slot"));
    }
}
