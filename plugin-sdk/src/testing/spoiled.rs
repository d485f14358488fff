//! The same script with one answer gone bad, in every way that a vendor's answer can be bad, and with values that must not be told.
//!
//! [`Host::assert_quotes_nothing`] is for `cargo test` of a connector: it needs recorded answers and nothing else, so a failure, a
//! log line, a finding or the reason of a reject that repeats what the vendor sent is found before a gateway ever runs the connector.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Answer, Host, Run, State, imports};
use crate::http::Response;
use crate::{Delivery, Source, Webhook};

/// What must not appear in an error: a name, an id card's number, a phone number, an amount, a secret.
pub const CANARIES: [&str; 5] =
    ["金丝雀王小明", "11010119900307701X", "13912345678", "38765.43", "canary-secret-5f1e0d7c"];

impl Host {
    /// Pulls these streams once for each way in which one of this host's answers can go bad, with the [`CANARIES`] in it. Gives how many
    /// ways there were.
    ///
    /// # Panics
    /// When a failure, a log line, a finding, an omission or the reason of a reject contains one of them.
    pub fn assert_quotes_nothing<S: Source>(&self, config: &Value, streams: &[&str]) -> usize {
        let mut count = 0;
        for &stream in streams {
            let sound = self.with_answers(self.answers());
            assert!(
                sound.pull_all::<S>(config, stream, None).is_ok(),
                "{stream}: the answers must be good before they go bad"
            );
            let asked = sound.requests();
            for (n, answer) in self.answers().into_iter().enumerate() {
                let Ok(response) = &answer.result else { continue };
                if !asked.contains(&format!("{} {}", answer.method, answer.url)) {
                    continue;
                }
                for Way { what, status, body } in ways(response.status(), response.body()) {
                    count += 1;
                    let mut answers = self.answers();
                    answers[n].result = Ok(Response { status, body, ..response.clone() });
                    let host = self.with_answers(answers);
                    let pulled = host.pull_all::<S>(config, stream, None);
                    let told = pulled.map_or_else(|failure| vec![failure.to_string()], |run| told(&run));
                    quotes_nothing(&format!("{stream} with {what} from {}", answer.url), &host, told);
                }
            }
        }
        count
    }

    /// The same for deliveries: hands over one for each way in which `plain` can go bad. Gives how many there were.
    ///
    /// # Panics
    /// As [`Host::assert_quotes_nothing`].
    pub fn assert_delivery_quotes_nothing<W: Webhook>(
        &self,
        config: &Value,
        plain: &Value,
        delivery: impl Fn(Vec<u8>) -> Delivery,
    ) -> usize {
        let all = ways(200, plain.to_string().as_bytes());
        let count = all.len();
        for Way { what, body, .. } in all {
            let host = self.with_answers(self.answers());
            host.0.borrow_mut().seal = self.0.borrow().seal.clone();
            let received = host.receive::<W>(config, delivery(body));
            let told = match received {
                Err(failure) => vec![failure.to_string()],
                Ok(outcome) => outcome.rejects.into_iter().map(|reject| reject.reason).collect(),
            };
            quotes_nothing(&format!("a delivery with {what}"), &host, told);
        }
        count
    }

    fn answers(&self) -> Vec<Answer> {
        self.0.borrow().answers.clone()
    }

    fn with_answers(&self, answers: Vec<Answer>) -> Self {
        let now_ms = self.0.borrow().now_ms;
        Self(Rc::new(State { used: vec![false; answers.len()], answers, now_ms, ..State::default() }.into()))
    }
}

/// What a run lets be read.
fn told(run: &Run) -> Vec<String> {
    let reasons = run.rejects.iter().map(|reject| reject.reason.clone());
    let findings = run.findings.iter().map(|found| format!("{} {} {}", found.part, found.code, found.message));
    let omissions = run.omissions.iter().map(|left| format!("{} {}", left.part, left.rule));
    reasons.chain(findings).chain(omissions).collect()
}

fn quotes_nothing(what: &str, host: &Host, mut told: Vec<String>) {
    told.extend(host.logs().into_iter().map(|(_, line)| line));
    // Not the connector's words but those of this host.
    told.retain(|text| !text.contains(imports::NO_ANSWER));
    for text in told {
        assert!(!CANARIES.iter().any(|canary| text.contains(canary)), "{what}: {text}");
    }
}

/// One way in which an answer can be bad.
struct Way {
    what: String,
    status: u16,
    body: Vec<u8>,
}

fn ways(good_status: u16, good: &[u8]) -> Vec<Way> {
    let told = CANARIES.join(" ");
    let way = |what: String, status: u16, body: String| Way { what, status, body: body.into_bytes() };
    let mut all = vec![
        way("text instead of JSON".to_owned(), good_status, told.clone()),
        way("a list instead of an object".to_owned(), good_status, json!([told]).to_string()),
        way("nothing".to_owned(), good_status, String::new()),
    ];
    for status in [200, 400, 401, 403, 404, 429, 500] {
        for code in [88, 99_999] {
            all.push(way(format!("an error with status {status}"), status, error(code, &told)));
        }
        all.push(way(format!("a page with status {status}"), status, format!("<html>{told}</html>")));
    }
    let Ok(body) = serde_json::from_slice::<Value>(good) else { return all };
    for pointer in pointers(&body) {
        let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        for value in instead(body.pointer(&pointer).unwrap_or(&Value::Null), &name) {
            let what = format!("{value} at {pointer}");
            let mut spoiled = body.clone();
            if let Some(place) = spoiled.pointer_mut(&pointer) {
                *place = value;
            }
            all.push(way(what, good_status, spoiled.to_string()));
        }
    }
    let cut = json!({ "name": told, "rest": body }).to_string();
    all.push(way("an end in the middle".to_owned(), good_status, cut[..cut.len() - 2].to_owned()));
    all
}

/// As vendors word their errors: in one member or another.
fn error(code: i64, told: &str) -> String {
    json!({ "code": CANARIES[0], "errcode": code, "sub_code": CANARIES[0], "msg": told, "message": told, "errmsg": told,
            "sub_msg": told, "error": { "code": CANARIES[0], "message": told }, "request_id": told })
    .to_string()
}

/// Every place in a body, the root left out.
fn pointers(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), body)];
    while let Some((at, value)) = open.pop() {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (format!("{at}/{}", renmen_schema::pointer::escape(name)), value))
                .collect(),
            // Items of one list are alike: the first and the last stand for all.
            Value::Array(items) => {
                let last = items.len().saturating_sub(1);
                let ends = items.iter().enumerate().filter(|(n, _)| *n == 0 || *n == last);
                ends.map(|(n, value)| (format!("{at}/{n}"), value)).collect()
            }
            _ => Vec::new(),
        };
        found.extend(below.iter().map(|(at, _)| at.clone()));
        open.extend(below);
    }
    found
}

/// What may stand in a place instead: another type, or a text that is not a valid value there. An id is not replaced by
/// a text, because an error may quote an id so that a person can find the record.
fn instead(value: &Value, name: &str) -> Vec<Value> {
    let [who, id_card, _, amount, secret] = CANARIES;
    let is_id = name.ends_with("id") || name.ends_with("_v2") || name.parse::<usize>().is_ok();
    let object = json!({ who: id_card });
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null if is_id => vec![object, json!([amount])],
        Value::String(_) => vec![object, json!(38765.43), json!(who), json!(id_card)],
        Value::Number(_) | Value::Bool(_) | Value::Null => vec![object, json!(secret), json!(amount)],
        Value::Object(_) | Value::Array(_) => vec![json!(format!("{who} {secret}")), json!([who])],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::Request;
    use crate::{Failure, FailureKind, Finding, Page, PageFinding, Pull};

    #[derive(serde::Deserialize)]
    struct Row {
        id: String,
        name: String,
    }

    /// Reads one row. 1 quotes it in a finding, 2 in a log line, 3 in a failure.
    struct Reads<const QUOTES: u8>;

    impl<const QUOTES: u8> Source for Reads<QUOTES> {
        type Config = Value;

        fn pull(_: Value, _: Pull) -> Result<Page, Failure> {
            let answer = Request::get("https://hr.test/row").send()?.ok()?;
            let row = answer.json::<Row>();
            let mut page = Page::new();
            match (row, QUOTES) {
                (Ok(row), _) if row.id == "1" && row.name == "x" => {}
                (Ok(row), 1) => page.findings.push(PageFinding::failed(row.name, &Failure::internal("odd"))),
                (Ok(row), 2) => crate::warn!("a row of {}", row.name),
                (Ok(_), _) => {}
                (Err(_), 3) => return Err(Failure::internal(String::from_utf8_lossy(answer.body()))),
                (Err(failure), _) => return Err(failure),
            }
            Ok(page.done("end"))
        }

        fn probe(_: Value) -> Result<Vec<Finding>, Failure> {
            Ok(Vec::new())
        }
    }

    fn ways_of<const QUOTES: u8>() -> std::thread::Result<usize> {
        std::panic::catch_unwind(|| {
            let host = Host::new().answer("GET", "https://hr.test/row", 200, r#"{"id":"1","name":"x"}"#);
            host.assert_quotes_nothing::<Reads<QUOTES>>(&json!({}), &["rows"])
        })
    }

    #[test]
    fn a_connector_that_quotes_in_a_finding_a_log_line_or_a_failure_is_found_and_another_passes() {
        assert!(ways_of::<0>().unwrap() > 25);
        for found in [ways_of::<1>(), ways_of::<2>(), ways_of::<3>()] {
            let said = found.unwrap_err().downcast_ref::<String>().cloned().unwrap_or_default();
            assert!(said.starts_with("rows with "), "{said}");
        }
    }

    #[test]
    fn a_code_that_is_a_sentence_is_left_out() {
        let failure = Failure::new(FailureKind::Internal, "x");
        assert_eq!(failure.clone().with_code("60011").code.as_deref(), Some("60011"));
        assert_eq!(failure.with_code(CANARIES[0]).code, None);
    }
}
