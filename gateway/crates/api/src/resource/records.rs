//! Reading records: a collection for each entity, one record with its revisions and its lineage.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::header::ETAG;
use axum::http::{HeaderName, HeaderValue};
use axum::{Extension, Json};
use renmen_schema::EntityKind;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{EXTERNAL_ID_BYTES_MAX, RecordQuery, RecordRow, Signature, SignedRevision, Slice};
use serde::Serialize;
use utoipa::ToSchema;

use super::lineage::Lineage;
use super::record_view::Record;
use super::references::{self, Expand, FollowLimits, Followed, Shown};
use super::written::etag;
use crate::access;
use crate::caller::Caller;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// A piece of a collection, ordered by when each record's current revision was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordList {
    /// Records in the order in which they were stored.
    data: Vec<Record>,
    /// Pass it as `cursor` to read the next page; null at the end.
    next_cursor: Option<String>,
    /// With `expand`: by id, the records that the references mean, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<BTreeMap<String, Record>>,
    /// With `expand`: true when they were too many bytes for one response; the others are read at their `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded_truncated: Option<bool>,
}

/// The records that references mean, and whether there are more; none where nothing was expanded.
type Expanded = Option<(BTreeMap<String, Record>, bool)>;

impl RecordList {
    /// Some records, with what their references mean where that was asked for.
    pub(crate) async fn of(
        state: &AppState,
        caller: &Caller,
        (kind, rows): (EntityKind, Vec<RecordRow>),
        next_cursor: Option<String>,
        expand: Expand,
    ) -> Result<Self, Problem> {
        let (data, expanded) = followed(state, caller, (kind, rows), None, expand).await?;
        let (expanded, expanded_truncated) = expanded.unzip();
        Ok(Self { data, next_cursor, expanded, expanded_truncated })
    }

    pub(crate) fn empty(expand: &Expand) -> Self {
        let (expanded, expanded_truncated) = (!expand.is_empty()).then(|| (BTreeMap::new(), false)).unzip();
        Self { data: Vec::new(), next_cursor: None, expanded, expanded_truncated }
    }
}

/// The records with their references, as far as those are shown or followed.
async fn followed(
    state: &AppState,
    caller: &Caller,
    (kind, rows): (EntityKind, Vec<RecordRow>),
    shown: Option<Expand>,
    expand: Expand,
) -> Result<(Vec<Record>, Expanded), Problem> {
    let tenant = &caller.tenant;
    if shown.is_none() && expand.is_empty() {
        let data = rows.into_iter().map(|row| Record::of(tenant, row)).collect::<Result<_, _>>()?;
        return Ok((data, None));
    }
    let limits = FollowLimits { references_max: state.options.references_max, bytes_max: state.options.page_bytes_max };
    let with_records = !expand.is_empty();
    let shown = Shown { references: shown.unwrap_or_default(), records: expand };
    let may_read = |kind| access::may_read(&caller.role, kind);
    let Followed { references, records, truncated } =
        references::follow(&*state.store, tenant, (kind, &rows), &shown, &may_read, limits).await?;
    let data = rows.into_iter().zip(references);
    let data = data.map(|(row, references)| Ok(Record::of(tenant, row)?.with_references(references)));
    let data = data.collect::<Result<_, Problem>>()?;
    let records = records.into_iter().map(|row| Ok((row.id.to_string(), Record::of(tenant, row)?)));
    let records = records.collect::<Result<_, Problem>>()?;
    Ok((data, with_records.then_some((records, truncated))))
}

/// A record with the details requested by `include`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordDetail {
    /// The record.
    #[serde(flatten)]
    record: Record,
    /// With `include=revisions`: newest first, the current one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    revisions: Option<Vec<Record>>,
    /// With `include=revisions`: true when there are older ones than those shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    revisions_truncated: Option<bool>,
    /// With `include=lineage`: where each value of the body came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    lineage: Option<Lineage>,
    /// With `expand`: by id, the records that the references mean, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<BTreeMap<String, Record>>,
    /// With `expand`: true when they were too many bytes for one response; the others are read at their `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded_truncated: Option<bool>,
    /// With `include=revisions` or `include=lineage`: of what people wrote with a key, who wrote which revision and why, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    written_by: Vec<WrittenBy>,
}

/// Who wrote a revision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WrittenBy {
    /// The revision.
    revision: i64,
    /// The name of the key.
    person: String,
    /// The key's id.
    key: String,
    /// In the person's own words.
    reason: String,
    /// When it was written.
    at: Time,
}

impl WrittenBy {
    fn of(signed: SignedRevision) -> Self {
        let Signature { person, key, reason } = signed.signature;
        Self { revision: signed.revision, person, key, reason, at: Time(signed.at_ms) }
    }
}

/// Characters of a list's cursor: the store writes the longest vendor's id into it, in hexadecimal digits.
const CURSOR_CHARS_MAX: usize = 2 * (17 + EXTERNAL_ID_BYTES_MAX);

#[derive(Clone, Copy)]
enum Deleted {
    Exclude,
    Only,
    Include,
}

/// Records of one entity, in the order in which they were recorded.
///
/// The order is stable under writes: who follows `next_cursor` to the end meets every record that was there at the
/// begin at least once. A page may hold fewer than `limit` records when they are large: only a null `next_cursor` is the end.
#[utoipa::path(
    get, path = "/v1/{collection}", tag = "records", operation_id = "list_records",
    params(
        ("collection" = String, Path),
        ("updated_since" = Option<String>, Query, format = DateTime, description = "Only records stored at or after this time (RFC 3339)"),
        ("connection" = Option<String>, Query, description = "Only records from this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("external_id" = Option<String>, Query, description = "Only the record with this id in the source system", max_length = 1024, pattern = r"^[^\x00]*$"),
        ("deleted" = Option<DeletedFilter>, Query, description = "Tombstones: leave them out (the default), list only them, or include them"),
        ("expand" = Option<String>, Query, description = "Names of references, or `all`: adds to each record what these references mean, and to the response the records that are meant, each once, under `expanded`"),
        ("limit" = Option<u32>, Query, description = "Records per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response, with the same filters", max_length = 2082, pattern = "^[0-9a-f]{34,}$"),
    ),
    responses((status = 200, body = RecordList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(kind): Extension<EntityKind>,
    mut params: Params,
) -> Result<Json<RecordList>, Problem> {
    let query = asked(kind, &mut params)?;
    let expand = references::asked(kind, &mut params)?;
    params.end()?;
    if query.external_id.as_ref().is_some_and(|id| id.len() > EXTERNAL_ID_BYTES_MAX) {
        // No record can have such an id.
        return Ok(Json(RecordList::empty(&expand)));
    }
    let slice = read_within_bytes(&state, &caller.tenant, query).await?;
    RecordList::of(&state, &caller, (kind, slice.items), slice.next, expand).await.map(Json)
}

/// The parameters of every collection.
pub(crate) fn asked(kind: EntityKind, params: &mut Params) -> Result<RecordQuery, Problem> {
    let deleted = [("exclude", Deleted::Exclude), ("only", Deleted::Only), ("include", Deleted::Include)];
    let deleted = params.word("deleted", &deleted)?.unwrap_or(Deleted::Exclude);
    Ok(RecordQuery {
        entity: Some(kind.name().to_owned()),
        updated_since_ms: params.time("updated_since")?,
        connection: params.connection()?,
        external_id: params.text_of("external_id", EXTERNAL_ID_BYTES_MAX)?,
        deleted: matches!(deleted, Deleted::Only).then_some(true),
        include_deleted: matches!(deleted, Deleted::Include),
        limit: params.limit()?,
        after: params.text_of("cursor", CURSOR_CHARS_MAX)?,
    })
}

/// A page whose bodies stay within the limit of an answer. Where they do not, fewer are read again: only the store
/// knows the cursor of a shorter page. A single record that is larger goes alone.
pub(crate) async fn read_within_bytes(
    state: &AppState,
    tenant: &TenantId,
    mut query: RecordQuery,
) -> Result<Slice<RecordRow>, Problem> {
    loop {
        let slice = state.store.records(tenant, &query).await?;
        let fit = fitting(&slice.items, state.options.page_bytes_max);
        if fit == slice.items.len() || slice.items.len() <= 1 {
            return Ok(slice);
        }
        query.limit = u32::try_from(fit).unwrap_or(1).max(1);
    }
}

/// How many of the first rows have bodies of `bytes_max` together.
fn fitting(rows: &[RecordRow], bytes_max: usize) -> usize {
    let mut bytes = 0;
    rows.iter()
        .take_while(|row| {
            bytes += row.body.len();
            bytes <= bytes_max
        })
        .count()
}

/// One record, and on request its revisions, where its values came from, and what its references mean.
#[utoipa::path(
    get, path = "/v1/{collection}/{id}", tag = "records", operation_id = "get_record",
    params(
        ("collection" = String, Path),
        ("id" = String, Path, format = "uuid", description = "The record's id"),
        ("include" = Option<String>, Query, description = "Some of `revisions`, `lineage` and `references`, each once, separated by commas", pattern = "^(revisions|lineage|references|revisions,lineage|revisions,references|lineage,revisions|lineage,references|references,revisions|references,lineage|revisions,lineage,references|revisions,references,lineage|lineage,revisions,references|lineage,references,revisions|references,revisions,lineage|references,lineage,revisions)$"),
        ("expand" = Option<String>, Query, description = "Names of references, or `all`: adds what these references mean, and the records that are meant, each once, under `expanded`"),
    ),
    responses((status = 200, body = RecordDetail, headers(("etag" = String, description = "The revision, for `If-Match`")))),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(kind): Extension<EntityKind>,
    Path(id): Path<String>,
    mut params: Params,
) -> Result<([(HeaderName, HeaderValue); 1], Json<RecordDetail>), Problem> {
    let include = Include::of(params.text("include")?.as_deref())?;
    let expand = references::asked(kind, &mut params)?;
    params.end()?;
    let id: RecordId = path_id(&id, "record", "记录")?;
    let row = state.store.record(&caller.tenant, id).await?;
    // A record is found in its own collection alone: its body has the shape that the collection promises.
    let row = row.filter(|row| row.entity == kind.name()).ok_or_else(|| Problem::not_found("record", "记录"))?;
    let lineage = include.lineage.then(|| {
        let manifest = state.control.manifest(&row.origin.plugin);
        Lineage::of(&row, manifest.as_deref())
    });
    let (revisions, revisions_truncated) = if include.revisions {
        let (shown, truncated) = revisions(&state, &caller.tenant, id).await?;
        (Some(shown), Some(truncated))
    } else {
        (None, None)
    };
    let written_by = if include.lineage || include.revisions {
        let signed = state.store.signatures(&caller.tenant, id, state.options.revisions_max).await?;
        signed.into_iter().map(WrittenBy::of).collect()
    } else {
        Vec::new()
    };
    let tag = [(ETAG, etag(row.revision)?)];
    let shown = include.references.then(|| Expand::all(kind));
    let (records, expanded) = followed(&state, &caller, (kind, vec![row]), shown, expand).await?;
    let record = records.into_iter().next().ok_or_else(|| Problem::fault(&"one record is one"))?;
    let (expanded, expanded_truncated) = expanded.unzip();
    let detail =
        RecordDetail { record, revisions, revisions_truncated, lineage, expanded, expanded_truncated, written_by };
    Ok((tag, Json(detail)))
}

async fn revisions(state: &AppState, tenant: &TenantId, id: RecordId) -> Result<(Vec<Record>, bool), Problem> {
    let max = state.options.revisions_max;
    let mut rows = state.store.revisions(tenant, id, max.saturating_add(1)).await?;
    let fit = fitting(&rows, state.options.page_bytes_max).clamp(1, max.max(1) as usize);
    let truncated = rows.len() > fit;
    rows.truncate(fit);
    let shown = rows.into_iter().map(|row| Record::of(tenant, row)).collect::<Result<_, _>>()?;
    Ok((shown, truncated))
}

#[derive(Default)]
struct Include {
    revisions: bool,
    lineage: bool,
    references: bool,
}

impl Include {
    fn of(text: Option<&str>) -> Result<Self, Problem> {
        let mut include = Self::default();
        for word in text.into_iter().flat_map(|text| text.split(',')) {
            match word {
                "revisions" if !include.revisions => include.revisions = true,
                "lineage" if !include.lineage => include.lineage = true,
                "references" if !include.references => include.references = true,
                _ => {
                    return Err(Problem::parameter(
                        "include",
                        "some of `revisions`, `lineage` and `references`, each once, separated by commas",
                        " `revisions`、`lineage`、`references` 中的一个或多个（每个一次，用逗号分隔）",
                    ));
                }
            }
        }
        Ok(include)
    }
}

/// What to do with tombstones.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the parameter in the OpenAPI document")]
pub(crate) enum DeletedFilter {
    /// Left out.
    Exclude,
    /// Alone.
    Only,
    /// Among the others.
    Include,
}
