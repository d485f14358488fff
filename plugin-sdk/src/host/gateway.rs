//! The real imports, in the types of this crate.

use crate::Failure;
use crate::bindings::reader::renmen::connector::types::Header;
use crate::bindings::reader::renmen::connector::{clock, http, log as wit_log, seal};
use crate::http::{Request, Response};
use crate::level::Level;

pub(crate) fn send(request: Request) -> Result<Response, Failure> {
    http::send(&lower(request)).map(lift).map_err(Into::into)
}

pub(crate) fn send_all(requests: Vec<Request>) -> Vec<Result<Response, Failure>> {
    let requests: Vec<http::Request> = requests.into_iter().map(lower).collect();
    http::send_all(&requests).into_iter().map(|answer| answer.map(lift).map_err(Into::into)).collect()
}

pub(crate) fn prefetch(request: Request) {
    http::prefetch(&lower(request));
}

fn lower(request: Request) -> http::Request {
    let Request { method, url, headers, body, slot, .. } = request;
    let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
    http::Request { method, url, headers, body, slot }
}

fn lift(response: http::Response) -> Response {
    let headers = response.headers.into_iter().map(|header| (header.name, header.value)).collect();
    Response { status: response.status, headers, body: response.body, exchange: response.exchange }
}

pub(crate) fn now_ms() -> i64 {
    clock::now_ms()
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Error => wit_log::Level::Error,
        Level::Warn => wit_log::Level::Warn,
        Level::Info => wit_log::Level::Info,
        Level::Debug => wit_log::Level::Debug,
    };
    wit_log::write(level, message);
}

pub(crate) fn sign(slot: &str, parts: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    Ok(seal::sign(slot, &owned(parts))?)
}

pub(crate) fn verify(slot: &str, parts: &[&[u8]], signature: &[u8]) -> Result<bool, Failure> {
    Ok(seal::verify(slot, &owned(parts), signature)?)
}

fn owned(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    parts.iter().map(|part| part.to_vec()).collect()
}
