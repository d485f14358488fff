//! Requests: too many, to the wrong place, with what must not leave; and a few good ones.

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::http::{self, Request, Response};
use crate::bindings::renmen::connector::seal;
use crate::bindings::renmen::connector::types::{Envelope, Failure};
use crate::page;

/// A text of the connection's configuration; empty where there is none.
pub(crate) fn config(request: &PullRequest, key: &str) -> String {
    let config: serde_json::Value = serde_json::from_slice(&request.config).unwrap_or_default();
    config[key].as_str().unwrap_or_default().to_owned()
}

fn get(request: &PullRequest, path: &str) -> Request {
    let url = format!("{}{path}", config(request, "base_url"));
    Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None, slot: None }
}

pub(crate) fn healthy(request: &PullRequest) -> Result<Page, Failure> {
    let response = http::send(&get(request, "/ten"))?;
    Ok(page::of((0..10).map(|n| from(&response, n)).collect()))
}

fn from(response: &Response, number: u64) -> Envelope {
    Envelope { exchange: response.exchange, ..page::record(number, &response.body) }
}

pub(crate) fn parallel(request: &PullRequest) -> Result<Page, Failure> {
    let responses = http::send_all(&[get(request, "/first"), get(request, "/second")]);
    let mut records = Vec::new();
    for (number, response) in (0..).zip(responses) {
        records.push(from(&response?, number));
    }
    Ok(page::of(records))
}

pub(crate) fn flood(request: &PullRequest) -> Result<Page, Failure> {
    loop {
        // Not even a refusal stops it.
        let _ignored = http::send(&get(request, "/ten"));
    }
}

pub(crate) fn burst(request: &PullRequest, requests: usize) -> Result<Page, Failure> {
    let requests: Vec<Request> = (0..requests).map(|_| get(request, "/ten")).collect();
    Ok(page::of(vec![page::record(http::send_all(&requests).len() as u64, b"{}")]))
}

pub(crate) fn hoard(request: &PullRequest) -> Result<Page, Failure> {
    loop {
        http::send(&get(request, "/mebibyte"))?;
    }
}

pub(crate) fn elsewhere() -> Result<Page, Failure> {
    let url = "https://elsewhere.example/collect".to_owned();
    http::send(&Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None, slot: None })?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn leak(request: &PullRequest) -> Result<Page, Failure> {
    let body = format!("{{\"note\":\"{}\"}}", config(request, "canary"));
    let stolen = Request { method: "POST".to_owned(), body: Some(body.into_bytes()), ..get(request, "/collect") };
    http::send(&stolen)?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn bad_slot(request: &PullRequest) -> Result<Page, Failure> {
    http::send(&Request { slot: Some("../key".to_owned()), ..get(request, "/ten") })?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn slow(request: &PullRequest) -> Result<Page, Failure> {
    http::send(&get(request, "/never"))?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn sign_without_end() -> Result<Page, Failure> {
    loop {
        let _ignored = seal::sign("key", "hmac-sha256", &[seal::Part::Bytes(vec![0; 64])]);
    }
}
