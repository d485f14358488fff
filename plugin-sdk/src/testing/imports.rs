//! The imports, answered by the [`Host`](super::Host) that runs on this thread.

use std::cell::RefCell;
use std::rc::Rc;

use super::{SealCall, State};
use crate::Failure;
use crate::http::{Request, Response};
use crate::level::Level;

/// Begins the failure of a request that the script does not know.
pub(super) const NO_ANSWER: &str = "no scripted answer for";

thread_local! {
    static HOST: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

/// Puts the former host back even if the code panics: the next test may run on this thread.
struct Former(Option<Rc<RefCell<State>>>);

impl Drop for Former {
    fn drop(&mut self) {
        HOST.with(|host| *host.borrow_mut() = self.0.take());
    }
}

pub(super) fn with_host<R>(state: Rc<RefCell<State>>, code: impl FnOnce() -> R) -> R {
    let _former = Former(HOST.with(|host| host.borrow_mut().replace(state)));
    code()
}

fn host() -> Option<Rc<RefCell<State>>> {
    HOST.with(|host| host.borrow().clone())
}

pub(crate) fn send(request: Request) -> Result<Response, Failure> {
    let Some(state) = host() else {
        return Err(Failure::internal("no gateway here: wrap the call in `testing::Host::run`"));
    };
    let mut state = state.borrow_mut();
    // JSON, or a text: a form.
    let sent = request.body.as_deref().map(|body| {
        serde_json::from_slice(body)
            .unwrap_or_else(|_| serde_json::Value::String(String::from_utf8_lossy(body).into_owned()))
    });
    let fits = |answer: &super::Answer| {
        answer.method == request.method && answer.url == request.url && (answer.body.is_none() || answer.body == sent)
    };
    let fitting: Vec<usize> = (0..state.answers.len()).filter(|&index| fits(&state.answers[index])).collect();
    let chosen = fitting.iter().copied().find(|&index| !state.used[index]).or(fitting.last().copied());
    let asked = format!("{} {}", request.method, request.url);
    state.requests.push(request);
    let Some(index) = chosen else {
        return Err(Failure::internal(format!("{NO_ANSWER} {asked}")));
    };
    state.used[index] = true;
    let mut response = state.answers[index].result.clone()?;
    response.exchange = state.exchanges;
    state.exchanges += 1;
    Ok(response)
}

pub(crate) fn send_all(requests: Vec<Request>) -> Vec<Result<Response, Failure>> {
    requests.into_iter().map(send).collect()
}

pub(crate) fn prefetch(request: Request) {
    if let Some(state) = host() {
        let mut state = state.borrow_mut();
        let sent = state.requests.len();
        state.prefetched.push((request, sent));
    }
}

pub(crate) fn now_ms() -> i64 {
    host().map_or(super::NOW_MS, |state| state.borrow().now_ms)
}

pub(crate) fn log(level: Level, message: &str) {
    if let Some(state) = host() {
        state.borrow_mut().logs.push((level, message.to_owned()));
    }
}

fn seal(call: &SealCall) -> Result<Vec<u8>, Failure> {
    // Taken out first: the closure may log.
    let seal = host().and_then(|state| state.borrow().seal.clone());
    match seal {
        Some(seal) => seal(call),
        None => Err(Failure::auth_required(format!("slot `{}` holds no secret in this test", call.slot))),
    }
}

pub(crate) fn sign(slot: &str, parts: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    seal(&SealCall::new("sign", slot, parts))
}

pub(crate) fn verify(slot: &str, parts: &[&[u8]], signature: &[u8]) -> Result<bool, Failure> {
    Ok(seal(&SealCall::new("verify", slot, parts))? == signature)
}
