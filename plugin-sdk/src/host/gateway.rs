//! The real imports, in the types of this crate.

use crate::Failure;
use crate::bindings::reader::renmen::connector::types::Header;
use crate::bindings::reader::renmen::connector::{clock, http, log as wit_log, seal};
use crate::http::{Request, Response};
use crate::log::Level;
use crate::seal::Part;

pub(crate) fn send(request: Request) -> Result<Response, Failure> {
    http::send(&lower(request)).map(lift).map_err(Into::into)
}

pub(crate) fn send_all(requests: Vec<Request>) -> Vec<Result<Response, Failure>> {
    let requests: Vec<http::Request> = requests.into_iter().map(lower).collect();
    http::send_all(&requests).into_iter().map(|answer| answer.map(lift).map_err(Into::into)).collect()
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

fn parts(parts: &[Part<'_>]) -> Vec<seal::Part> {
    let part = |part: &Part<'_>| match part {
        Part::Bytes(bytes) => seal::Part::Bytes(bytes.to_vec()),
        Part::Key => seal::Part::Key,
    };
    parts.iter().map(part).collect()
}

pub(crate) fn sign(slot: &str, scheme: &str, signed: &[Part<'_>]) -> Result<Vec<u8>, Failure> {
    Ok(seal::sign(slot, scheme, &parts(signed))?)
}

pub(crate) fn verify(slot: &str, scheme: &str, signed: &[Part<'_>], signature: &[u8]) -> Result<bool, Failure> {
    Ok(seal::verify(slot, scheme, &parts(signed), signature)?)
}

pub(crate) fn encrypt(slot: &str, scheme: &str, plain: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(seal::encrypt(slot, scheme, plain)?)
}

pub(crate) fn decrypt(slot: &str, scheme: &str, cipher: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(seal::decrypt(slot, scheme, cipher)?)
}
