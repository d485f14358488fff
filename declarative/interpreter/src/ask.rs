//! Requests: from templates and named values to what is sent.

use renmen_plugin::Failure;
use renmen_plugin::http::{Request, path_segment};
use serde_json::Value;

use crate::faults::Faults;
use crate::language::{Api, RequestOf};
use crate::shape::Shape;
use crate::template::{Scope, Template, text_of};

/// A request with places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    method: String,
    base: Template,
    path: Template,
    query: Vec<(String, Template)>,
    headers: Vec<(String, Template)>,
    body: Option<Body>,
    slot: Option<String>,
}

#[derive(Debug, Clone)]
enum Body {
    Json(Shape),
    Form(Vec<(String, Template)>),
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Ask {
    /// Reads a request; `allowed` are the values that have a meaning here.
    pub(crate) fn of(request: &RequestOf, api: &Api, allowed: &[&str], faults: &mut Faults) -> Self {
        let has_body = request.json.is_some() || request.form.is_some();
        let method = request.method.clone().unwrap_or_else(|| if has_body { "POST" } else { "GET" }.to_owned());
        faults.take("method", crate::nearest::known(&method, METHODS, "method"));
        if request.json.is_some() && request.form.is_some() {
            faults.add("a body is `json` or `form`, not both");
        }
        if !request.path.is_empty() && !request.path.starts_with('/') {
            faults.within("path", |faults| faults.add("a path begins with `/`: it stands behind `api.base`"));
        }
        let texts = |key: &str, table: &std::collections::BTreeMap<String, String>, faults: &mut Faults| {
            faults.within(key, |faults| {
                let read = |(name, text): (&String, &String)| (name.clone(), faults.take(name, Template::parse(text)));
                table.iter().map(read).collect::<Vec<_>>()
            })
        };
        let mut headers = texts("headers", &request.headers, faults);
        let own = |name: &String| request.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        let shared = api.headers.iter().filter(|(name, _)| !own(name));
        headers.extend(shared.filter_map(|(name, text)| Some((name.clone(), Template::parse(text).ok()?))));
        let json = request.json.as_ref().map(|json| Body::Json(shape(json, faults)));
        let ask = Self {
            method,
            base: Template::parse(&api.base).unwrap_or_default(),
            path: faults.take("path", Template::parse(&request.path)),
            query: texts("query", &request.query, faults),
            headers,
            body: json.or_else(|| request.form.as_ref().map(|form| Body::Form(texts("form", form, faults)))),
            slot: request.slot.clone().or_else(|| api.slot.clone()).filter(|slot| !slot.is_empty()),
        };
        ask.check(allowed, faults);
        ask
    }

    fn check(&self, allowed: &[&str], faults: &mut Faults) {
        if let Some(Body::Json(shape)) = &self.body
            && shape.has_stray_each()
        {
            faults.within("json", |faults| {
                faults.add("`{each}` has a meaning only next to `@each` or `@members`, which say what is gone through");
            });
        }
        for place in self.templates().into_iter().flat_map(Template::places) {
            match place.root.as_deref() {
                Some(root) if allowed.contains(&root) => {}
                Some("each") if matches!(self.body, Some(Body::Json(_))) => {}
                Some(root) => faults
                    .add(format!("`{root}` has no meaning in this request; here there are {}", allowed.join(", "))),
                None => faults.add(format!("there is no item yet that {{{}}} could lead into", place.pointer.text())),
            }
        }
    }

    /// Does it read alone?
    pub(crate) fn is_get(&self) -> bool {
        self.method == "GET"
    }

    /// Every template in it.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let pairs = self.query.iter().chain(&self.headers).map(|(_, template)| template);
        let body: Vec<&Template> = match &self.body {
            None => Vec::new(),
            Some(Body::Json(shape)) => shape.templates(),
            Some(Body::Form(pairs)) => pairs.iter().map(|(_, template)| template).collect(),
        };
        [&self.base, &self.path].into_iter().chain(pairs).chain(body).collect()
    }

    /// Does a place lead into this value?
    pub(crate) fn names(&self, root: &str) -> bool {
        self.templates().into_iter().flat_map(Template::places).any(|place| place.root.as_deref() == Some(root))
    }

    /// Places that lead into a value: their pointers.
    pub(crate) fn pointers_into(&self, root: &str) -> Vec<crate::pointer::Pointer> {
        let places = self.templates().into_iter().flat_map(Template::places);
        places.filter(|place| place.root.as_deref() == Some(root)).map(|place| place.pointer.clone()).collect()
    }

    /// The request for an address that the vendor gave: it holds all that there is to say, and a parameter together with a cursor is refused by
    /// many.
    ///
    /// # Errors
    /// As [`Ask::request`].
    pub(crate) fn following(&self, url: &str, scope: &Scope) -> Result<Request, Failure> {
        let base = self.base.text(scope).map_err(bad)?.unwrap_or_default();
        let url = match url.strip_prefix('/') {
            // An address without an origin.
            Some(path) => format!("{}/{path}", origin_of(&base)),
            None => url.to_owned(),
        };
        self.dressed(Request::new(self.method.as_str(), url), scope)
    }

    /// The request.
    ///
    /// # Errors
    /// A place in the path that has nothing, or what cannot be part of one.
    pub(crate) fn request(&self, scope: &Scope) -> Result<Request, Failure> {
        let base = self.base.text(scope).map_err(bad)?;
        let base = base.ok_or_else(|| Failure::bad_config("the configuration lacks what `api.base` is made of"))?;
        let segment = |text: &str| path_segment(text).map_err(|failure| failure.message);
        let path = self.path.text_with(scope, segment).map_err(bad)?;
        let path = path.ok_or_else(|| Failure::internal("a place in the path of a request has nothing"))?;
        let mut request = Request::new(self.method.as_str(), format!("{}{path}", base.trim_end_matches('/')));
        for (name, template) in &self.query {
            match template.value(scope).map_err(bad)? {
                None | Some(Value::Null) => {}
                Some(Value::Array(values)) => {
                    request = values.iter().fold(request, |request, value| request.query(name, text_of(value)));
                }
                Some(value) => request = request.query(name, text_of(&value)),
            }
        }
        self.dressed(request, scope)
    }

    fn dressed(&self, mut request: Request, scope: &Scope) -> Result<Request, Failure> {
        for (name, template) in &self.headers {
            if let Some(value) = template.text(scope).map_err(bad)? {
                request = request.header(name.as_str(), value);
            }
        }
        if let Some(slot) = &self.slot {
            request = request.slot(slot.as_str());
        }
        match &self.body {
            None => Ok(request),
            Some(Body::Json(shape)) => Ok(request.json(&shape.value(scope).map_err(bad)?.unwrap_or_default())),
            Some(Body::Form(pairs)) => {
                let mut body = String::new();
                for (name, template) in pairs {
                    if let Some(text) = template.text(scope).map_err(bad)? {
                        if !body.is_empty() {
                            body.push('&');
                        }
                        encode(name, &mut body);
                        body.push('=');
                        encode(&text, &mut body);
                    }
                }
                Ok(request.header("content-type", "application/x-www-form-urlencoded").body(body))
            }
        }
    }
}

/// Percent-encodes everything but letters, digits and `-._~`, as a form wants it.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn origin_of(base: &str) -> &str {
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    &base[..end]
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn bad(why: String) -> Failure {
    Failure::invalid_input(format!("a request cannot be made: {why}"))
}

fn shape(json: &Value, faults: &mut Faults) -> Shape {
    Shape::parse(json).unwrap_or_else(|message| {
        faults.within("json", |faults| faults.add(message));
        Shape::Value(Value::Null)
    })
}
