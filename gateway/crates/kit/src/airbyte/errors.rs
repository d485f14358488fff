//! Error handlers as `[[api.errors]]` of `mapping.toml`, and the headers that say when to ask again as `retry_headers` of `plugin.toml`.
//!
//! A mapping's rules count for every request; a manifest's for one requester. Where two requesters differ, the first one's rule stands.

use serde_json::{Map, Value, json};

use super::left::Lefts;
use super::when::{Lines, condition};
use super::yaml::Node;

/// Rules and headers of all requesters.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// `[[api.errors]]`.
    pub(super) rules: Vec<Rule>,
    /// `retry_headers`: name and unit.
    pub(super) headers: Vec<(String, &'static str)>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    status: Vec<u64>,
    when: Lines,
    is: &'static str,
    message: Option<String>,
    wait: Option<String>,
}

impl Rule {
    pub(super) fn toml(&self) -> Map<String, Value> {
        let mut table = Map::new();
        if !self.status.is_empty() {
            table.insert("status".to_owned(), json!(self.status));
        }
        if !self.when.is_empty() {
            table.insert("when".to_owned(), Value::Object(self.when.clone()));
        }
        table.insert("is".to_owned(), self.is.into());
        table.extend(self.message.clone().map(|message| ("message".to_owned(), message.into())));
        table.extend(self.wait.clone().map(|wait| ("wait".to_owned(), wait.into())));
        table
    }
}

impl Errors {
    pub(super) fn add(&mut self, handler: Option<&Node>, left: &mut Lefts) {
        let Some(handler) = handler else { return };
        match handler.component() {
            "CompositeErrorHandler" => {
                for one in handler.get("error_handlers").map(Node::items).unwrap_or_default() {
                    self.add(Some(one), left);
                }
            }
            "DefaultErrorHandler" => self.of_one(handler, left),
            other => left.add(handler, other, "answers are judged by their status alone"),
        }
    }

    fn of_one(&mut self, handler: &Node, left: &mut Lefts) {
        let mut wait = None;
        for strategy in handler.get("backoff_strategies").map(Node::items).unwrap_or_default() {
            self.backoff(strategy, &mut wait, left);
        }
        for filter in handler.get("response_filters").map(Node::items).unwrap_or_default() {
            if filter.component() == "HttpResponseFilter" {
                self.filter(filter, wait.as_ref(), left);
            } else {
                left.add(filter, filter.component(), "answers are judged without it");
            }
        }
    }

    fn backoff(&mut self, strategy: &Node, wait: &mut Option<String>, left: &mut Lefts) {
        let header = strategy.word("header").unwrap_or_default().to_lowercase();
        let known = |unit: &'static str, headers: &mut Vec<(String, &'static str)>| {
            let listed = headers.iter().any(|(name, _)| *name == header);
            if !header.is_empty() && header != "retry-after" && !listed {
                headers.push((header.clone(), unit));
            }
        };
        match strategy.component() {
            "ConstantBackoffStrategy" => {
                let seconds = strategy.get("backoff_time_in_seconds").and_then(Node::scalar);
                let seconds = seconds.and_then(|text| text.parse::<f64>().ok());
                match seconds {
                    Some(seconds) => *wait = Some(format!("{}ms", (seconds * 1000.0).round())),
                    None => left.add(strategy, "ConstantBackoffStrategy", "not a constant number of seconds"),
                }
            }
            "WaitTimeFromHeader" => {
                known("seconds", &mut self.headers);
                if let Some(regex) = strategy.get("regex") {
                    left.add(regex, "regex", "the header's value is read as a number as it is");
                }
            }
            "WaitUntilTimeFromHeader" => known("epoch_seconds", &mut self.headers),
            // The gateway itself waits longer each time.
            "ExponentialBackoffStrategy" => {}
            other => left.add(strategy, other, "the gateway waits as it does by itself"),
        }
    }

    fn filter(&mut self, filter: &Node, wait: Option<&String>, left: &mut Lefts) {
        let codes = filter.get("http_codes").map(Node::items).unwrap_or_default();
        let status: Vec<u64> = codes.iter().filter_map(|code| code.scalar()?.parse().ok()).collect();
        let when = match filter.get("predicate") {
            None => Lines::new(),
            Some(predicate) => match condition(predicate.text().unwrap_or_default(), "response", &|_| false) {
                // Either of the two is enough there: both lines are written.
                Ok(lines) => lines,
                Err(why) => {
                    left.add(
                        predicate,
                        "predicate",
                        format!("{why} has no counterpart; the filter counts by its codes alone"),
                    );
                    Lines::new()
                }
            },
        };
        if let Some(contains) = filter.get("error_message_contains") {
            left.add(contains, "error_message_contains", "texts of answers are not searched");
        }
        let action = filter.word("action").unwrap_or("FAIL").to_uppercase();
        let meant = |status: &[u64]| is(&action, status, filter.word("failure_type"));
        let message = filter.word("error_message").and_then(plain).filter(|_| action != "IGNORE");
        let wait = wait.filter(|_| matches!(action.as_str(), "RETRY" | "RATE_LIMITED")).cloned();
        let mut rules = Vec::new();
        if !when.is_empty() {
            rules.push((Vec::new(), when));
        }
        // Codes that mean different things here are rules of their own.
        for code in status {
            match rules.iter_mut().find(|(known, when)| when.is_empty() && meant(known) == meant(&[code])) {
                Some((known, _)) => known.push(code),
                None => rules.push((vec![code], Lines::new())),
            }
        }
        for (status, when) in rules {
            let Some(is) = meant(&status) else {
                left.add(
                    filter,
                    format!("action: {action}"),
                    "an answer with another status than 2xx is never a good one",
                );
                continue;
            };
            let rule = Rule { is, message: message.clone(), wait: wait.clone(), status, when };
            self.put(filter, rule, left);
        }
    }

    fn put(&mut self, filter: &Node, rule: Rule, left: &mut Lefts) {
        let same =
            |known: &&Rule| known.when == rule.when && known.status.iter().any(|code| rule.status.contains(code));
        match self.rules.iter().find(|known| *known == &rule || same(known) && !rule.status.is_empty()) {
            None => self.rules.push(rule),
            Some(known) if known.is == rule.is => {}
            Some(known) => {
                let why = format!("another requester says `{}` of the same answers, and rules count for all", known.is);
                left.add(filter, "response_filters", why);
            }
        }
    }
}

/// The kind of failure; none for an answer that is to be good.
fn is(action: &str, status: &[u64], failure: Option<&str>) -> Option<&'static str> {
    Some(match (action, status.first()) {
        ("IGNORE", _) => "empty",
        ("RATE_LIMITED", _) | ("RETRY", Some(429)) => "rate-limited",
        ("RETRY", _) => "upstream-unavailable",
        ("RESET_PAGINATION", _) => "restart",
        ("REFRESH_TOKEN_THEN_RETRY", _) | ("FAIL", Some(401)) => "auth-required",
        ("FAIL", Some(403)) => "not-granted",
        ("FAIL", _) if failure == Some("config_error") => "bad-config",
        ("FAIL", _) if failure == Some("transient_error") => "upstream-unavailable",
        ("FAIL", _) => "upstream-changed",
        _ => return None,
    })
}

/// A message as far as it is constant.
fn plain(text: &str) -> Option<String> {
    let text = text.split("{{").next().unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(text.trim_end_matches([':', ' ', '"']).to_owned()).filter(|text| text.len() > 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::yaml::read;
    use super::*;

    fn errors(texts: &[&str]) -> (Value, Vec<(String, &'static str)>, usize) {
        let (mut errors, mut left) = (Errors::default(), Lefts::default());
        texts.iter().for_each(|text| errors.add(Some(&read(text).unwrap()), &mut left));
        (errors.rules.iter().map(|rule| Value::Object(rule.toml())).collect(), errors.headers, left.sorted().len())
    }

    fn default(filters: &str, backoff: &str) -> String {
        format!("{{ type: DefaultErrorHandler, response_filters: [{filters}], backoff_strategies: [{backoff}] }}")
    }

    #[test]
    fn filters_become_rules_and_headers_say_when_to_ask_again() {
        let filters = "{ type: HttpResponseFilter, action: IGNORE, http_codes: [404] }, { type: HttpResponseFilter, action: FAIL, failure_type: config_error, http_codes: [400, 401, 403], error_message: 'Check the key: {{ response.error }}' }, { type: HttpResponseFilter, action: RETRY, http_codes: [429, 500], predicate: \"{{ response.code == 'busy' }}\" }";
        let backoff = "{ type: WaitUntilTimeFromHeader, header: X-Reset }, { type: WaitTimeFromHeader, header: Retry-After }, { type: ConstantBackoffStrategy, backoff_time_in_seconds: 5 }";
        let (rules, headers, left) =
            errors(&[&format!("{{ type: CompositeErrorHandler, error_handlers: [{}] }}", default(filters, backoff))]);
        let message = "Check the key";
        assert_eq!(
            rules,
            json!([
                { "status": [404], "is": "empty" },
                { "status": [400], "is": "bad-config", "message": message },
                { "status": [401], "is": "auth-required", "message": message },
                { "status": [403], "is": "not-granted", "message": message },
                { "when": { "/code": "busy" }, "is": "upstream-unavailable", "wait": "5000ms" },
                { "status": [429], "is": "rate-limited", "wait": "5000ms" },
                { "status": [500], "is": "upstream-unavailable", "wait": "5000ms" },
            ])
        );
        assert_eq!((headers, left), (vec![("x-reset".to_owned(), "epoch_seconds")], 0));
    }

    #[test]
    fn what_two_requesters_say_differently_and_what_has_no_counterpart_is_told() {
        let one = default("{ type: HttpResponseFilter, action: IGNORE, http_codes: [403] }", "");
        let other = default("{ type: HttpResponseFilter, action: FAIL, http_codes: [403] }", "");
        let (rules, _, left) = errors(&[&one, &one, &other]);
        assert_eq!((rules, left), (json!([{ "status": [403], "is": "empty" }]), 1));
        for text in [
            "{ type: CustomErrorHandler, class_name: a.b }".to_owned(),
            default("{ type: HttpResponseFilter, action: SUCCESS, http_codes: [404] }", ""),
            default("{ type: HttpResponseFilter, error_message_contains: x, http_codes: [400] }", ""),
            default("{ type: HttpResponseFilter, predicate: '{{ headers.a }}', http_codes: [400] }", ""),
            default("", "{ type: WaitTimeFromHeader, header: X, regex: '[0-9]+' }"),
            default("", "{ type: CustomBackoffStrategy, class_name: a.b }"),
        ] {
            assert_eq!(errors(&[&text]).2, 1, "{text}");
        }
    }
}
