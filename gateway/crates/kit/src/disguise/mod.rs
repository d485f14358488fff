//! `renmen plugin record`: a real system's answers as a fixture that anybody may see.
//!
//! Credentials are out already: the network client took them out before the connector saw the answer. Here people are
//! taken out: what the connector maps to a personal field (`plan`) or to a reference to a person (`whose`), and what
//! gives itself away by its form (`pattern`), wherever it stands: bodies, URLs, request bodies. The same value always
//! becomes the same made-up value (`invent`), so that ids still lead from one answer to the other. The system's own
//! address is taken out too. If anything that was taken out can still be found in the end, nothing is written.

mod invent;
mod pattern;
mod plan;
mod pointer_pattern;
mod whose;

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use renmen_egress::Exchange;
use renmen_schema::manifest::Manifest;
use renmen_schema::{Text, text};
use serde_json::Value;

use crate::KitError;
use crate::trial::TrialResult;
use invent::Inventor;
use pattern::Kind;
use plan::{Fate, Plan, SECRET_KEYS};

/// Response headers that a connector may look at; all others stay out of a fixture.
const HEADERS_KEPT: [&str; 3] = ["content-type", "link", "retry-after"];
/// What stands for a credential.
const STRUCK: &str = "MADE-UP-CREDENTIAL";

/// Exchanges without people in them.
pub struct Disguised {
    /// In the order of the recorded ones.
    pub exchanges: Vec<Arc<Exchange>>,
    /// The configuration with addresses that lead nowhere: what a test of the fixture is run with.
    pub config: Value,
    /// How many values were made up.
    pub values: usize,
}

/// Takes people, addresses and what is left of credentials out of a trial. The key decides what values become: the same key,
/// the same values.
///
/// # Errors
/// [`KitError::Usage`] for an answer that is not text: nothing can be taken out of what cannot be read.
pub fn disguise(outcome: &TrialResult, config: &Value, key: [u8; 32]) -> Result<Disguised, KitError> {
    let manifest = outcome.plugin.manifest();
    let mut plan = Plan::default();
    for page in &outcome.pages {
        plan.learn(page, manifest);
    }
    let mut worker =
        Worker { inventor: Inventor::new(key), origins: origins(manifest, config), searched: None, plan, values: 0 };
    worker.search_for_values()?;
    let exchanges = outcome.exchanges.iter().map(|exchange| worker.exchange(exchange).map(Arc::new));
    let exchanges = exchanges.collect::<Result<Vec<_>, KitError>>()?;
    let config = worker.config(config);
    let disguised = Disguised { exchanges, config, values: worker.values };
    nothing_is_left(&worker.plan, &disguised)?;
    Ok(disguised)
}

/// What in a text looks like a real person's: what was made up in this project's ways is not told.
pub(crate) fn gives_away(text: &str) -> impl Iterator<Item = &'static str> {
    let invented = |found: &str| {
        let digits: String = found.chars().filter(char::is_ascii_digit).collect();
        let host = found.rsplit('@').next().unwrap_or_default();
        ["1990000", "5550", "000000", "0000"].iter().any(|mark| digits.contains(mark))
            || host.ends_with(".test")
            || host.ends_with(".example")
            || host.ends_with("example.com")
    };
    let found = pattern::find(text).into_iter().filter(move |(range, _)| !invented(&text[range.clone()]));
    let told: Vec<&'static str> = found
        .map(|(_, kind)| match kind {
            Kind::Email => "a mail address",
            Kind::Phone => "a phone number",
            Kind::Identity => "an identity number",
            Kind::Card => "a bank card's number",
            Kind::Name | Kind::Other => "a value",
        })
        .collect();
    told.into_iter()
}

struct Worker {
    plan: Plan,
    inventor: Inventor,
    /// Origin of a configured address, and the one that takes its place.
    origins: Vec<(String, String)>,
    /// The values to look for, with the automaton that finds them.
    searched: Option<(AhoCorasick, Vec<String>)>,
    values: usize,
}

impl Worker {
    fn search_for_values(&mut self) -> Result<(), KitError> {
        let values: Vec<String> = self.plan.values.keys().cloned().collect();
        if values.is_empty() {
            return Ok(());
        }
        self.inventor.avoid(values.iter().cloned());
        let found = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values);
        let automaton = found.map_err(|error| {
            KitError::Usage(text!(
                "too much to take out at once: {error}; record fewer pages",
                "一次要去除的内容过多：{error}；请减少录制的页数"
            ))
        })?;
        self.searched = Some((automaton, values));
        Ok(())
    }

    fn exchange(&mut self, real: &Exchange) -> Result<Exchange, KitError> {
        let url = self.url(&real.url);
        let text_only = |what: Text| {
            KitError::Usage(text!(
                "{what} of {} {} is neither JSON nor text: such a fixture has to be made by hand, of made-up content",
                "{} {} 的{what}既不是 JSON 也不是文本：此类样例须以虚构内容手工编写",
                real.method,
                url
            ))
        };
        let request_body = match &real.request_body {
            None => None,
            Some(body) => {
                Some(self.body(&real.url, body).ok_or_else(|| text_only(text!("the request's body", "请求体")))?)
            }
        };
        let body = self.body(&real.url, &real.response.body).ok_or_else(|| text_only(text!("the answer", "应答")))?;
        let mut exchange = real.clone();
        exchange.request_headers =
            real.request_headers.iter().map(|(name, value)| (name.clone(), self.text(value))).collect();
        exchange.request_body = request_body;
        exchange.response.body = body;
        exchange.response.headers = real
            .response
            .headers
            .iter()
            .filter(|(name, _)| HEADERS_KEPT.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), self.text(value)))
            .collect();
        exchange.url = url;
        Ok(exchange)
    }

    fn body(&mut self, url: &str, body: &[u8]) -> Option<Bytes> {
        if let Ok(mut json) = serde_json::from_slice::<Value>(body) {
            self.value(url, &mut json, &mut String::new());
            return Some(json.to_string().into());
        }
        let text = std::str::from_utf8(body).ok()?;
        Some(self.text(text).into())
    }

    fn value(&mut self, url: &str, value: &mut Value, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::Object(members) => {
                // Keys may be ids too: a map of people by their id.
                let old = std::mem::take(members);
                for (key, mut member) in old {
                    pointer.push('/');
                    pointer.push_str(&renmen_schema::pointer::escape(&key));
                    self.value(url, &mut member, pointer);
                    pointer.truncate(length);
                    members.insert(self.text(&key), member);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.value(url, item, pointer);
                    pointer.truncate(length);
                }
            }
            leaf => self.leaf(url, leaf, pointer),
        }
    }

    fn leaf(&mut self, url: &str, leaf: &mut Value, pointer: &str) {
        let fate = self.plan.fate(url, pointer, leaf);
        let made = match (&*leaf, fate) {
            (Value::Bool(_) | Value::Null | Value::Object(_) | Value::Array(_), _) => return,
            (_, Fate::Strike) => Value::String(STRUCK.to_owned()),
            (Value::String(text), Fate::Change(_)) if text.is_empty() => return,
            (Value::String(text), Fate::Change(kind)) => Value::String(self.inventor.text(kind, text)),
            (Value::String(text), Fate::Stay) => Value::String(self.text(text)),
            (Value::Number(number), Fate::Change(_)) => number_of(&self.inventor.number(&number.to_string())),
            (Value::Number(number), Fate::Stay) => {
                let text = number.to_string();
                number_of(&self.text(&text))
            }
        };
        if made != *leaf {
            self.values += 1;
            *leaf = made;
        }
    }

    /// What is known to be a person's, then what gives itself away, then addresses.
    fn text(&mut self, text: &str) -> String {
        let mut made = String::with_capacity(text.len());
        let mut at = 0;
        if let Some((automaton, values)) = &self.searched {
            for hit in automaton.find_iter(text) {
                let value = &values[hit.pattern().as_usize()];
                if !stands_alone(text, hit.start(), hit.end()) {
                    continue;
                }
                made.push_str(&text[at..hit.start()]);
                let kind = self.plan.values[value];
                made.push_str(&self.inventor.text(kind, value));
                at = hit.end();
            }
        }
        made.push_str(&text[at..]);
        for (range, kind) in pattern::find(&made.clone()).into_iter().rev() {
            // What was just made up gives itself away too, and may stay.
            if text.contains(&made[range.clone()]) {
                let invented = self.inventor.text(kind, &made[range.clone()]);
                made.replace_range(range, &invented);
            }
        }
        for (real, invented) in &self.origins {
            made = made.replace(real.as_str(), invented);
        }
        made
    }

    /// Each piece of path and query by itself, decoded, so that what is in it is found, and encoded again as it was.
    fn url(&mut self, url: &str) -> String {
        let mut url = url.to_owned();
        for (real, invented) in &self.origins {
            if let Some(rest) = url.strip_prefix(real.as_str()) {
                url = format!("{invented}{rest}");
                break;
            }
        }
        let start =
            url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash)).unwrap_or(url.len());
        let (origin, rest) = url.split_at(start);
        let mut made = origin.to_owned();
        let mut name = String::new();
        for piece in rest.split_inclusive(['/', '?', '&', '=']) {
            let (text, mark) = match piece.char_indices().next_back() {
                Some((at, '/' | '?' | '&' | '=')) => piece.split_at(at),
                _ => (piece, ""),
            };
            let plain = decode(text);
            let key: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            let changed = match SECRET_KEYS.contains(&key.as_str()) {
                true => STRUCK.to_owned(),
                false => self.text(&plain),
            };
            made.push_str(&if changed == plain { text.to_owned() } else { encode(&changed) });
            made.push_str(mark);
            name = if mark == "=" { plain } else { String::new() };
        }
        made
    }

    fn config(&mut self, config: &Value) -> Value {
        let mut config = config.clone();
        if let Some(keys) = config.as_object_mut() {
            for value in keys.values_mut() {
                if let Value::String(text) = value {
                    *text = self.text(text);
                }
            }
        }
        config
    }
}

/// In Latin text a value must not touch another letter or digit: `Li` is not in `Living`.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let (first, last) = (text[start..end].chars().next(), text[start..end].chars().next_back());
    !(word(first) && word(text[..start].chars().next_back()) || word(last) && word(text[end..].chars().next()))
}

fn number_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// The origins that the configuration fills into the manifest's hosts: `{base_url}`.
fn origins(manifest: &Manifest, config: &Value) -> Vec<(String, String)> {
    let keys = manifest.http.hosts.iter().filter_map(|host| host.strip_prefix('{')?.strip_suffix('}'));
    keys.filter_map(|key| {
        let url = config.get(key)?.as_str()?;
        let start = url.find("://")? + 3;
        let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
        let invented = format!("https://{}.example", key.replace('_', "-"));
        (url[..end] != invented).then(|| (url[..end].to_owned(), invented))
    })
    .collect()
}

/// What the SDK leaves as it is in a query; all else it writes as `%XX`.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, IN_QUERY).to_string()
}

/// The last look: a value that was to go and is still there.
fn nothing_is_left(plan: &Plan, disguised: &Disguised) -> Result<(), KitError> {
    let values: Vec<&String> = plan.values.keys().filter(|value| value.chars().count() >= 4).collect();
    let Ok(automaton) = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values) else {
        return Ok(());
    };
    for exchange in &disguised.exchanges {
        let url = decode(&exchange.url);
        let bodies = [exchange.request_body.as_deref().unwrap_or_default(), &exchange.response.body];
        let texts = bodies.into_iter().map(String::from_utf8_lossy).chain([url.into()]);
        for text in texts {
            let left = automaton.find_iter(text.as_ref()).find(|hit| stands_alone(&text, hit.start(), hit.end()));
            if left.is_some() {
                let (method, url) = (&exchange.method, &exchange.url);
                return Err(KitError::Usage(text!(
                    "a value that is a person's could not be taken out of {method} {url}: nothing was written; make this fixture by hand",
                    "无法从 {method} {url} 中去除个人信息：未写入任何内容；请手工编写该样例"
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
