//! Requests: too many, to the wrong place, with what must not leave; and a few good ones.

use crate::bindings::exports::renmen::connector::source::{Page, PullRequest};
use crate::bindings::renmen::connector::http::{self, Request, Response};
use crate::bindings::renmen::connector::types::{Envelope, Failure};
use crate::page;

/// A text of the connection's configuration; empty where there is none.
pub(crate) fn config(json: &[u8], key: &str) -> String {
    let config: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    config[key].as_str().unwrap_or_default().to_owned()
}

/// A request to the vendor that the configuration names.
pub(crate) fn request(config_json: &[u8], path: &str) -> Request {
    let url = format!("{}{path}", config(config_json, "base_url"));
    Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None, slot: None }
}

pub(crate) fn get(config_json: &[u8], path: &str) -> Result<Response, Failure> {
    http::send(&request(config_json, path))
}

pub(crate) fn post(config_json: &[u8], path: &str, body: &[u8]) -> Result<Response, Failure> {
    http::send(&Request { method: "POST".to_owned(), body: Some(body.to_vec()), ..request(config_json, path) })
}

pub(crate) fn healthy(asked: &PullRequest) -> Result<Page, Failure> {
    let response = http::send(&request(&asked.config, "/ten"))?;
    Ok(page::of((0..10).map(|n| from(&response, n)).collect()))
}

fn from(response: &Response, number: u64) -> Envelope {
    Envelope { exchange: response.exchange, ..page::record(number, &response.body) }
}

pub(crate) fn parallel(asked: &PullRequest) -> Result<Page, Failure> {
    let responses = http::send_all(&[request(&asked.config, "/first"), request(&asked.config, "/second")]);
    let mut records = Vec::new();
    for (number, response) in (0..).zip(responses) {
        records.push(from(&response?, number));
    }
    Ok(page::of(records))
}

pub(crate) fn flood(asked: &PullRequest) -> Result<Page, Failure> {
    loop {
        // Not even a refusal stops it.
        let _ignored = http::send(&request(&asked.config, "/ten"));
    }
}

pub(crate) fn burst(asked: &PullRequest, requests: usize) -> Result<Page, Failure> {
    let requests: Vec<Request> = (0..requests).map(|_| request(&asked.config, "/ten")).collect();
    Ok(page::of(vec![page::record(http::send_all(&requests).len() as u64, b"{}")]))
}

pub(crate) fn hoard(asked: &PullRequest) -> Result<Page, Failure> {
    loop {
        http::send(&request(&asked.config, "/mebibyte"))?;
    }
}

pub(crate) fn elsewhere() -> Result<Page, Failure> {
    let url = "https://elsewhere.example/collect".to_owned();
    http::send(&Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None, slot: None })?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn leak(asked: &PullRequest) -> Result<Page, Failure> {
    let body = format!("{{\"note\":\"{}\"}}", config(&asked.config, "canary"));
    let stolen =
        Request { method: "POST".to_owned(), body: Some(body.into_bytes()), ..request(&asked.config, "/collect") };
    http::send(&stolen)?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn bad_slot(asked: &PullRequest) -> Result<Page, Failure> {
    http::send(&Request { slot: Some("../key".to_owned()), ..request(&asked.config, "/ten") })?;
    Ok(page::of(Vec::new()))
}

pub(crate) fn slow(asked: &PullRequest) -> Result<Page, Failure> {
    http::send(&request(&asked.config, "/never"))?;
    Ok(page::of(Vec::new()))
}
