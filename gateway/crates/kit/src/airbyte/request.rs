//! A requester as a request of `mapping.toml`: address, method, parameters, headers, body.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::auth;
use super::left::Lefts;
use super::translate::{Scope, text};
use super::yaml::{Kind, Node};

/// A request with places.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Request {
    /// What the manifest says stands before every path, as it says it.
    pub(super) base: String,
    /// Behind it.
    pub(super) path: String,
    pub(super) method: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Value>,
    pub(super) form: Option<BTreeMap<String, String>>,
    /// Keys of the configuration that are named.
    pub(super) config: BTreeSet<String>,
    /// A secret that stands in a header or a parameter: what a slot puts there.
    pub(super) secret: Option<auth::Placed>,
    /// Why it cannot be sent.
    pub(super) blocked: Vec<String>,
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    Query,
    Header,
}

impl Request {
    pub(super) fn of(requester: &Node, scope: &Scope<'_>, left: &mut Lefts) -> Self {
        let mut request = Self { method: "GET".to_owned(), ..Self::default() };
        let method = requester.word("http_method").unwrap_or("GET").to_uppercase();
        match method.as_str() {
            "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => request.method = method,
            _ => request.blocked.push(format!("the method {method}")),
        }
        request.address(requester, scope, left);
        request.pairs(requester.get("request_parameters"), Into::Query, scope, left);
        request.pairs(requester.get("request_headers"), Into::Header, scope, left);
        request.body(requester, scope, left);
        request
    }

    fn address(&mut self, requester: &Node, scope: &Scope<'_>, left: &mut Lefts) {
        let base = requester.word("url_base").or_else(|| requester.word("url")).unwrap_or_default();
        self.base = base.trim().to_owned();
        let Some(path) = requester.get("path").filter(|path| !path.is_falsy()) else { return };
        let Some(raw) = path.text() else { return };
        match text(raw, scope) {
            Err(why) => {
                left.add(path, "path", format!("{why} has no counterpart"));
                self.blocked.push(format!("its path uses {why}"));
            }
            Ok(translated) => {
                self.config.extend(translated.config);
                let path = translated.text.unwrap_or_default();
                if path.contains("://") {
                    self.blocked.push("its path is a whole address".to_owned());
                }
                let (path, query) = path.split_once('?').unwrap_or((&path, ""));
                for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    self.query.insert(name.to_owned(), value.to_owned());
                }
                self.path = format!("/{}", encoded(path.trim_start_matches('/')));
            }
        }
    }

    fn pairs(&mut self, pairs: Option<&Node>, to: Into, scope: &Scope<'_>, left: &mut Lefts) {
        let Some(pairs) = pairs.filter(|pairs| !pairs.is_falsy()) else { return };
        if let Some(whole) = pairs.text().filter(|_| to == Into::Query) {
            for pair in whole.trim_start_matches('?').split('&') {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let value = Node { kind: Kind::Text(value.to_owned()), ..pairs.clone() };
                self.pair(name, &value, to, scope, left);
            }
            return;
        }
        if pairs.members().is_empty() {
            left.add(pairs, "request_parameters", "an expression in place of names and values: write them by hand");
        }
        for (name, value) in pairs.members().iter().filter(|(name, _)| name != "$parameters") {
            self.pair(name, value, to, scope, left);
        }
    }

    fn pair(&mut self, name: &str, value: &Node, to: Into, scope: &Scope<'_>, left: &mut Lefts) {
        if value.is_null() {
            return;
        }
        let what = if to == Into::Query { format!("parameter `{name}`") } else { format!("header `{name}`") };
        let Some(raw) = value.scalar() else {
            let kind = if value.component().is_empty() { "a list or a table" } else { value.component() };
            return left.add(value, what, format!("{kind} as its value; the request goes without it"));
        };
        let place = match to {
            Into::Query => auth::Place::Query(name.to_owned()),
            Into::Header => auth::Place::Header(name.to_owned()),
        };
        if let Some(placed) = auth::placed(&raw, place, scope) {
            match &self.secret {
                None => self.secret = Some(placed),
                Some(_) => left.add(value, what, "a second secret: a request has one slot; it goes without this one"),
            }
            return;
        }
        match text(&raw, scope) {
            Err(why) => left.add(value, what, format!("{why} has no counterpart; the request goes without it")),
            Ok(translated) => {
                let Some(text) = translated.text else { return };
                self.config.extend(translated.config);
                let pairs = if to == Into::Query { &mut self.query } else { &mut self.headers };
                // A mapping's JSON bodies and answers say of themselves what they are.
                if !(to == Into::Header && name.eq_ignore_ascii_case("content-type")) {
                    pairs.insert(name.to_owned(), text);
                }
            }
        }
    }

    fn body(&mut self, requester: &Node, scope: &Scope<'_>, left: &mut Lefts) {
        let new = requester.get("request_body");
        let (mut json, mut form) = (requester.get("request_body_json"), requester.get("request_body_data"));
        match new.map(Node::component) {
            Some("RequestBodyJsonObject") => json = new.and_then(|body| body.get("value")),
            Some("RequestBodyUrlEncodedForm") => form = new.and_then(|body| body.get("value")),
            Some(other) => {
                left.add(new.unwrap_or(requester), other, "a body of another kind than JSON or a form");
                self.blocked.push(format!("its body is a {other}"));
            }
            None => {}
        }
        if let Some(json) = json.filter(|json| !json.is_falsy()) {
            match self.shape(json, scope, left) {
                Some(Value::Object(members)) => self.json = Some(Value::Object(members)),
                _ => {
                    left.add(json, "request_body_json", "an expression in place of a table: write the body by hand");
                    self.blocked.push("its body is an expression".to_owned());
                }
            }
        }
        if let Some(form) = form.filter(|form| !form.is_falsy()) {
            if form.members().is_empty() {
                left.add(form, "request_body_data", "an expression in place of names and values: write it by hand");
                self.blocked.push("its body is an expression".to_owned());
            }
            let mut pairs = BTreeMap::new();
            for (name, value) in form.members() {
                if let Some(value) = self.shape(value, scope, left) {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    pairs.insert(name.clone(), text);
                }
            }
            self.form = Some(pairs).filter(|pairs| !pairs.is_empty());
        }
    }

    /// JSON whose texts have places; none where it is a text that has nothing.
    fn shape(&mut self, node: &Node, scope: &Scope<'_>, left: &mut Lefts) -> Option<Value> {
        match &node.kind {
            Kind::Text(raw) => match text(raw, scope) {
                Err(why) => {
                    left.add(node, "body", format!("{why} has no counterpart; the body goes without it"));
                    None
                }
                Ok(translated) => {
                    self.config.extend(translated.config.iter().cloned());
                    let constant = translated.is_constant() && raw.contains("{{");
                    let text = translated.text?;
                    // An expression's result is read as a literal: True is true, 1 is a number.
                    Some(match text.as_str() {
                        "True" if constant => true.into(),
                        "False" if constant => false.into(),
                        digits if constant && digits.parse::<i64>().is_ok() => {
                            digits.parse::<i64>().unwrap_or(0).into()
                        }
                        _ => text.into(),
                    })
                }
            },
            Kind::List(items) => Some(items.iter().filter_map(|item| self.shape(item, scope, left)).collect()),
            Kind::Map(members) => {
                let mut object = Map::new();
                for (name, member) in members.iter().filter(|(name, _)| name != "$parameters") {
                    object.extend(self.shape(member, scope, left).map(|value| (name.clone(), value)));
                }
                Some(Value::Object(object))
            }
            _ => Some(node.json()),
        }
    }

    /// Puts other places into its texts: of what they begin with, to what they begin with then.
    pub(super) fn rename(&mut self, places: &[(String, String)]) {
        let one = |text: &mut String| {
            for (from, to) in places {
                for end in ['}', ' ', '/'] {
                    *text = text.replace(&format!("{from}{end}"), &format!("{to}{end}"));
                }
            }
        };
        one(&mut self.path);
        self.query.values_mut().chain(self.headers.values_mut()).for_each(one);
        self.form.iter_mut().flat_map(BTreeMap::values_mut).for_each(one);
        if let Some(json) = &mut self.json {
            let mut text = json.to_string();
            one(&mut text);
            *json = serde_json::from_str(&text).unwrap_or_default();
        }
    }

    /// Puts a value where a request option says.
    pub(super) fn inject(&mut self, option: &Node, value: &str, left: &mut Lefts) {
        let name = option.get("field_name").and_then(Node::scalar);
        let path: Vec<String> =
            option.get("field_path").map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect();
        let path = if path.is_empty() { name.clone().into_iter().collect() } else { path };
        if path.is_empty() || path.iter().any(|step| step.contains("{{")) {
            return left.add(option, "request option", "without a constant name; the request goes without it");
        }
        let name = path.join(".");
        match option.word("inject_into").unwrap_or_default() {
            "request_parameter" => drop(self.query.insert(name, value.to_owned())),
            "header" => drop(self.headers.insert(name, value.to_owned())),
            "body_data" => drop(self.form.get_or_insert_default().insert(name, value.to_owned())),
            "body_json" => put(self.json.get_or_insert_with(|| Value::Object(Map::new())), &path, value),
            other => left.add(option, "request option", format!("`inject_into: {other}`; the request goes without it")),
        }
    }
}

fn put(at: &mut Value, path: &[String], value: &str) {
    let Some((last, before)) = path.split_last() else { return };
    let mut at = at;
    for step in before {
        if !at.is_object() {
            return;
        }
        at = &mut at[step.as_str()];
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
    }
    if at.is_object() {
        at[last.as_str()] = value.into();
    }
}

/// The plain parts of a path as a URL has them; places stay as they are, and encode themselves.
fn encoded(path: &str) -> String {
    let (mut out, mut within) = (String::new(), false);
    for c in path.chars() {
        match c {
            '{' => within = true,
            '}' => within = false,
            _ => {}
        }
        match c {
            ' ' if !within => out.push_str("%20"),
            c if !within && !c.is_ascii() => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::yaml::read;
    use super::*;

    fn request(text: &str) -> (Request, Vec<super::super::left::Left>) {
        let mut left = Lefts::default();
        let secrets = BTreeSet::from(["key".to_owned()]);
        let scope = Scope { secrets: Some(&secrets), ..Scope::default() };
        let request = Request::of(&read(text).unwrap(), &scope, &mut left);
        (request, left.sorted())
    }

    #[test]
    fn address_parameters_headers_and_body_are_taken_over() {
        let text = "{ url_base: 'https://api.example/v1/', path: 'all jobs/{{ config[\"board\"] }}?x=1', http_method: post, request_parameters: { a: 1, b: '{{ config.b }}', c: true, d: ~ }, request_headers: { Accept: json, Content-Type: x, Authorization: 'Token {{ config.key }}' }, request_body_json: { n: '{{ 1 }}', t: '{{ True }}', z: { y: ['{{ config.z }}', 2] } } }";
        let (request, left) = request(text);
        assert_eq!((request.path.as_str(), request.method.as_str()), ("/all%20jobs/{config/board}", "POST"));
        assert_eq!(json!(request.query), json!({ "x": "1", "a": "1", "b": "{config/b}", "c": "True" }));
        assert_eq!(json!(request.headers), json!({ "Accept": "json" }));
        assert_eq!(request.json, Some(json!({ "n": 1, "t": true, "z": { "y": ["{config/z}", 2] } })));
        assert_eq!(request.secret.unwrap().prefix, "Token ");
        assert_eq!(request.config, BTreeSet::from(["b", "board", "z"].map(str::to_owned)));
        assert_eq!((left, request.blocked), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_has_no_counterpart_is_left_out_and_told_and_a_path_stops_the_stream() {
        let text = "{ path: '{{ generate_uuid() }}', request_parameters: { a: '{{ last_record.id }}', b: [1] }, request_body: { type: RequestBodyGraphQL, value: {} } }";
        let (request, left) = request(text);
        assert_eq!(request.query, BTreeMap::new());
        assert_eq!(request.blocked.len(), 2, "{:?}", request.blocked);
        let at: Vec<&str> = left.iter().map(|left| left.at.as_str()).collect();
        assert_eq!(at, ["path", "request_body", "request_parameters.a", "request_parameters.b"]);
    }

    #[test]
    fn options_put_values_where_they_say() {
        let (mut request, _) = request("{ path: x }");
        let mut left = Lefts::default();
        for (option, value) in [
            ("{ inject_into: request_parameter, field_name: limit }", "{page/size}"),
            ("{ inject_into: header, field_name: x-page }", "{page/number}"),
            ("{ inject_into: body_json, field_path: [page, token] }", "{page/token}"),
            ("{ inject_into: body_data, field_name: since }", "{since}"),
        ] {
            request.inject(&read(option).unwrap(), value, &mut left);
        }
        assert_eq!(request.query["limit"], "{page/size}");
        assert_eq!(request.headers["x-page"], "{page/number}");
        assert_eq!(request.json, Some(json!({ "page": { "token": "{page/token}" } })));
        assert_eq!(request.form.as_ref().unwrap()["since"], "{since}");
        request.inject(&read("{ inject_into: path, field_name: x }").unwrap(), "", &mut left);
        assert_eq!(left.sorted().len(), 1);
    }
}
