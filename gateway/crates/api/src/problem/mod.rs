//! Errors as clients see them: problem JSON (RFC 9457) with a stable code, in Chinese or English.
//!
//! Which error type where: handlers return [`Problem`]; store and control errors become one through `From`. A problem
//! does not know the request, so its response carries it as an extension and [`render`], the outermost layer but
//! one, writes it in the language that was asked for. `render` also turns bare error answers of layers below into
//! problems, so that no client ever meets an error of another shape.
//!
//! What went wrong inside is logged once, here, and never shown.

mod code;
pub(crate) mod language;

use axum::Json;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
pub use code::ProblemCode;
use renmen_interview::InterviewError;
use renmen_schema::{Defect, Language, Text};
use renmen_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::control::ControlError;
use crate::request_id::RequestId;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An answer that is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: ProblemCode,
    /// What happened here and what to do next.
    detail: Option<Box<Text>>,
    /// The parameter at fault.
    parameter: Option<String>,
    /// Each thing wrong with a record, its place within the request's body.
    errors: Box<[Defect]>,
    /// A link to what is in the way: the live run.
    related: Option<Box<str>>,
    /// The methods that a path has, where another one was asked for.
    allow: Option<&'static str>,
    /// Seconds after which to try again, where it is not what the code says.
    retry_after_s: Option<u32>,
}

/// A problem as it is sent (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `urn:renmen:problem:` and the code.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What went wrong, for programs; never changes its meaning.
    pub(crate) code: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// One line for people, the same for every problem of this code.
    pub(crate) title: &'static str,
    /// What happened here and what to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// A link to what is in the way: the live run, the decision in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) related: Option<String>,
    /// Each thing wrong with the record that was sent, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) errors: Vec<BodyError>,
    /// The request's id: the gateway's log knows it.
    pub(crate) request_id: String,
}

/// One thing wrong with a request's body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BodyError {
    /// Where in the request's body: RFC 6901.
    pointer: String,
    /// What is wrong, for programs: `missing_field`.
    code: &'static str,
    /// What was found and what is expected.
    detail: String,
}

impl Problem {
    pub(crate) fn new(code: ProblemCode) -> Self {
        Self {
            code,
            detail: None,
            parameter: None,
            errors: Box::default(),
            related: None,
            allow: None,
            retry_after_s: None,
        }
    }

    /// What happened here and what to do next, in English and Chinese.
    pub(crate) fn detail(self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.because(Text::kept(en, zh))
    }

    /// The same, as another crate tells it.
    pub(crate) fn because(mut self, detail: Text) -> Self {
        self.detail = Some(Box::new(detail));
        self
    }

    /// What is wrong with a record that was sent.
    pub(crate) fn errors(mut self, errors: Vec<Defect>) -> Self {
        self.errors = errors.into();
        self
    }

    pub(crate) fn related(mut self, link: String) -> Self {
        self.related = Some(link.into());
        self
    }

    /// Another method than those that a path has.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(ProblemCode::MethodNotAllowed) }
    }

    /// A parameter's value is wrong: `expected` says what it should be, in both languages. The value is not repeated.
    pub(crate) fn parameter(name: &str, expected_en: &str, expected_zh: &str) -> Self {
        let mut problem = Self::new(ProblemCode::InvalidParameter)
            .detail(format!("`{name}` must be {expected_en}"), format!("`{name}` 必须是{expected_zh}"));
        problem.parameter = Some(name.to_owned());
        problem
    }

    pub(crate) fn unknown_parameter(name: &str, known: &[&str]) -> Self {
        let shown: String = name.chars().take(80).collect();
        let (en, zh) = if known.is_empty() {
            ("this operation accepts none".to_owned(), "此操作不接受查询参数".to_owned())
        } else {
            let known = known.join("`, `");
            (format!("this operation accepts `{known}`"), format!("可用的参数为 `{known}`"))
        };
        let mut problem = Self::new(ProblemCode::UnknownParameter)
            .detail(format!("unknown query parameter `{shown}`: {en}"), format!("此操作没有查询参数 `{shown}`：{zh}"));
        problem.parameter = Some(shown);
        problem
    }

    /// This tenant has nothing of this id or name (or it is another tenant's, which gets the same answer).
    pub(crate) fn not_found(what_en: &str, what_zh: &str) -> Self {
        Self::new(ProblemCode::NotFound).detail(
            format!("no {what_en} with this id or name is visible to this key"),
            format!("当前租户没有这个{what_zh}"),
        )
    }

    /// A fault: `cause` is logged and not shown.
    pub(crate) fn fault(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "A request failed with an internal error");
        Self::new(ProblemCode::Internal)
            .detail("the gateway's log has the cause under this request id", "详情请按此请求编号查看网关日志")
    }

    pub(crate) fn body(&self, language: Language, request_id: String) -> ProblemBody {
        let (en, zh) = self.code.titles();
        ProblemBody {
            kind: format!("urn:renmen:problem:{}", self.code.name()),
            code: self.code.name(),
            status: self.code.status().as_u16(),
            title: if language == Language::Chinese { zh } else { en },
            detail: self.detail.as_deref().map(|detail| detail.in_language(language).to_owned()),
            errors: self.errors.iter().map(|defect| BodyError::of(defect, language)).collect(),
            parameter: self.parameter.clone(),
            related: self.related.as_deref().map(str::to_owned),
            request_id,
        }
    }
}

impl BodyError {
    fn of(defect: &Defect, language: Language) -> Self {
        let detail = defect.message.in_language(language).to_owned();
        Self { pointer: defect.path.clone(), code: defect.code, detail }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.of_move().is_some() => {
                let why = error.of_move().unwrap_or_default().to_owned();
                Self::new(ProblemCode::StoreUnavailable)
                    .detail(why, "该租户正在迁往另一数据库，未做任何更改；请稍后重试")
            }
            StoreError::Unavailable(cause) => {
                tracing::warn!(error = %cause, "The store is unavailable");
                Self::new(ProblemCode::StoreUnavailable)
                    .detail("nothing was changed; try again shortly", "未做任何更改，请稍后重试")
            }
            StoreError::Configuration(cause) => {
                tracing::error!(error = %cause, "The store cannot be used as it is configured");
                Self::new(ProblemCode::StoreUnavailable).detail(
                    "nothing was changed; the operator has to act, see the gateway's log",
                    "未做任何更改；需要管理员处理，请查看网关日志",
                )
            }
            StoreError::Busy(_) | StoreError::Fenced(_) => Self::new(ProblemCode::Refused)
                .detail("it is in use by another operation; try again shortly", "该对象正被占用，请稍后重试"),
            StoreError::BadInput(_) => Self::new(ProblemCode::InvalidCursor).detail(
                "use the `next_cursor` of a previous response with the same filters, or start without a cursor",
                "请使用同一列表、相同过滤条件返回的 `next_cursor`，或不带游标重新开始",
            ),
            StoreError::Quota { limit, message } => Self::new(ProblemCode::StoreUnavailable)
                .because(renmen_schema::text!("limit {limit}: {message}", "限额 {limit}：{message}")),
            StoreError::Fault(cause) => Self::fault(&cause),
        }
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound(_) => Self::not_found("connection, stream or record", "连接、数据流或记录"),
            ControlError::Running { run } => {
                let problem = Self::new(ProblemCode::RunUnderWay)
                    .detail("wait until it ends; `related` links to it if it is known", "请等待其结束，或查看该运行");
                match run {
                    Some(run) => problem.related(format!("/v1/runs/{run}")),
                    None => problem,
                }
            }
            ControlError::Refused(why) => Self::new(ProblemCode::Refused).because(why),
            ControlError::Unavailable(cause) => {
                tracing::warn!(error = %cause, "The engine is unavailable");
                Self::new(ProblemCode::EngineUnavailable)
            }
            ControlError::Failed(cause) => Self::fault(&cause),
        }
    }
}

impl From<InterviewError> for Problem {
    fn from(error: InterviewError) -> Self {
        match error {
            InterviewError::NotFound(what) => Self::not_found(what, "记录"),
            InterviewError::BadInput { field, expected, expected_zh } => {
                let told = Self::parameter(field, &expected, &expected_zh);
                Self { code: ProblemCode::InvalidValue, ..told }
            }
            InterviewError::Refused { en, zh } => Self::new(ProblemCode::Refused).detail(en, zh),
            InterviewError::Superseded { by } => Self::new(ProblemCode::Refused)
                .detail(
                    "a later decision took the place of this one; `related` links to the newest on the same result",
                    "此决定已被后续决定取代；`related` 指向同一结果的最新决定",
                )
                .related(format!("/v1/decisions/{by}")),
            InterviewError::TooMany { after_s, .. } => {
                let mut problem = Self::new(ProblemCode::TooManyAsks).detail(
                    format!("try again in {after_s} s; a question that was already answered can be repeated"),
                    format!("请在 {after_s} 秒后再询问；已回答过的问题可再次询问"),
                );
                problem.retry_after_s = Some(after_s);
                problem
            }
            InterviewError::Overloaded => Self::new(ProblemCode::Overloaded),
            InterviewError::Store(error) => error.into(),
            InterviewError::Fault(why) => Self::fault(&why),
        }
    }
}

/// Marks an answer that is not the gateway's own: a connector's to its vendor. It is sent as it is, with any status.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: writes every error answer as problem JSON in the language that was asked for.
pub(crate) async fn render(mut request: Request, next: Next) -> Response {
    let language = language::asked(request.headers());
    // For what handlers answer in the client's language besides problems: why a record is in quarantine.
    request.extensions_mut().insert(language);
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let response = next.run(request).await;
    let status = response.status();
    let told = response.extensions().get::<Problem>().cloned();
    if response.extensions().get::<Answered>().is_some() {
        return response;
    }
    if told.is_none() && !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    if told.is_none() && response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON) {
        return response;
    }
    let problem = told.unwrap_or_else(|| Problem::new(ProblemCode::of_status(status)));
    write(&problem, status, language, request_id, &response)
}

/// Answers with the problem; what a layer below said in addition to the status (`Allow`) is kept.
fn write(problem: &Problem, status: StatusCode, language: Language, request_id: String, below: &Response) -> Response {
    let mut response = (status, Json(problem.body(language, request_id))).into_response();
    let headers = response.headers_mut();
    if let Some(allow) = below.headers().get(ALLOW) {
        headers.insert(ALLOW, allow.clone());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.append(VARY, HeaderValue::from_static("accept-language"));
    if let Some(seconds) = problem.retry_after_s.or(problem.code.retry_after_s()) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == ProblemCode::Unauthorized {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"renmen\""));
    }
    response
}
