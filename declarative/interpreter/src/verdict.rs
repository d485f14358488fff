//! What an answer is: good, or one of the ways in which it is not.

use renmen_plugin::http::Response;
use renmen_plugin::{Failure, FailureKind};

use crate::answer::{Node, Wanted};
use crate::condition::Condition;
use crate::faults::Faults;
use crate::language::Api;
use crate::nearest::known;
use crate::pointer::Pointer;
use crate::template::{Scope, duration_ms};

/// How answers of this vendor are judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judge {
    ok: Condition,
    code: Vec<Pointer>,
    rules: Vec<Rule>,
    /// The words that the rules know.
    words: Vec<String>,
}

#[derive(Debug, Clone)]
struct Rule {
    status: Vec<u16>,
    when: Condition,
    is: Is,
    message: Option<String>,
    wait_ms: Option<u64>,
}

/// What an answer is that is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Failure(FailureKind),
    Gone,
    Empty,
    Restart,
}

/// What an answer is.
#[derive(Debug)]
pub(crate) enum Verdict<'r> {
    /// Good, and read.
    Good(Node<'r>),
    /// The vendor does not have the record.
    Gone,
    /// There is nothing in it.
    Empty,
    /// What we asked with (a cursor, a token) is of no use any more.
    Restart,
    /// The body fails the success test, and no rule says why.
    Refused(Failure),
    /// The call fails.
    Fail(Failure),
}

const WORDS: &[&str] = &[
    "auth-required",
    "not-granted",
    "rate-limited",
    "bad-config",
    "upstream-unavailable",
    "upstream-changed",
    "invalid-input",
    "gone",
    "empty",
    "restart",
];

impl Is {
    fn parse(word: &str) -> Result<Self, String> {
        known(word, WORDS, "outcome")?;
        Ok(match word {
            "gone" => Self::Gone,
            "empty" => Self::Empty,
            "restart" => Self::Restart,
            "auth-required" => Self::Failure(FailureKind::AuthRequired),
            "not-granted" => Self::Failure(FailureKind::NotGranted),
            "rate-limited" => Self::Failure(FailureKind::RateLimited),
            "bad-config" => Self::Failure(FailureKind::BadConfig),
            "upstream-unavailable" => Self::Failure(FailureKind::UpstreamUnavailable),
            "invalid-input" => Self::Failure(FailureKind::InvalidInput),
            _ => Self::Failure(FailureKind::UpstreamChanged),
        })
    }
}

impl Judge {
    /// Reads what `[api]` says of answers.
    pub(crate) fn of(api: &Api, faults: &mut Faults) -> Self {
        let ok = faults.take("ok", Condition::parse(&api.ok));
        let code =
            api.code.iter().flat_map(|code| &code.0).map(|text| faults.take("code", Pointer::parse(text))).collect();
        let rules = faults.within("errors", |faults| {
            let rule = |(number, error): (usize, &crate::language::ErrorOf)| {
                faults.within(number.to_string(), |faults| {
                    if error.status.is_empty() && error.when.is_empty() {
                        faults.add("a rule that fits every answer: write `status` or `when`");
                    }
                    let wait = |text: &str| duration_ms(text).map(i64::unsigned_abs);
                    Rule {
                        status: error.status.clone(),
                        when: faults.take("when", Condition::parse(&error.when)),
                        is: faults.take_some("is", Some(&error.is), Is::parse).unwrap_or(Is::Empty),
                        message: error.message.clone(),
                        wait_ms: faults.take_some("wait", error.wait.as_ref(), wait),
                    }
                })
            };
            api.errors.iter().enumerate().map(rule).collect::<Vec<_>>()
        });
        let values = api.errors.iter().flat_map(|error| error.when.values());
        let each = values.flat_map(|value| value.as_array().map_or_else(|| vec![value], |list| list.iter().collect()));
        let words = each.filter_map(serde_json::Value::as_str).map(str::to_owned).collect();
        Self { ok, code, rules, words }
    }

    /// Notes what it looks at.
    pub(crate) fn want(&self, answer: &mut Wanted) {
        self.ok.want(answer);
        self.rules.iter().for_each(|rule| rule.when.want(answer));
        self.code.iter().for_each(|code| code.want(answer).all());
    }

    /// Reads an answer and says what it is. The vendor's rules come first, then the success test, then the status.
    pub(crate) fn judge<'r>(&self, response: &'r Response, wanted: &Wanted) -> Verdict<'r> {
        let read = read(response, wanted);
        let nothing = Node::Null;
        let root = read.as_ref().unwrap_or(&nothing);
        let scope = Scope::default();
        for rule in &self.rules {
            let status = rule.status.is_empty() || rule.status.contains(&response.status());
            if status && (rule.when.is_empty() || rule.when.holds(root, &scope)) {
                return match rule.is {
                    Is::Gone => Verdict::Gone,
                    Is::Empty => Verdict::Empty,
                    Is::Restart => Verdict::Restart,
                    Is::Failure(kind) => Verdict::Fail(self.failure(kind, rule, root, response)),
                };
            }
        }
        if !(200..300).contains(&response.status()) {
            let failure =
                response.clone().ok().err().unwrap_or_else(|| Failure::upstream_changed("a status without a meaning"));
            return Verdict::Fail(self.with_code(failure, root));
        }
        match read {
            Err(failure) => Verdict::Fail(failure),
            Ok(root) if self.ok.holds(&root, &scope) => Verdict::Good(root),
            Ok(root) => {
                let message =
                    "the vendor answered with an error that the mapping does not know: write a rule under `api.errors`";
                Verdict::Refused(self.with_code(Failure::upstream_changed(message), &root))
            }
        }
    }

    fn failure(&self, kind: FailureKind, rule: &Rule, root: &Node<'_>, response: &Response) -> Failure {
        let message = rule.message.clone().unwrap_or_else(|| told(kind).to_owned());
        let failure = self.with_code(Failure::new(kind, message), root);
        match response
            .retry_after_ms()
            .or(rule.wait_ms)
            .filter(|_| kind == FailureKind::RateLimited || rule.wait_ms.is_some())
        {
            Some(wait_ms) => failure.after_ms(wait_ms),
            None => failure,
        }
    }

    fn with_code(&self, failure: Failure, root: &Node<'_>) -> Failure {
        let code = self.code.iter().find_map(|code| code.filled(root)).and_then(Node::scalar);
        // A text could be anything of the vendor's; what is told is a number, or a word that the mapping has.
        let is_known = |code: &str| code.parse::<i64>().is_ok() || self.words.iter().any(|word| word == code);
        match code.filter(|code| is_known(code)) {
            Some(code) => failure.with_code(code.into_owned()),
            None => failure,
        }
    }
}

fn told(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::AuthRequired => "the vendor does not take the credential: check the secret of the slot",
        FailureKind::NotGranted => "the vendor forbids this to the credential: give it the permission it lacks",
        FailureKind::RateLimited => "the vendor asks to slow down",
        FailureKind::BadConfig => "the vendor does not know what the configuration names: check it",
        FailureKind::UpstreamUnavailable => "the vendor has a fault of its own",
        FailureKind::InvalidInput => "the vendor refuses what was sent",
        FailureKind::UpstreamChanged | FailureKind::Internal => {
            "the vendor refuses the request as the connector makes it"
        }
    }
}

/// The members that are wanted.
fn read<'r>(response: &'r Response, wanted: &Wanted) -> Result<Node<'r>, Failure> {
    let body = response.body().strip_prefix(b"\xEF\xBB\xBF").unwrap_or(response.body());
    let size = response.body().len();
    let text = std::str::from_utf8(body)
        .map_err(|_| Failure::upstream_changed(format!("the answer of {size} bytes is not valid UTF-8")))?;
    Node::read(text, wanted).map_err(|error| {
        let failure = Failure::from(error);
        Failure { message: format!("the answer of {size} bytes cannot be read: {}", failure.message), ..failure }
    })
}
