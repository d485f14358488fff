//! Questions over many records, answered from what is there: as JSON, or as CSV for a spreadsheet. What groups of people have of it is
//! a question of its own path and its own role.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use renmen_analysis::{AnalysisError, Ask, QuestionName, csv, json as shown};
use renmen_schema::Language;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::params::Params;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// The questions that can be asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InsightQuestions {
    /// In a fixed order.
    data: Vec<InsightQuestion>,
}

/// A question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InsightQuestion {
    /// Its name in the path.
    name: &'static str,
    /// What it asks, by language.
    about: BTreeMap<&'static str, String>,
    /// True: only a key with the role `auditor` may ask it.
    for_auditors: bool,
    /// What may be said with it.
    parameters: Vec<InsightQuestionParameter>,
}

/// A parameter of a question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InsightQuestionParameter {
    /// Its name in the query.
    name: &'static str,
    /// What it is, by language.
    about: BTreeMap<&'static str, &'static str>,
}

/// An answer.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightAnswer {
    /// The question.
    question: String,
    /// What was said with it, and what was taken by default.
    parameters: BTreeMap<String, String>,
    /// The period; null where the question has none.
    window: Option<InsightWindow>,
    /// The answer in one word; null where it has none.
    verdict: Option<String>,
    /// The figures.
    figures: Vec<InsightFigureView>,
    /// What they say.
    findings: Vec<InsightFindingView>,
    /// Who and what is in none of them.
    left_out: Vec<LeftOutView>,
    /// How many tests the p values are corrected for; null where nothing is tested.
    tests: Option<u64>,
    /// Lines of numbers, of `joined` alone.
    table: Option<InsightTable>,
    /// Bodies of records that the answer can become: a draft of a profile, a proposal, a suggestion, an explanation, audits.
    records: Vec<InsightBody>,
}

/// Lines of numbers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightTable {
    /// What stands in each column.
    columns: Vec<String>,
    /// Line by line; null where a number is not known.
    lines: Vec<Vec<Option<f64>>>,
}

/// A period.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightWindow {
    /// The first day.
    #[schema(format = "date")]
    start: String,
    /// The last day.
    #[schema(format = "date")]
    end: String,
}

/// A figure with what it was made from.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightFigureView {
    /// What is measured, from the outer to the inner, joined by slashes.
    name: String,
    /// The value; null where there was nothing to make it from.
    value: Option<f64>,
    /// The lower end of its confidence interval; null where the method gives none.
    low: Option<f64>,
    /// The upper end.
    high: Option<f64>,
    /// How probable it is by chance; null where nothing is tested.
    p: Option<f64>,
    /// The same, corrected for all tests of the question.
    p_adjusted: Option<f64>,
    /// Sample size.
    n: u64,
    /// The period.
    window: Option<InsightWindow>,
    /// How it was made.
    method: String,
    /// The records behind it.
    sources: Vec<InsightSourceView>,
}

/// Records of one kind behind a figure.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightSourceView {
    /// Of which kind.
    entity: String,
    /// How many.
    n: u64,
    /// A few of them (`insight.ids_max`).
    ids: Vec<String>,
}

/// Something that figures say.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightFindingView {
    /// What is said, such as `LOSES_MOST`, `NOT_PREDICTIVE` or `FLAGGED`.
    code: String,
    /// Of what.
    about: Option<String>,
    /// Of which record.
    #[schema(format = "uuid")]
    record: Option<String>,
    /// With which outcome, value or size.
    value: Option<String>,
    /// From how many.
    n: Option<u64>,
}

/// How many were left out, for one reason.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct LeftOutView {
    /// The reason.
    reason: String,
    /// How many people or records.
    n: u64,
    /// The reason in words.
    meaning: String,
}

/// The body of a record that an answer can become.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(crate) struct InsightBody {
    /// The entity.
    entity: String,
    /// What it is about.
    about: String,
    /// The body.
    #[schema(value_type = Object)]
    body: Value,
}

/// An answer that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptAnswer {
    /// The records, in the order in which they were written.
    records: Vec<KeptRecord>,
    /// The answer.
    #[schema(value_type = InsightAnswer)]
    answer: Value,
}

/// A record that an answer was kept as.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptRecord {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
}

/// The questions that can be asked, with their parameters.
#[utoipa::path(
    get, path = "/v1/insights", tag = "insights", operation_id = "list_insights",
    responses((status = 200, body = InsightQuestions)),
)]
pub(crate) async fn list(params: Params) -> Result<Json<InsightQuestions>, Problem> {
    params.end()?;
    let view = |question: &QuestionName| {
        let text = question.text();
        let about =
            [("en", text.english().to_owned()), ("zh-CN", text.in_language(Language::Chinese).to_owned())].into();
        let parameters = question.parameters().map(|one| InsightQuestionParameter {
            name: one.name,
            about: [("en", one.about), ("zh-CN", one.about_zh)].into(),
        });
        InsightQuestion {
            name: question.as_str(),
            about,
            for_auditors: question.is_for_audits_only(),
            parameters: parameters.collect(),
        }
    };
    Ok(Json(InsightQuestions { data: QuestionName::ALL.iter().map(view).collect() }))
}

/// Answers a question from the records that are there now. Nothing is written.
///
/// Each figure carries its sample size, its period, its method and the records behind it. Who may not be joined for the purpose of
/// `insight.purpose` is in none of them, and is counted under `left_out`. `GET /v1/insights` lists the questions and their parameters.
#[utoipa::path(
    get, path = "/v1/insights/{question}", tag = "insights", operation_id = "ask_insight",
    params(
        ("question" = String, Path, description = "The name of a question"),
        ("from" = Option<String>, Query, format = "date", description = "First day"),
        ("to" = Option<String>, Query, format = "date", description = "Last day"),
        ("position" = Option<String>, Query, format = "uuid", description = "Id of a job: only this position"),
        ("unit" = Option<String>, Query, format = "uuid", description = "Id of a unit: only this unit"),
        ("outcome" = Option<String>, Query, description = "What came later, such as `final_round` or `metric:sales`"),
        ("objective" = Option<bool>, Query, description = "Only metrics that are measured"),
        ("quantile" = Option<String>, Query, description = "From 0 to 1; several are separated by commas"),
        ("metric" = Option<String>, Query, description = "Code of a metric"),
        ("application" = Option<String>, Query, format = "uuid", description = "Id of an application"),
        ("recorded" = Option<bool>, Query, description = "`true`: the last answer that was kept, of this position or of all; takes no other parameters"),
        ("format" = Option<String>, Query, description = "`json` or `csv`; `Accept: text/csv` does the same", pattern = "^(json|csv)$"),
    ),
    responses((status = 200, content((InsightAnswer = "application/json"), (String = "text/csv")))),
)]
pub(crate) async fn ask(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(question): Path<String>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let question = open_question(&question)?;
    answer(&state, &caller, question, &headers, params).await
}

/// Compares how groups of people fared: selection and scores by group, with the four-fifths rule. Nothing is written.
#[utoipa::path(
    get, path = "/v1/insights/fairness", tag = "insights", operation_id = "ask_fairness",
    params(
        ("from" = Option<String>, Query, format = "date", description = "First day"),
        ("to" = Option<String>, Query, format = "date", description = "Last day"),
        ("position" = Option<String>, Query, format = "uuid", description = "Id of a job: only this position"),
        ("attribute" = Option<String>, Query, description = "By what groups are compared, such as `gender` or `gender+ethnicity`"),
        ("stage" = Option<String>, Query, description = "The stage that is audited; without it, who was hired"),
        ("format" = Option<String>, Query, description = "`json` or `csv`; `Accept: text/csv` does the same", pattern = "^(json|csv)$"),
    ),
    responses((status = 200, content((InsightAnswer = "application/json"), (String = "text/csv")))),
)]
pub(crate) async fn ask_fairness(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    answer(&state, &caller, QuestionName::Fairness, &headers, params).await
}

/// What each interview measured next to what came later, a line for each person who may be joined. No line names a person; with fewer than
/// `insight.few` there are none. Nothing is written.
#[utoipa::path(
    get, path = "/v1/insights/joined", tag = "insights", operation_id = "ask_joined",
    params(
        ("from" = Option<String>, Query, format = "date", description = "First day"),
        ("to" = Option<String>, Query, format = "date", description = "Last day"),
        ("position" = Option<String>, Query, format = "uuid", description = "Id of a job: only this position"),
        ("outcome" = Option<String>, Query, description = "What came later, such as `final_round` or `metric:sales`"),
        ("objective" = Option<bool>, Query, description = "Only metrics that are measured"),
        ("format" = Option<String>, Query, description = "`json` or `csv`; `Accept: text/csv` does the same", pattern = "^(json|csv)$"),
    ),
    responses((status = 200, content((InsightAnswer = "application/json"), (String = "text/csv")))),
)]
pub(crate) async fn ask_joined(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    answer(&state, &caller, QuestionName::Joined, &headers, params).await
}

/// Answers a question and keeps the answer: as a record of `insight`, or of what the answer is made for (`pay_suggestion`,
/// `explanation`). The same answer again is the same record. Takes the parameters of the question.
#[utoipa::path(
    post, path = "/v1/insights/{question}", tag = "insights", operation_id = "keep_insight",
    params(
        ("question" = String, Path, description = "The name of a question"),
        ("application" = Option<String>, Query, format = "uuid", description = "Id of an application"),
    ),
    responses((status = 201, body = KeptAnswer)),
)]
pub(crate) async fn keep(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(question): Path<String>,
    params: Params,
) -> Result<(StatusCode, Json<KeptAnswer>), Problem> {
    let question = open_question(&question)?;
    kept(&state, &caller, question, params).await
}

/// Compares how groups of people fared and keeps the tables as records of `bias_audit`, which a key with the role `auditor` alone reads.
#[utoipa::path(
    post, path = "/v1/insights/fairness", tag = "insights", operation_id = "keep_fairness",
    params(
        ("from" = Option<String>, Query, format = "date", description = "First day"),
        ("to" = Option<String>, Query, format = "date", description = "Last day"),
    ),
    responses((status = 201, body = KeptAnswer)),
)]
pub(crate) async fn keep_fairness(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    params: Params,
) -> Result<(StatusCode, Json<KeptAnswer>), Problem> {
    kept(&state, &caller, QuestionName::Fairness, params).await
}

/// A question by its name, however the path is written: what not every reader may ask has a path of its own.
fn open_question(name: &str) -> Result<QuestionName, Problem> {
    let open = |question: &QuestionName| !question.is_for_audits_only() && !question.is_person_by_person();
    let found = QuestionName::from_name(name).filter(open);
    found.ok_or_else(|| Problem::not_found("question", "问题"))
}

/// What was said with a question.
fn asked(question: QuestionName, params: &mut Params) -> Result<Ask, Problem> {
    let mut said = Vec::new();
    for name in question.parameter_names() {
        said.extend(params.text(name)?.map(|value| (*name, value)));
    }
    let said = said.iter().map(|(name, value)| (*name, value.as_str()));
    Ok(Ask::read(question, said)?)
}

async fn answer(
    state: &AppState,
    caller: &Caller,
    question: QuestionName,
    headers: &HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let as_csv = params.word("format", &[("json", false), ("csv", true)])?.unwrap_or_else(|| accepts_csv(headers));
    let answer = if params.word("recorded", &[("true", true), ("false", false)])?.unwrap_or(false) {
        let position = params.id("position")?;
        params.end()?;
        let last = state.analysis.last(&caller.tenant, question, position).await?;
        last.ok_or_else(|| Problem::not_found("answer that was kept", "已保存的回答"))?.1
    } else {
        let ask = asked(question, &mut params)?;
        params.end()?;
        state.analysis.ask(&caller.tenant, &ask).await?
    };
    tracing::info!(tenant = %caller.tenant, key = %caller.key, question = question.as_str(), "A question was answered");
    if as_csv {
        let file = HeaderValue::from_str(&format!("attachment; filename=\"{question}.csv\""));
        let file = file.map_err(|error| Problem::fault(&error))?;
        let kind = HeaderValue::from_static("text/csv; charset=utf-8");
        return Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file)], csv(&answer)).into_response());
    }
    Ok(Json(shown(&answer)).into_response())
}

async fn kept(
    state: &AppState,
    caller: &Caller,
    question: QuestionName,
    mut params: Params,
) -> Result<(StatusCode, Json<KeptAnswer>), Problem> {
    let ask = asked(question, &mut params)?;
    params.end()?;
    let kept = state.analysis.keep(&caller.tenant, &ask).await?;
    tracing::info!(tenant = %caller.tenant, key = %caller.key, question = question.as_str(), "An answer was kept");
    let records = kept.ids.iter().map(|id| KeptRecord { id: id.to_string() }).collect();
    Ok((StatusCode::CREATED, Json(KeptAnswer { records, answer: shown(&kept.answer) })))
}

/// Does the client want a spreadsheet? It names it, and not JSON.
fn accepts_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/csv") && !accept.contains("application/json")
}

impl From<AnalysisError> for Problem {
    fn from(error: AnalysisError) -> Self {
        let text = error.text();
        match error {
            AnalysisError::Bad { parameter, expected } => {
                Self::parameter(&parameter, expected.english(), expected.in_language(Language::Chinese))
            }
            AnalysisError::NotFound(_) => Self::new(ProblemCode::NotFound).because(text),
            AnalysisError::Refused(_) | AnalysisError::Overflow(_) => Self::new(ProblemCode::Refused).because(text),
            AnalysisError::TooLong(_) => Self::new(ProblemCode::DeadlineExceeded).because(text),
            AnalysisError::Busy => Self::new(ProblemCode::Overloaded).because(text),
            AnalysisError::Store(error) => error.into(),
            AnalysisError::Fault(cause) => Self::fault(&cause),
        }
    }
}
