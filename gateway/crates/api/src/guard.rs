//! Limits on requests: length, number at once, time. What passes a limit is told which one and when to come back.

use std::future::Future;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

use crate::caller::Caller;
use crate::head_fault::HeadFault;
use crate::limit::Limit;
use crate::pool::Owner;
use crate::problem::{Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::AppState;

/// Middleware: refuses a head that can be read in two ways and a path with its query that is too long, and keeps answers out of caches on the way.
pub(crate) async fn shape(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    if let Some(fault) = request.extensions().get::<HeadFault>() {
        return Err(of_head(*fault));
    }
    let bytes = request.uri().path_and_query().map_or(0, |both| both.as_str().len());
    let max = state.options.uri_bytes_max;
    if bytes > max {
        return Err(Problem::new(ProblemCode::UriTooLong).detail(
            format!("the URI has {bytes} bytes; the limit is {max}"),
            format!("{bytes} 字节，上限为 {max} 字节"),
        ));
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}

fn of_head(fault: HeadFault) -> Problem {
    let (en, zh) = match fault {
        HeadFault::Host => {
            ("send exactly one `Host` header with the name of this server", "请发送且仅发送一个 `Host` 请求头")
        }
        HeadFault::Misplaced => (
            "it was sent before the previous request was answered; send one request at a time",
            "前一个请求尚未应答，请逐个发送请求",
        ),
    };
    Problem::new(ProblemCode::BadRequest).detail(en, zh)
}

/// Middleware for what is answered at once: at most so many side by side, fairly by tenant and key, and none for longer than
/// the deadline. Behind [`crate::auth::require_key`].
pub(crate) async fn brief(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or_else(|| Problem::fault(&"a request came to its work without a key"))?;
    let max = state.options.requests_max;
    let overloaded = |en: &str, zh: &str| {
        state.reached.note(Limit::Requests, Some(&caller.tenant));
        Problem::new(ProblemCode::Overloaded).detail(
            format!("{en} ({} is {max})", Limit::Requests.key()),
            format!("{zh}（{} 为 {max}）", Limit::Requests.key()),
        )
    };
    let owner = Owner { group: caller.tenant.to_string(), member: caller.key.to_string() };
    let Some(place) = state.requests.take(owner, 1) else {
        return Err(overloaded(
            "the limit of requests in progress is reached; try again shortly",
            "正在处理的请求已达上限",
        ));
    };
    let work = within(state.options.deadline, async { Ok::<_, Problem>(next.run(request).await) });
    tokio::select! {
        answer = work => answer,
        () = place.lost() => Err(overloaded(
            "it was cancelled in favour of a tenant with fewer requests in progress; if it changes something, check whether \
             it did before you try again",
            "该请求已让位于请求较少的租户；若为修改操作，请先确认是否已生效再重试",
        )),
    }
}

/// A look into the store for a key or a token that this process does not know. Anyone can cause one, so few are allowed
/// at a time, shared fairly between senders: a sender who tries keys waits for others who do, and a caller with a good
/// key never waits for them.
pub(crate) async fn look_up<T, E>(
    state: &AppState,
    sender: Sender,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Problem>
where
    Problem: From<E>,
{
    let overloaded = || {
        state.reached.note(Limit::Lookups, None);
        let (key, max) = (Limit::Lookups.key(), state.lookups.max());
        Problem::new(ProblemCode::Overloaded).detail(
            format!("{max} unknown keys are being looked up ({key}); ask again after a moment"),
            format!("正在查询的未知密钥已达 {max} 个（{key}），请稍后重试"),
        )
    };
    let owner = Owner { group: sender.text(), member: String::new() };
    let place = state.lookups.take(owner, 1).ok_or_else(overloaded)?;
    tokio::select! {
        found = within(state.options.deadline, work) => found,
        () = place.lost() => Err(overloaded()),
    }
}

/// What `work` answers, or a problem when it takes longer than `deadline`.
pub(crate) async fn within<T, E>(deadline: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, Problem>
where
    Problem: From<E>,
{
    match tokio::time::timeout(deadline, work).await {
        Ok(answer) => answer.map_err(Problem::from),
        Err(_) => {
            let ms = deadline.as_millis();
            Err(Problem::new(ProblemCode::DeadlineExceeded).detail(
                format!("the request took longer than {ms} ms; request less data or try again shortly"),
                format!("{ms} 毫秒内未得到结果，请减少数据量或稍后重试"),
            ))
        }
    }
}
