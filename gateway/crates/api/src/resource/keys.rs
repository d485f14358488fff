//! Keys of this API: made, listed and revoked by an owner. A key is shown once, when it is made.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_schema::id::ConnectionName;
use renmen_store::{ApiKeyRow, KeyId, KeyRole};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::body::JsonBody;
use crate::caller::Caller;
use crate::instant::{Time, now_ms};
use crate::key::ApiKey;
use crate::params::{Params, path_id};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;
use crate::text::Label;

/// Days that a key may be made for.
const DAYS_MAX: u32 = 3650;
const DAY_MS: i64 = 86_400_000;

/// What a key is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "role", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum KeyRequest {
    /// Everything of the tenant.
    Owner {
        /// What it is for, for people.
        label: Label,
        /// Days until it ends; without them it has no end.
        #[schema(minimum = 1, maximum = 3650)]
        #[serde(default, deserialize_with = "whole")]
        expires_in_days: Option<u32>,
    },
    /// Reads records, changes, timelines and schemas.
    Consumer {
        /// What it is for, for people.
        label: Label,
        /// Days until it ends; without them it has no end.
        #[schema(minimum = 1, maximum = 3650)]
        #[serde(default, deserialize_with = "whole")]
        expires_in_days: Option<u32>,
    },
    /// Reads as a consumer does, and decides which records are one person or unit.
    Steward {
        /// What it is for, for people.
        label: Label,
        /// Days until it ends; without them it has no end.
        #[schema(minimum = 1, maximum = 3650)]
        #[serde(default, deserialize_with = "whole")]
        expires_in_days: Option<u32>,
    },
    /// Reads how groups of people fared (`/v1/bias-audits`, `/v1/insights/fairness`), which no other role does, and nothing else.
    Auditor {
        /// What it is for, for people.
        label: Label,
        /// Days until it ends; without them it has no end.
        #[schema(minimum = 1, maximum = 3650)]
        #[serde(default, deserialize_with = "whole")]
        expires_in_days: Option<u32>,
    },
    /// For the vendor behind one connection: asks about pay and makes screen tokens, for that connection's interviews alone.
    Vendor {
        /// What it is for, for people.
        label: Label,
        /// The connection to this vendor.
        #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
        connection: String,
        /// Days until it ends; without them it has no end.
        #[schema(minimum = 1, maximum = 3650)]
        #[serde(default, deserialize_with = "whole")]
        expires_in_days: Option<u32>,
    },
}

/// To JSON Schema 90.0 is an integer too.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let days = number as u32;
    if f64::from(days) == number {
        return Ok(Some(days));
    }
    Err(serde::de::Error::custom("expected a whole number of days"))
}

/// A key without the key itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyView {
    /// What logs call it; it opens nothing.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    id: String,
    /// What it is for, for people.
    label: String,
    /// What it may do.
    role: KeyRoleName,
    /// Of a vendor's key: the connection that it is bound to.
    connection: Option<String>,
    /// When it was made.
    created_at: Time,
    /// From when on it is no longer good; null: it has no end.
    expires_at: Option<Time>,
    /// When it was revoked.
    revoked_at: Option<Time>,
    /// When it was last used, to a minute or two; null: never.
    last_used_at: Option<Time>,
}

/// What a key may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyRoleName {
    /// Everything of the tenant.
    Owner,
    /// Reads records, changes, timelines and schemas.
    Consumer,
    /// Reads as a consumer does, and decides which records are one person or unit.
    Steward,
    /// How groups of people fared.
    Auditor,
    /// What the vendor behind one connection asks.
    Vendor,
}

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyMade {
    /// The key: shown this once.
    #[schema(pattern = "^rk_[0-9a-f]{64}$")]
    key: String,
    /// The key.
    #[serde(flatten)]
    facts: KeyView,
}

/// A piece of the keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyList {
    /// Oldest first, those that are no longer good included.
    data: Vec<KeyView>,
    /// Pass it as `cursor` to read the next page; null at the end.
    next_cursor: Option<String>,
}

impl KeyView {
    fn of(row: ApiKeyRow) -> Self {
        Self {
            id: row.id().to_string(),
            connection: row.role.connection().map(ToString::to_string),
            role: match row.role {
                KeyRole::Owner => KeyRoleName::Owner,
                KeyRole::Consumer => KeyRoleName::Consumer,
                KeyRole::Steward => KeyRoleName::Steward,
                KeyRole::Auditor => KeyRoleName::Auditor,
                KeyRole::Vendor(_) => KeyRoleName::Vendor,
            },
            label: row.label,
            created_at: Time(row.created_at_ms),
            expires_at: row.expires_at_ms.map(Time),
            revoked_at: row.revoked_at_ms.map(Time),
            last_used_at: row.last_used_at_ms.map(Time),
        }
    }
}

/// Creates a key for this tenant. The key is shown in this response only.
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", operation_id = "make_key",
    request_body = KeyRequest,
    responses((status = 201, body = KeyMade)),
)]
pub(crate) async fn make(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    params: Params,
    JsonBody(request): JsonBody<KeyRequest>,
) -> Result<(StatusCode, Json<KeyMade>), Problem> {
    params.end()?;
    let (role, label, days) = match request {
        KeyRequest::Owner { label, expires_in_days } => (KeyRole::Owner, label, expires_in_days),
        KeyRequest::Consumer { label, expires_in_days } => (KeyRole::Consumer, label, expires_in_days),
        KeyRequest::Steward { label, expires_in_days } => (KeyRole::Steward, label, expires_in_days),
        KeyRequest::Auditor { label, expires_in_days } => (KeyRole::Auditor, label, expires_in_days),
        KeyRequest::Vendor { label, connection, expires_in_days } => {
            (KeyRole::Vendor(known_connection(&state, &caller, &connection).await?), label, expires_in_days)
        }
    };
    if days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        let (en, zh) = (format!("a number of days from 1 to {DAYS_MAX}"), format!(" 1 到 {DAYS_MAX} 之间的天数"));
        return Err(Problem::parameter("expires_in_days", &en, &zh));
    }
    let key = ApiKey::generate().map_err(|error| Problem::fault(&error))?;
    let made = ApiKeyRow::new(key.hash(), label.0, caller.tenant, role, now_ms());
    let expires_at_ms = days.map(|days| made.created_at_ms + i64::from(days) * DAY_MS);
    let row = ApiKeyRow { expires_at_ms, ..made };
    state.store.put_api_key(row.clone()).await?;
    Ok((StatusCode::CREATED, Json(KeyMade { key: key.expose().to_owned(), facts: KeyView::of(row) })))
}

async fn known_connection(state: &AppState, caller: &Caller, name: &str) -> Result<ConnectionName, Problem> {
    let name: ConnectionName = path_id(name, "connection", "连接")?;
    let found = state.control.connection(&caller.tenant, &name).await;
    found.map(|_| name).ok_or_else(|| Problem::not_found("connection", "连接"))
}

/// The keys of this tenant, without the keys themselves.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys", operation_id = "list_keys",
    params(
        ("limit" = Option<u32>, Query, description = "Keys per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", pattern = "^[0-9a-f]{16}$"),
    ),
    responses((status = 200, body = KeyList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<KeyList>, Problem> {
    let limit = params.limit()?;
    let cursor = params.text("cursor")?;
    params.end()?;
    let tenant = Some(&caller.tenant);
    let after = match cursor {
        None => None,
        Some(text) => {
            let invalid = || Problem::new(ProblemCode::InvalidCursor);
            let id: KeyId = text.parse().map_err(|_| invalid())?;
            Some(state.store.api_key_by_id(tenant, id).await?.ok_or_else(invalid)?)
        }
    };
    let rows = state.store.api_keys(tenant, after.as_ref(), limit).await?;
    let more = rows.len() >= limit as usize;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id().to_string());
    Ok(Json(KeyList { data: rows.into_iter().map(KeyView::of).collect(), next_cursor }))
}

/// Revokes a key for good. This gateway refuses it from now on; another one on the same store within a few seconds.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "revoke_key",
    params(("id" = String, Path, description = "The key's id", pattern = "^[0-9a-f]{16}$")),
    responses((status = 204, description = "The key is revoked")),
)]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.end()?;
    let id: KeyId = path_id(&id, "key", "密钥")?;
    let revoked = state.store.revoke_api_key(Some(&caller.tenant), id, now_ms()).await?;
    let row = revoked.ok_or_else(|| Problem::not_found("key", "密钥"))?;
    state.keys.forget(&row.hash);
    Ok(StatusCode::NO_CONTENT)
}
