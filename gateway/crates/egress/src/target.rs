//! Step 1: what a request is aimed at. Owns parsing and normalising; whether it is granted is the next step's.

use http::Method;
use percent_encoding::percent_decode_str;
use renmen_origin::Origin;
use url::Url;

use crate::shown::shown;
use crate::{EgressError, Request};

/// The URI type of the HTTP stack takes no more; far above what vendors accept.
const URL_BYTES_MAX: usize = 32 * 1024;

/// The longest method that anybody registered has 17 bytes (`UPDATEREDIRECTREF`).
const METHOD_BYTES_MAX: usize = 20;

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// To a host.
    Http {
        /// Normalised, without fragment and user.
        url: Url,
        /// Its origin.
        origin: Origin,
    },
    /// To the drop directory: a file's name, or none for the listing.
    Drop(Option<String>),
}

/// Reads method and URL of a request.
///
/// # Errors
/// [`EgressError::BadRequest`] with what is wrong; the URL's query is never repeated.
pub(crate) fn read(request: &Request) -> Result<(Method, Target), EgressError> {
    let method = method_of(&request.method)
        .ok_or_else(|| bad(format!("`{}` is not an HTTP method", shown(&request.method, METHOD_BYTES_MAX))))?;
    if request.url.len() > URL_BYTES_MAX {
        return Err(bad(format!(
            "the URL has {} bytes, {URL_BYTES_MAX} are allowed; send the rest in the body",
            request.url.len()
        )));
    }
    let mut url =
        Url::parse(&request.url).map_err(|e| bad(format!("the URL cannot be read: {e}; it must be absolute")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("the URL has a user or password before the host; name a slot instead".into()));
    }
    url.set_fragment(None);
    let target = match url.scheme() {
        "http" | "https" => http_target(url)?,
        "drop" => Target::Drop(drop_name(&url)?),
        other => {
            return Err(bad(format!(
                "scheme `{}` is unknown; use https, http or drop",
                shown(other, METHOD_BYTES_MAX)
            )));
        }
    };
    Ok((method, target))
}

fn method_of(text: &str) -> Option<Method> {
    if text.len() > METHOD_BYTES_MAX {
        return None;
    }
    Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok()
}

/// A method as the log shows it.
pub(crate) fn method_shown(text: &str) -> String {
    method_of(text).map_or_else(|| "invalid".to_owned(), |method| method.to_string())
}

fn http_target(mut url: Url) -> Result<Target, EgressError> {
    // `localhost.` and `localhost` are one host; the dot would slip past an exact grant and past the pool's name.
    let host = url.host_str().unwrap_or_default();
    if host.ends_with('.') {
        let bare = host.trim_end_matches('.').to_owned();
        url.set_host(Some(&bare)).map_err(|e| bad(format!("the URL's host cannot be read: {e}")))?;
    }
    let origin = Origin::of(&url).ok_or_else(|| bad("the URL has no host".into()))?;
    if origin.host.is_empty() {
        return Err(bad("the URL has no host".into()));
    }
    Ok(Target::Http { url, origin })
}

fn drop_name(url: &Url) -> Result<Option<String>, EgressError> {
    if url.host_str().is_some_and(|host| !host.is_empty()) || url.query().is_some() {
        return Err(bad("write `drop:///` for the listing or `drop:///name` for a file".into()));
    }
    let name = percent_decode_str(url.path().trim_start_matches('/'))
        .decode_utf8()
        .map_err(|_| bad("the file name is not valid UTF-8".into()))?;
    if name.is_empty() {
        return Ok(None);
    }
    if name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(bad("a file of the drop directory has a plain name: no folder, no dot at its beginning".into()));
    }
    Ok(Some(name.into_owned()))
}

fn bad(message: String) -> EgressError {
    EgressError::BadRequest(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read_url(url: &str) -> Result<Target, EgressError> {
        let request = Request { method: "get".into(), url: url.into(), headers: vec![], body: None, slot: None };
        read(&request).map(|(method, target)| {
            assert_eq!(method, Method::GET);
            target
        })
    }

    fn host(url: &str) -> String {
        match read_url(url).unwrap() {
            Target::Http { origin, .. } => origin.to_string(),
            Target::Drop(_) => panic!("no host"),
        }
    }

    #[test]
    fn every_writing_of_an_address_becomes_the_same_host() {
        for url in ["http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"]
        {
            assert_eq!(host(url), "http://127.0.0.1", "{url}");
        }
        assert_eq!(host("http://LOCALHOST./"), "http://localhost");
        assert_eq!(host("https://[::FFFF:127.0.0.1]:8443/x"), "https://[::ffff:7f00:1]:8443");
    }

    #[test]
    fn a_user_before_the_host_is_refused() {
        for url in ["https://good.test@evil.test/", "https://u:p@a.test/", "https://:p@a.test/"] {
            assert!(matches!(read_url(url), Err(EgressError::BadRequest(_))), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in ["", "/relative", "https://", "file:///etc/passwd", "https://a b/", "http://.../"] {
            assert!(matches!(read_url(url), Err(EgressError::BadRequest(_))), "{url}");
        }
        let long = format!("https://a.test/{}", "x".repeat(URL_BYTES_MAX));
        assert!(matches!(read_url(&long), Err(EgressError::BadRequest(_))));
    }

    #[test]
    fn a_drop_url_names_one_plain_file_or_the_listing() {
        assert!(matches!(read_url("drop:///").unwrap(), Target::Drop(None)));
        let Target::Drop(Some(name)) = read_url("drop:///%E8%96%AA%E9%85%AC%201.csv").unwrap() else {
            panic!("a file")
        };
        assert_eq!(name, "薪酬 1.csv");
        for bad in [
            "drop:///a/b",
            "drop:///a%2Fb",
            "drop:///%2e%2e%2fetc",
            "drop:///.hidden",
            "drop://host/x",
            "drop:///x?y",
            "drop:///a%00b",
            "drop:///a%5Cb",
        ] {
            assert!(read_url(bad).is_err(), "{bad}");
        }
        // Dot segments fall away while the URL is parsed: nothing above the directory can be named.
        assert!(matches!(read_url("drop:///../../x").unwrap(), Target::Drop(Some(name)) if name == "x"));
    }
}
