//! Records that people write: created, replaced and taken away with a key. Who wrote is the key's name; why is said with each request.

use axum::extract::{Path, State};
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::{Extension, Json};
use renmen_records::{Act, Ask, Refusal, RepeatableAs, Writer};
use renmen_schema::id::RecordId;
use renmen_schema::{Defect, EntityKind};
use renmen_store::RecordRow;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::record_view::Record;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::header::{idempotency_key, single};
use crate::instant::now_ms;
use crate::params::{Params, path_id};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;
use crate::text::{OwnId, Prose};

/// Characters of an idempotency key.
const IDEMPOTENCY_KEY_MAX: usize = 255;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 2_000;

/// A record that is not there yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRecord {
    /// Your id of it, by which others can refer to it; without it the gateway makes one.
    external_id: Option<OwnId>,
    /// Why it is written: kept with the revision.
    reason: Prose,
    /// The canonical record.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
}

/// Another revision of a record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedRecord {
    /// Why it is changed: kept with the revision.
    reason: Prose,
    /// The whole canonical record as it shall be.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
}

/// Answers with a record as it stands.
type Answer = (HeaderMap, Json<Record>);

/// Writes a record of your own: of the connection `renmen`.
///
/// It is checked as a connector's record is, and `errors` has everything that is wrong. What it refers to in `renmen`, or by an id of
/// this gateway, must be there. The same `Idempotency-Key` with the same request gives the same answer, and writes once.
#[utoipa::path(
    post, path = "/v1/{collection}", tag = "written", operation_id = "create_record",
    params(
        ("collection" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A unique name for this request: repeat the request with the same one if its response was lost", pattern = "^[!-~]{1,255}$"),
    ),
    request_body = NewRecord,
    responses((status = 201, body = Record, headers(("etag" = String, description = "The revision, for `If-Match`"), ("location" = String, description = "The record's path")))),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(kind): Extension<EntityKind>,
    headers: HeaderMap,
    params: Params,
    JsonBody(request): JsonBody<NewRecord>,
) -> Result<(StatusCode, Answer), Problem> {
    params.end()?;
    let body = request.body.get().as_bytes().to_vec();
    let act = Act::Create { external_id: request.external_id.map(|id| id.0), body };
    let row = write(&state, &caller, kind, act, request.reason, &headers).await?;
    let path = format!("/v1/{}/{}", kind.collection(), row.id);
    let (mut headers, record) = shown(&caller, row)?;
    headers.insert(LOCATION, HeaderValue::from_str(&path).map_err(|fault| Problem::fault(&fault))?);
    Ok((StatusCode::CREATED, (headers, record)))
}

/// Writes another revision of a record of your own. `If-Match` carries the revision that you read, as `ETag` gave it: if someone else
/// wrote since, nothing is changed and the answer is 412.
#[utoipa::path(
    put, path = "/v1/{collection}/{id}", tag = "written", operation_id = "put_record",
    params(
        ("collection" = String, Path),
        ("id" = String, Path, format = "uuid", description = "The record's id"),
        ("If-Match" = Option<String>, Header, description = "The revision that you read, such as `\"3\"`; needed", pattern = "^(W/)?\"[1-9][0-9]{0,17}\"$"),
        ("Idempotency-Key" = Option<String>, Header, description = "A unique name for this request: repeat the request with the same one if its response was lost", pattern = "^[!-~]{1,255}$"),
    ),
    request_body = ChangedRecord,
    responses((status = 200, body = Record, headers(("etag" = String, description = "The revision, for `If-Match`")))),
)]
pub(crate) async fn put(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(kind): Extension<EntityKind>,
    Path(id): Path<String>,
    headers: HeaderMap,
    params: Params,
    JsonBody(request): JsonBody<ChangedRecord>,
) -> Result<Answer, Problem> {
    params.end()?;
    let id: RecordId = path_id(&id, "record", "记录")?;
    let act = Act::Replace { id, revision: revision(&headers)?, body: request.body.get().as_bytes().to_vec() };
    let row = write(&state, &caller, kind, act, request.reason, &headers).await?;
    shown(&caller, row)
}

/// Deletes a record of your own. A tombstone with its last body stays, and the change feed reports it.
#[utoipa::path(
    delete, path = "/v1/{collection}/{id}", tag = "written", operation_id = "delete_record",
    params(
        ("collection" = String, Path),
        ("id" = String, Path, format = "uuid", description = "The record's id"),
        ("reason" = inline(Prose), Query, description = "The reason, stored with the tombstone"),
        ("If-Match" = Option<String>, Header, description = "The revision that you read, such as `\"3\"`; needed", pattern = "^(W/)?\"[1-9][0-9]{0,17}\"$"),
        ("Idempotency-Key" = Option<String>, Header, description = "A unique name for this request: repeat the request with the same one if its response was lost", pattern = "^[!-~]{1,255}$"),
    ),
    responses((status = 204, description = "The record is deleted")),
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(kind): Extension<EntityKind>,
    Path(id): Path<String>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<StatusCode, Problem> {
    let reason = params.text_of("reason", REASON_CHARS_MAX)?.and_then(Prose::of);
    params.end()?;
    let id: RecordId = path_id(&id, "record", "记录")?;
    let reason = reason.ok_or_else(|| {
        let (en, zh) =
            ("given: why the record is deleted, 1 to 2000 characters", "给出：删除的原因（1 到 2000 个字符）");
        Problem::parameter("reason", en, zh)
    })?;
    let act = Act::Remove { id, revision: revision(&headers)? };
    write(&state, &caller, kind, act, reason, &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn write(
    state: &AppState,
    caller: &Caller,
    kind: EntityKind,
    act: Act,
    reason: Prose,
    headers: &HeaderMap,
) -> Result<RecordRow, Problem> {
    let kept_ms = i64::try_from(state.options.idempotency_life.as_millis()).unwrap_or(i64::MAX);
    let writer = Writer { tenant: caller.tenant.clone(), person: caller.person(), key: caller.key.to_string() };
    let repeatable = idempotency_key(headers, IDEMPOTENCY_KEY_MAX)?.map(|name| RepeatableAs { name, kept_ms });
    let ask = Ask { writer, kind, act, reason: reason.0, repeatable };
    let row = state.desk.write(&ask, now_ms()).await?;
    tracing::info!(
        tenant = %caller.tenant, key = %caller.key, entity = kind.name(), written = %row.id, revision = row.revision,
        "A person wrote a record with a key"
    );
    Ok(row)
}

fn shown(caller: &Caller, row: RecordRow) -> Result<Answer, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(ETAG, etag(row.revision)?);
    Ok((headers, Json(Record::of(&caller.tenant, row)?)))
}

/// A revision as `ETag` has it.
pub(crate) fn etag(revision: i64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{revision}\"")).map_err(|fault| Problem::fault(&fault))
}

/// The revision that the client read; an empty header names none. A proxy that packs answers makes a tag weak; it names the same
/// revision.
fn revision(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(given) = single(headers, IF_MATCH.as_str()).filter(|given| *given != Ok("")) else { return Ok(None) };
    let read = |text: &str| {
        let digits = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse::<i64>().ok().filter(|_| plain)
    };
    given.ok().and_then(read).map(Some).ok_or_else(|| {
        let (en, zh) = ("one `ETag` of this record, such as `\"3\"`", "该记录的一个 `ETag`，例如 `\"3\"`");
        Problem::parameter("If-Match", en, zh)
    })
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found("live record", "记录"),
            Refusal::Defects(defects) => {
                let n = defects.len();
                let in_body = |defect: Defect| Defect { path: format!("/body{}", defect.path), ..defect };
                Self::new(ProblemCode::InvalidRecord)
                    .detail(
                        format!("nothing was written: `errors` names what is wrong with the body ({n}), each with its place"),
                        format!("未写入：`errors` 列出了记录中的 {n} 处问题及其位置"),
                    )
                    .errors(defects.into_iter().map(in_body).collect())
            }
            Refusal::Conflict(conflict) => {
                let problem = Self::new(ProblemCode::Refused).detail(conflict.en, conflict.zh);
                match conflict.related {
                    Some((kind, id)) => problem.related(format!("/v1/{}/{id}", kind.collection())),
                    None => problem,
                }
            }
            Refusal::NoRevision { is } => Self::new(ProblemCode::RevisionRequired).detail(
                format!("read the record and send `If-Match` with its `ETag`; it is at revision {is} now"),
                format!("请先读取该记录，再在 `If-Match` 中发送其 `ETag`；当前修订号为 {is}"),
            ),
            Refusal::Moved { is } => Self::new(ProblemCode::RevisionChanged).detail(
                format!("nothing was changed: the record is at revision {is} now; read it again and repeat your change on it"),
                format!("未做更改：该记录当前修订号为 {is}，请重新读取后再修改"),
            ),
            Refusal::OtherRequest => Self::new(ProblemCode::IdempotencyKeyReused).detail(
                "this `Idempotency-Key` was already used with another request: use a new one for a new request",
                "此 `Idempotency-Key` 已用于另一请求：新的请求请使用新的键",
            ),
            Refusal::Store(error) => error.into(),
            Refusal::Fault(why) => Self::fault(&why),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn with(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_revision_is_one_tag_and_nothing_else() {
        let read = |values: &[&str]| revision(&with("if-match", values));
        assert_eq!((read(&[]).unwrap(), read(&[""]).unwrap()), (None, None));
        assert_eq!(read(&["\"3\""]).unwrap(), Some(3));
        assert_eq!(read(&["W/\"17\""]).unwrap(), Some(17));
        for bad in ["3", "*", "\"\"", "\"03\"", "\"+3\"", "\"3\", \"4\"", "\"a\"", "\"99999999999999999999\""] {
            assert_eq!(read(&[bad]).unwrap_err().code, ProblemCode::InvalidParameter, "{bad}");
        }
        assert!(read(&["\"3\"", "\"3\""]).is_err());
    }

    #[test]
    fn an_idempotency_key_has_up_to_255_visible_characters() {
        let read = |value: &str| idempotency_key(&with("idempotency-key", &[value]), IDEMPOTENCY_KEY_MAX);
        assert_eq!(read("a").unwrap().as_deref(), Some("a"));
        assert!(read(&"x".repeat(255)).is_ok() && read(&"x".repeat(256)).is_err());
        assert!(read("").is_err() && read("a b").is_err());
        assert_eq!(idempotency_key(&HeaderMap::new(), IDEMPOTENCY_KEY_MAX).unwrap(), None);
    }
}
