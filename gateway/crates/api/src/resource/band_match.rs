//! Is what a candidate expects within the pay band? Asked in the middle of an interview; answered without the band.

use axum::extract::State;
use axum::{Extension, Json};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Currency, Decimal, Money, PayInterval};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::body::JsonBody;
use crate::interviews::{BandQuestion, PositionWords};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;
use crate::text::Line;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BandMatchRequest {
    /// The connection to the vendor that holds the interview.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    connection: String,
    /// The interview's id at that vendor.
    interview: Line,
    /// What is known of the position: a band is for it when everything that the band names is said here.
    position: BandPosition,
    /// What the candidate expects.
    expected: ExpectedPay,
}

/// What is known of a position; at least one of id, name, job_family, level and grade.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BandPosition {
    /// Its id, as bands name it.
    id: Option<Line>,
    /// Its name.
    name: Option<Line>,
    /// Its family of jobs.
    job_family: Option<Line>,
    /// Its level.
    level: Option<Line>,
    /// Its grade.
    grade: Option<Line>,
    /// Where it is.
    location: Option<Line>,
}

/// An amount of pay with its unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedPay {
    /// How much, as a decimal text.
    #[schema(value_type = String, example = "9500", pattern = r"^\d{1,15}(\.\d{1,6})?$")]
    amount: Decimal,
    /// ISO 4217.
    #[schema(value_type = String, example = "CNY", pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// For which time.
    #[schema(value_type = String, example = "MONTH")]
    per: PayInterval,
}

/// The answer: never the band or one of its ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BandMatchAnswer {
    /// `in`, `out`, or `unknown`.
    #[schema(value_type = BandMatchWord)]
    r#match: &'static str,
    /// Why nobody can say: `no_band`, `unit_mismatch`, `ambiguous`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Where an expectation lies.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the word in the OpenAPI document")]
pub(crate) enum BandMatchWord {
    /// Within the band, its ends included.
    In,
    /// Outside.
    Out,
    /// Nobody can say.
    Unknown,
}

/// Is what the candidate expects within the pay band?
///
/// The interview must be one that the connection has told the gateway of, and neither over nor called off. A key with the role
/// `vendor` asks about interviews of its own connection.
///
/// Nothing is converted between currencies or times. Amounts are compared to a few digits; an interview may ask about a few
/// amounts, and every question is a step on its timeline.
#[utoipa::path(
    post, path = "/v1/pay-bands/match", tag = "interviews", operation_id = "match_pay_band",
    request_body = BandMatchRequest,
    responses((status = 200, body = BandMatchAnswer)),
)]
pub(crate) async fn ask(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    params: Params,
    JsonBody(request): JsonBody<BandMatchRequest>,
) -> Result<Json<BandMatchAnswer>, Problem> {
    params.end()?;
    let question = question(request)?;
    // A vendor's key asks for its own connection; any other is as unknown to it as one that does not exist.
    if caller.role.connection().is_some_and(|own| *own != question.connection) {
        return Err(Problem::not_found("interview", "面试"));
    }
    let verdict = state.interviews()?.match_band(&caller.tenant, &caller.key.to_string(), question).await?;
    Ok(Json(BandMatchAnswer { r#match: verdict.answer, reason: verdict.reason }))
}

fn question(request: BandMatchRequest) -> Result<BandQuestion, Problem> {
    let connection = ConnectionName::new(&request.connection)
        .map_err(|_| Problem::parameter("connection", "the name of a connection", "连接名"))?;
    let BandPosition { id, name, job_family, level, grade, location } = request.position;
    if [&id, &name, &job_family, &level, &grade].iter().all(|text| text.is_none()) {
        return Err(Problem::parameter(
            "position",
            "at least one of id, name, job_family, level and grade",
            " id、name、job_family、level、grade 中的至少一项",
        ));
    }
    let text = |line: Option<Line>| line.map(|line| line.0);
    let position = PositionWords {
        position: text(id),
        position_name: text(name),
        job_family: text(job_family),
        level: text(level),
        grade: text(grade),
        location: text(location),
    };
    let ExpectedPay { amount, currency, per } = request.expected;
    let expected = Money { amount, currency };
    Ok(BandQuestion { connection, interview: request.interview.0, position, expected, per })
}
