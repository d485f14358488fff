//! Step 2: the grant, what the manifest wishes AND the operator allows. Owns origins, methods and token endpoints; addresses
//! are checked after the name was resolved.

use http::Method;
use percent_encoding::percent_decode_str;
use renmen_origin::{Origin, Pattern, read_all, within};
use renmen_schema::manifest::HttpWish;
use url::Url;

use crate::target::Target;
use crate::{EgressError, OperatorGrant};

/// The grant of one connection, ready to be asked.
#[derive(Debug)]
pub(crate) struct Grant {
    wish: Vec<Pattern>,
    operator: Option<Vec<Pattern>>,
    methods: Vec<String>,
    methods_allowed: Option<Vec<String>>,
    plaintext: bool,
    drop: bool,
    /// Called by the host alone.
    token_endpoints: Vec<(Origin, String)>,
}

impl Grant {
    /// Reads the patterns.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] naming the pattern that cannot be read.
    pub(crate) fn new(
        wish: &HttpWish,
        operator: &OperatorGrant,
        config: &serde_json::Value,
    ) -> Result<Self, EgressError> {
        let bad = |what: &'static str| {
            move |reason: renmen_schema::Text| EgressError::BadRequest(format!("{what}: {reason}"))
        };
        let upper = |methods: &[String]| methods.iter().map(|m| m.to_ascii_uppercase()).collect::<Vec<_>>();
        Ok(Self {
            wish: read_all(&wish.hosts, config).map_err(bad("the manifest's `http.hosts`"))?,
            operator: match &operator.hosts {
                Some(hosts) => Some(read_all(hosts, config).map_err(bad("the connection's `grant.hosts`"))?),
                None => None,
            },
            methods: if wish.methods.is_empty() { vec!["GET".into()] } else { upper(&wish.methods) },
            methods_allowed: operator.methods.as_deref().map(upper),
            plaintext: operator.plaintext,
            drop: operator.drop.is_some(),
            token_endpoints: Vec::new(),
        })
    }

    /// The origins that a request may go to: what manifest and operator have in common.
    pub(crate) fn patterns(&self) -> Vec<Pattern> {
        self.allowed(&self.wish)
    }

    /// What the operator allows of these.
    pub(crate) fn allowed(&self, asked: &[Pattern]) -> Vec<Pattern> {
        match &self.operator {
            Some(operator) => within(asked, operator),
            None => asked.to_vec(),
        }
    }

    /// The methods that a request may have.
    pub(crate) fn methods(&self) -> Vec<String> {
        let allowed = |method: &&String| self.methods_allowed.as_ref().is_none_or(|allowed| allowed.contains(method));
        self.methods.iter().filter(allowed).cloned().collect()
    }

    /// Takes note of a token endpoint, and gives its origin: the operator must allow it, and no connector may call it.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] saying what to add.
    pub(crate) fn add_token_endpoint(&mut self, url: &Url) -> Result<Origin, EgressError> {
        let origin = Origin::of(url)
            .ok_or_else(|| denied(format!("token endpoint `{}` is not an http(s) URL", url.scheme())))?;
        self.check_plaintext(&origin)?;
        if self.operator.as_ref().is_some_and(|patterns| !patterns.iter().any(|p| p.covers(&origin))) {
            return Err(denied(format!(
                "the slot's secret would go to the token endpoint at {origin}; add it to `grant.hosts` to allow it"
            )));
        }
        self.token_endpoints.push((origin.clone(), comparable_path(url)));
        Ok(origin)
    }

    /// May this request go?
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] naming the origin or method and who would have to allow it.
    pub(crate) fn check(&self, method: &Method, target: &Target) -> Result<(), EgressError> {
        let (url, origin) = match target {
            Target::Drop(_) => return self.check_drop(method),
            Target::Http { url, origin } => (url, origin),
        };
        if !self.wish.iter().any(|p| p.covers(origin)) {
            return Err(denied(format!("{origin} is not among the manifest's `http.hosts`")));
        }
        if self.operator.as_ref().is_some_and(|patterns| !patterns.iter().any(|p| p.covers(origin))) {
            return Err(denied(format!("{origin} is not among the connection's `grant.hosts`")));
        }
        self.check_plaintext(origin)?;
        self.check_method(method)?;
        let path = comparable_path(url);
        if self.token_endpoints.iter().any(|(at, of)| at == origin && *of == path) {
            return Err(denied(format!("{origin}{} is a token endpoint: the gateway calls it itself", url.path())));
        }
        Ok(())
    }

    fn check_plaintext(&self, origin: &Origin) -> Result<(), EgressError> {
        if origin.tls || self.plaintext {
            return Ok(());
        }
        Err(denied(format!("{origin} is plain http; use https, or set `plaintext = true` in the connection's grant")))
    }

    fn check_method(&self, method: &Method) -> Result<(), EgressError> {
        // A tunnel would carry bytes that no step can see, and an echo would show the credential.
        if method == Method::CONNECT || method == Method::TRACE {
            return Err(denied(format!("method {method} is never granted")));
        }
        let listed = |list: &[String]| list.iter().any(|m| m == method.as_str());
        if !listed(&self.methods) {
            return Err(denied(format!("method {method} is not among the manifest's `http.methods`")));
        }
        if self.methods_allowed.as_deref().is_some_and(|list| !listed(list)) {
            return Err(denied(format!("method {method} is not among the connection's `grant.methods`")));
        }
        Ok(())
    }

    fn check_drop(&self, method: &Method) -> Result<(), EgressError> {
        if !self.wish.contains(&Pattern::Drop) {
            return Err(denied("`drop:` is not among the manifest's `http.hosts`".into()));
        }
        if !self.drop {
            return Err(denied("the connection has no drop directory; set `drop` in its grant".into()));
        }
        if method != Method::GET {
            return Err(denied(format!("method {method}: the drop directory can only be read")));
        }
        Ok(())
    }
}

/// Decoded, without doubled or final slashes, lower case: so that no other writing of a token endpoint slips through.
fn comparable_path(url: &Url) -> String {
    let decoded = percent_decode_str(url.path()).decode_utf8_lossy().to_ascii_lowercase();
    decoded.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/")
}

fn denied(message: String) -> EgressError {
    EgressError::NotGranted(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Request;

    fn operator() -> OperatorGrant {
        OperatorGrant { hosts: None, methods: None, plaintext: false, addresses: vec![], drop: None }
    }

    fn grant(hosts: &[&str], methods: &[&str], operator: &OperatorGrant) -> Grant {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let wish = HttpWish { hosts: texts(hosts), methods: texts(methods), ..HttpWish::default() };
        Grant::new(&wish, operator, &serde_json::json!({})).unwrap()
    }

    fn ask(grant: &Grant, method: &str, url: &str) -> Result<(), String> {
        let request = Request { method: method.into(), url: url.into(), headers: vec![], body: None, slot: None };
        let (method, target) = crate::target::read(&request).unwrap();
        grant.check(&method, &target).map_err(|e| e.to_string())
    }

    #[test]
    fn the_grant_is_the_wish_and_the_permission_r42() {
        let both = OperatorGrant { hosts: Some(vec!["https://a.test".into(), "https://c.test".into()]), ..operator() };
        let grant = grant(&["https://a.test", "https://b.test"], &[], &both);
        assert_eq!(ask(&grant, "GET", "https://a.test/x"), Ok(()));
        assert!(ask(&grant, "GET", "https://b.test/x").unwrap_err().contains("grant.hosts"));
        assert!(ask(&grant, "GET", "https://c.test/x").unwrap_err().contains("http.hosts"));
    }

    #[test]
    fn methods_are_get_alone_unless_wished_and_allowed() {
        let only_get = grant(&["https://a.test"], &[], &operator());
        assert_eq!(ask(&only_get, "GET", "https://a.test/"), Ok(()));
        assert!(ask(&only_get, "POST", "https://a.test/").unwrap_err().contains("POST"));
        let narrowed = OperatorGrant { methods: Some(vec!["get".into()]), ..operator() };
        let narrowed = grant(&["https://a.test"], &["GET", "POST", "TRACE"], &narrowed);
        assert!(ask(&narrowed, "POST", "https://a.test/").unwrap_err().contains("grant.methods"));
        assert!(ask(&narrowed, "TRACE", "https://a.test/").unwrap_err().contains("never"));
    }

    #[test]
    fn plain_http_needs_the_operators_word_f13() {
        let hosts = ["http://a.test"];
        assert!(ask(&grant(&hosts, &[], &operator()), "GET", "http://a.test/").unwrap_err().contains("plaintext"));
        let open = OperatorGrant { plaintext: true, ..operator() };
        assert_eq!(ask(&grant(&hosts, &[], &open), "GET", "http://a.test/"), Ok(()));
    }

    #[test]
    fn no_writing_of_a_token_endpoint_is_granted_to_a_connector() {
        let mut grant = grant(&["https://a.test"], &["GET", "POST"], &operator());
        grant.add_token_endpoint(&Url::parse("https://a.test/v1.0/oauth2/accessToken").unwrap()).unwrap();
        for path in [
            "/v1.0/oauth2/accessToken",
            "/v1.0/oauth2/%61ccessToken?x=1",
            "//v1.0/oauth2//accesstoken/",
            "/x/../v1.0/oauth2/accessToken",
        ] {
            assert!(
                ask(&grant, "POST", &format!("https://a.test{path}")).unwrap_err().contains("token endpoint"),
                "{path}"
            );
        }
        assert_eq!(ask(&grant, "POST", "https://a.test/v1.0/oauth2/accessTokens"), Ok(()));
    }

    #[test]
    fn a_token_endpoint_must_be_allowed_by_the_operator() {
        let listed = OperatorGrant { hosts: Some(vec!["https://a.test".into()]), ..operator() };
        let mut grant = grant(&["https://a.test"], &[], &listed);
        let error = grant.add_token_endpoint(&Url::parse("https://evil.test/token").unwrap()).unwrap_err();
        assert!(error.to_string().contains("https://evil.test"));
        grant.add_token_endpoint(&Url::parse("https://a.test/token").unwrap()).unwrap();
    }

    #[test]
    fn the_drop_directory_needs_wish_permission_and_get() {
        let with = OperatorGrant { drop: Some("/tmp".into()), ..operator() };
        assert_eq!(ask(&grant(&["drop:"], &[], &with), "GET", "drop:///"), Ok(()));
        assert!(ask(&grant(&["drop:"], &["POST"], &with), "POST", "drop:///x").is_err());
        assert!(ask(&grant(&["drop:"], &[], &operator()), "GET", "drop:///").is_err());
        assert!(ask(&grant(&["https://a.test"], &[], &with), "GET", "drop:///").is_err());
    }
}
