//! Following redirects. Owns the decision alone: a redirect to the same origin is a new request through all the steps, one to
//! another origin is refused, because a grant, an audience and a credential belong to an origin.

use http::Method;
use http::header::LOCATION;
use renmen_origin::Origin;
use url::Url;

use crate::EgressError;
use crate::wire::Answer;

/// Followed one after the other for one request.
pub(crate) const REDIRECTS_MAX: usize = 5;

/// Where an answer sends a `GET` or `HEAD` on; `None` when the answer is the answer.
///
/// # Errors
/// [`EgressError::NotGranted`] for another origin, [`EgressError::Unavailable`] for a place that cannot be read.
pub(crate) fn next(method: &Method, url: &Url, answer: &Answer) -> Result<Option<Url>, EgressError> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) || !(method == Method::GET || method == Method::HEAD) {
        return Ok(None);
    }
    let Some(location) = answer.headers.get(LOCATION) else { return Ok(None) };
    let place = location.to_str().ok().and_then(|text| url.join(text).ok());
    let place = place.ok_or_else(|| EgressError::Unavailable("the redirect's location cannot be read".into()))?;
    match Origin::of(&place) {
        Some(origin) if Some(&origin) == Origin::of(url).as_ref() => Ok(Some(place)),
        Some(origin) => Err(EgressError::NotGranted(format!(
            "redirect to {origin}: redirects to another origin are not followed; ask for that origin directly if it is granted"
        ))),
        None => Err(EgressError::NotGranted(format!("redirect to scheme `{}` is not followed", place.scheme()))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn go(method: &Method, status: u16, location: &str) -> Result<Option<String>, EgressError> {
        let headers = [(LOCATION, location.parse().unwrap())].into_iter().collect();
        let url = Url::parse("https://a.test/x/y?z=1").unwrap();
        next(method, &url, &Answer { status, headers, body: "".into() }).map(|place| place.map(String::from))
    }

    #[test]
    fn the_same_origin_is_followed_for_reads_alone() {
        assert_eq!(go(&Method::GET, 302, "/b").unwrap().as_deref(), Some("https://a.test/b"));
        assert_eq!(go(&Method::HEAD, 308, "https://A.test:443/b").unwrap().as_deref(), Some("https://a.test/b"));
        assert_eq!(go(&Method::POST, 302, "/b").unwrap(), None);
        assert_eq!(go(&Method::GET, 200, "/b").unwrap(), None);
        assert_eq!(go(&Method::GET, 304, "/b").unwrap(), None);
    }

    #[test]
    fn another_origin_is_refused_f13() {
        for place in [
            "http://a.test/b",
            "https://b.test/",
            "https://a.test:444/",
            "//b.test/",
            "http://127.0.0.1/",
            "file:///etc/passwd",
        ] {
            assert!(matches!(go(&Method::GET, 302, place), Err(EgressError::NotGranted(_))), "{place}");
        }
    }
}
