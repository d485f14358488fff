//! Is what a candidate expects within the pay band? Asked in the middle of an interview; answered without the band.

use axum::extract::State;
use axum::{Extension, Json};
use renmen_interview::{Asked, BandAsk, InterviewError, Verdict};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Currency, Decimal, Money, PayInterval};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::JsonBody;
use crate::caller::Caller;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;
use crate::text::Line;

/// A question: about one interview or one order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BandMatchRequest {
    /// The connection to the vendor that holds the interview. A vendor's key has one of its own, and needs none here.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    connection: Option<String>,
    /// The interview's id at that vendor; this or `order`.
    interview: Option<Line>,
    /// The order's id at that vendor; this or `interview`.
    order: Option<Line>,
    /// What the candidate expects.
    expected: ExpectedPay,
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
    /// The pay interval.
    #[schema(value_type = String, example = "MONTH")]
    per: PayInterval,
}

/// The answer: never the band or one of its ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BandMatchAnswer {
    /// `in`, `out`, or `unknown`.
    #[schema(value_type = BandMatchWord)]
    r#match: &'static str,
    /// Why the answer is unknown.
    #[schema(value_type = Option<BandMatchReason>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
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
    /// The gateway cannot say.
    Unknown,
}

/// Why the gateway cannot say. It does not depend on the amount.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the word in the OpenAPI document")]
pub(crate) enum BandMatchReason {
    /// The job of the application is not known.
    NoJob,
    /// There is no band for the job that may be asked about.
    NoBand,
    /// The band is in another currency or for another time.
    UnitMismatch,
    /// Several bands are for the job alike, and they differ.
    Ambiguous,
    /// The band is narrower than answers can tell amounts apart.
    TooNarrow,
}

/// Is what the candidate expects within the pay band?
///
/// The interview or the order must be one that the connection has told the gateway of, and neither over nor called off. The gateway
/// knows the job and its band. A key with the role `vendor` asks about its own connection alone; what is another's and what does not
/// exist have the same answer.
///
/// Nothing is converted between currencies or times. The ends of a band are moved inwards to a few significant digits
/// (`interview.match_digits`), so that no number of questions tells them better. An interview may ask about a few amounts, a candidate
/// and a band may be asked about so often; a question that was answered can be repeated. Each new question is a step on the timeline.
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
    let (about, not_found) = match (&request.interview, &request.order) {
        (Some(interview), None) => (Asked::Interview(&interview.0), Problem::not_found("interview", "面试")),
        (None, Some(order)) => (Asked::Order(&order.0), Problem::not_found("order", "订单")),
        _ => {
            return Err(Problem::parameter(
                "interview",
                "the vendor's id of an interview, or `order` the vendor's id of an order: one of the two",
                "供应商的面试编号；或在 order 中给出订单编号，二者只取其一",
            ));
        }
    };
    let said = request.connection.as_deref().map(ConnectionName::new).transpose();
    let said = said.map_err(|_| Problem::parameter("connection", "the name of a connection", "连接名"))?;
    // A vendor's key asks for its own connection; any other is as unknown to it as one that does not exist.
    let connection = match (caller.role.connection(), said) {
        (Some(own), Some(said)) if *own != said => return Err(not_found),
        (Some(own), _) => own.clone(),
        (None, Some(said)) => said,
        (None, None) => {
            let expected =
                "the name of the connection that the interview belongs to: only the key of a vendor may omit it"
                    .to_owned();
            // A good body, but not from this key: the document cannot say which key needs what.
            let expected_zh = "面试所属连接的名称：仅供应商的密钥可以省略".to_owned();
            return Err(InterviewError::bad("connection", expected, expected_zh).into());
        }
    };
    let ExpectedPay { amount, currency, per } = request.expected;
    let ask = BandAsk { connection: &connection, about, expected: Money { amount, currency }, per };
    let verdict = state.interviews.match_band(&caller.tenant, &caller.key.to_string(), ask).await;
    let verdict = verdict.map_err(|error| match error {
        InterviewError::NotFound(_) => not_found,
        other => other.into(),
    })?;
    let (reason, detail) = match verdict {
        Verdict::Unknown(why) => (Some(why.word()), Some(why.says())),
        Verdict::In | Verdict::Out => (None, None),
    };
    Ok(Json(BandMatchAnswer { r#match: verdict.word(), reason, detail }))
}
