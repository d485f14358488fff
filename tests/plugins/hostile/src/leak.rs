//! Every way out of the sandbox, with a text in it that must not leave: `leak` of the configuration, or else its
//! `canary`. The name of the stream says which way.

use crate::bindings::exports::renmen::connector::source::{Finding, Omission, Page, PullRequest, Remedy};
use crate::bindings::renmen::connector::http::{self, Request};
use crate::bindings::renmen::connector::log;
use crate::bindings::renmen::connector::types::{Envelope, Failure, FailureKind, Reject};
use crate::{network, page};

/// What is to be leaked.
pub(crate) fn text(config: &[u8]) -> String {
    let leak = network::config(config, "leak");
    if leak.is_empty() { network::config(config, "canary") } else { leak }
}

/// Ten records, of which the fifth carries the text, and the other parts of a page.
pub(crate) fn pull(request: &PullRequest, way: &str) -> Result<Page, Failure> {
    let text = text(&request.config);
    let mut whole = page::of((0..10).map(honest).collect());
    let Some(fifth) = whole.records.get_mut(4) else { return Ok(whole) };
    match way {
        "payload" => fifth.payload = employee(&text),
        "id" => fifth.external_id = format!("E4-{text}"),
        "pointer" => fifth.pointer = format!("/data/{text}"),
        "entity" => fifth.entity = text,
        "reject" => whole.rejects.push(Reject { raw: text.into_bytes(), ..refused() }),
        "reject_id" => whole.rejects.push(Reject { external_id: Some(text), ..refused() }),
        "reject_reason" => whole.rejects.push(Reject { reason: format!("found {text}"), ..refused() }),
        "finding" => whole.findings.push(finding(&text)),
        "omission" => {
            let places = vec![text.clone(); 30];
            whole.omissions.push(Omission { part: text.clone(), rule: text, count: 30, places });
        }
        "cursor" => whole.next = Some(text),
        "failure" => {
            let message = format!("failed with {text}");
            return Err(Failure { code: Some(text), ..page::failure(FailureKind::Internal, &message) });
        }
        "log" => log::write(log::Level::Warn, &format!("the secret is {text}")),
        "panic" => panic!("{text}"),
        other => return Err(page::failure(FailureKind::InvalidInput, &format!("there is no way `{other}`"))),
    }
    Ok(whole)
}

fn honest(number: u64) -> Envelope {
    page::record(number, &employee(&number.to_string()))
}

fn employee(number: &str) -> Vec<u8> {
    serde_json::json!({ "person": {}, "number": number }).to_string().into_bytes()
}

/// Asks a vendor that prints the credential which it was sent, in a list of texts, and makes a record of each text.
pub(crate) fn echoed(request: &PullRequest) -> Result<Page, Failure> {
    let sent = Request { slot: Some("key".to_owned()), ..network::request(&request.config, "/echo") };
    let response = http::send(&sent)?;
    let texts: Vec<String> = serde_json::from_slice(&response.body)
        .map_err(|error| page::failure(FailureKind::UpstreamChanged, &format!("not a list of texts: {error}")))?;
    let records = (0..).zip(&texts).map(|(number, text)| page::record(number, &employee(text)));
    Ok(page::of(records.collect()))
}

fn refused() -> Reject {
    Reject {
        entity: "employee".to_owned(),
        external_id: Some("E11".to_owned()),
        exchange: 0,
        pointer: "/data/11".to_owned(),
        reason: "not a date".to_owned(),
        raw: b"{\"hired\":7}".to_vec(),
    }
}

fn finding(text: &str) -> Finding {
    let (part, code, message) = (text.to_owned(), text.to_owned(), format!("cannot read {text}"));
    Finding { part, code, message, needs: Remedy::Source, missing: true }
}

/// Page after page, each with a hundred lines.
pub(crate) fn lines_without_end() -> Page {
    for line in 0..100 {
        log::write(log::Level::Info, &format!("line {line} of many"));
    }
    Page { next: Some("again".to_owned()), has_more: true, ..page::of(Vec::new()) }
}

/// A hundred requests with a method of a mebibyte; none of them can go.
pub(crate) fn long_methods(request: &PullRequest) -> Page {
    let method = format!("GET\r\nfake: line\u{1b}[2J{}", "A".repeat(1 << 20));
    for _ in 0..100 {
        let sent = network::request(&request.config, "/ten");
        let _ignored =
            crate::bindings::renmen::connector::http::send(&crate::bindings::renmen::connector::http::Request {
                method: method.clone(),
                ..sent
            });
    }
    page::of(Vec::new())
}
