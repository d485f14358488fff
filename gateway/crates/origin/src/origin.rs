//! Scheme, host and port.

use std::fmt;

use url::Url;

/// Scheme, host and port of an http(s) URL: the unit in which access is granted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// True for `https`.
    pub tls: bool,
    /// Lower case, without a dot at its end; IPv6 in brackets.
    pub host: String,
    /// With the scheme's default filled in.
    pub port: u16,
}

impl Origin {
    /// The origin of an http(s) URL; `None` for any other.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        Some(Self { tls, host, port: url.port_or_known_default()? })
    }

    /// Is its host an address instead of a name?
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.host.starts_with('[') || self.host.parse::<std::net::Ipv4Addr>().is_ok()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with(f, self, "")
    }
}

/// The origin as a URL begins with it; `before` stands between scheme and host.
pub(crate) fn write_with(f: &mut fmt::Formatter<'_>, origin: &Origin, before: &str) -> fmt::Result {
    let (scheme, usual) = if origin.tls { ("https", 443) } else { ("http", 80) };
    write!(f, "{scheme}://{before}{}", origin.host)?;
    if origin.port == usual { Ok(()) } else { write!(f, ":{}", origin.port) }
}
