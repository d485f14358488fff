//! Limits on requests: length, number at once, time. What passes a limit is told which one and when to come back.

use std::future::Future;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Middleware: refuses a path with its query that is too long, and keeps answers out of caches on the way.
pub(crate) async fn shape(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let bytes = request.uri().path_and_query().map_or(0, |both| both.as_str().len());
    let max = state.options.uri_bytes_max;
    if bytes > max {
        return Err(Problem::new(ProblemCode::UriTooLong)
            .detail(format!("{bytes} bytes; at most {max} are taken"), format!("{bytes} 字节，上限为 {max} 字节")));
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Middleware for what is answered at once: at most so many side by side, and none for longer than the deadline.
pub(crate) async fn brief(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let Ok(_permit) = state.requests.try_acquire() else {
        let max = state.options.requests_max;
        return Err(Problem::new(ProblemCode::Overloaded)
            .detail(format!("{max} requests are being worked on"), format!("正在处理的请求已达 {max} 个")));
    };
    within(state.options.deadline, async { Ok::<_, Problem>(next.run(request).await) }).await
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
                format!("no answer within {ms} ms; ask for less, or again after a moment"),
                format!("{ms} 毫秒内未得到结果，请减少数据量或稍后重试"),
            ))
        }
    }
}
