//! `renmen key`: keys for the API. A key is shown once; the store has its hash. All of it works while a gateway is
//! running.

use renmen_api::ApiKey;
use renmen_config::{Config, duration};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};
use renmen_store::{ApiKeyRow, KeyId, KeyRole, NotAKeyId};
use serde_json::{Value, json};

use crate::cli::{Common, Key as Ask, NewKey, Role};
use crate::deployment::{Deployment, now_ms};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};

/// Keys read at once.
const PIECE: u32 = 1_000;
/// Characters of a label, as in the API.
const LABEL_CHARS_MAX: usize = 100;

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        Ask::New(new) => {
            let (key, row) = plan(&deployment.config, new)?;
            deployment.keys().await?.put_api_key(row.clone()).await?;
            if out.json {
                let mut document = document(&row);
                document["key"] = json!(key.expose());
                out.document(&document)?;
            } else {
                out.say(text!(
                    "{}\n\nIt is shown this once: keep it now. Its id is {}.",
                    "{}\n\n只显示这一次：请立即保存。其编号为 {}。",
                    key.expose(),
                    row.id()
                ));
            }
        }
        Ask::List { tenant } => list(out, &deployment, tenant.as_ref()).await?,
        Ask::Revoke { id } => return revoke(out, &deployment, id).await,
    }
    Ok(Outcome::Done)
}

/// The key that is asked for, and what is kept of it.
fn plan(config: &Config, new: &NewKey) -> anyhow::Result<(ApiKey, ApiKeyRow)> {
    let label = new.label.trim();
    if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        let wants = text!(
            "a label has 1 to {LABEL_CHARS_MAX} characters, without control characters",
            "标签为 1 到 {LABEL_CHARS_MAX} 个字符，不含控制字符"
        );
        return Err(Usage(wants).into());
    }
    let tenant = tenant_of(config, new)?;
    let role = match (new.role, &new.connection) {
        (Role::Owner, _) => KeyRole::Owner,
        (Role::Consumer, _) => KeyRole::Consumer,
        (Role::Steward, _) => KeyRole::Steward,
        (Role::Auditor, _) => KeyRole::Auditor,
        (Role::Vendor, Some(connection)) => KeyRole::Vendor(connection.clone()),
        (Role::Vendor, None) => {
            return Err(Usage(text!(
                "a vendor's key is bound to one connection: name it with --connection",
                "厂商的密钥绑定到一个连接：请用 --connection 写明"
            ))
            .into());
        }
    };
    let now_ms = now_ms();
    let lasts = new
        .expires
        .as_deref()
        .map(|text| duration(text).map_err(|why| Usage(text!("`{text}` {why}", "`{text}` {why}"))));
    let lasts_ms = lasts.transpose()?.map(|lasts| i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
    let key = ApiKey::generate()?;
    let made = ApiKeyRow::new(key.hash(), label, tenant, role, now_ms);
    Ok((key, ApiKeyRow { expires_at_ms: lasts_ms.map(|ms| now_ms.saturating_add(ms)), ..made }))
}

/// The tenant of a new key: the named one, that of the vendor's connection, or the gateway's own. One that the
/// configuration does not know is a typing error: its key would open nothing.
fn tenant_of(config: &Config, new: &NewKey) -> Result<TenantId, Usage> {
    let bound = match &new.connection {
        Some(name) if new.role == Role::Vendor => Some(connection_tenant(config, name)?),
        Some(_) => {
            return Err(Usage(text!(
                "only a key with `--role vendor` is bound to a connection",
                "只有 `--role vendor` 的密钥绑定到连接"
            )));
        }
        None => None,
    };
    let Some(tenant) = new.tenant.clone() else { return Ok(bound.unwrap_or_else(|| config.gateway.tenant.clone())) };
    if let (Some(bound), Some(name)) = (bound, &new.connection)
        && bound != tenant
    {
        return Err(Usage(text!(
            "the connection `{name}` belongs to the tenant `{bound}`, not to `{tenant}`",
            "连接 `{name}` 属于租户 `{bound}`，而不是 `{tenant}`"
        )));
    }
    let mut known: Vec<&TenantId> = config.connections.values().map(|connection| &connection.tenant).collect();
    known.push(&config.gateway.tenant);
    if known.contains(&&tenant) {
        return Ok(tenant);
    }
    known.sort();
    known.dedup();
    let known: Vec<_> = known.into_iter().map(TenantId::as_str).collect();
    Err(Usage(text!(
        "no connection belongs to a tenant `{tenant}`; the configuration has: {}",
        "没有连接属于租户 `{tenant}`；配置中的租户为：{}",
        known.join(", ")
    )))
}

fn connection_tenant(config: &Config, name: &ConnectionName) -> Result<TenantId, Usage> {
    let found = config.connections.get(name).map(|connection| connection.tenant.clone());
    found.ok_or_else(|| Usage(text!("there is no connection `{name}` in the configuration", "配置中没有连接 `{name}`")))
}

async fn list(out: Output, deployment: &Deployment, tenant: Option<&TenantId>) -> anyhow::Result<()> {
    let store = deployment.store_to_read().await?;
    let mut keys: Vec<ApiKeyRow> = Vec::new();
    loop {
        let piece = store.api_keys(tenant, keys.last(), PIECE).await?;
        let full = piece.len() == PIECE as usize;
        keys.extend(piece);
        if !full {
            break;
        }
    }
    let documents: Vec<_> = keys.iter().map(document).collect();
    let or_empty = |at: Option<i64>| at.map_or_else(String::new, time);
    let rows = keys.iter().map(|key| {
        let bound = key.role.connection().map(ToString::to_string).unwrap_or_default();
        vec![
            key.id().to_string(),
            key.label.clone(),
            key.tenant.to_string(),
            key.role.name().to_owned(),
            bound,
            time(key.created_at_ms),
            or_empty(key.expires_at_ms),
            or_empty(key.last_used_at_ms),
            or_empty(key.revoked_at_ms),
        ]
    });
    let head = ["id", "label", "tenant", "role", "connection", "made", "expires", "last used", "revoked"];
    out.fitted_table(&head, &["made", "connection", "last used", "tenant"], rows, &documents)
}

async fn revoke(out: Output, deployment: &Deployment, id: &str) -> anyhow::Result<Outcome> {
    // The text is not repeated: it may be the key itself.
    let id: KeyId = id.parse().map_err(|not: NotAKeyId| Usage(Text::rendered(|| not.to_string())))?;
    let keys = deployment.keys().await?;
    let Some(row) = keys.revoke_api_key(None, id, now_ms()).await? else {
        out.say(text!(
            "there is no key {id}; `renmen key list` shows those that there are",
            "没有密钥 {id}；`renmen key list` 列出已有的密钥"
        ));
        return Ok(Outcome::Failed);
    };
    if out.json {
        out.document(&document(&row))?;
    } else {
        out.say(text!(
            "revoked: {} ({}). A running gateway refuses it within 5 seconds.",
            "已吊销：{}（{}）。运行中的网关会在 5 秒内拒绝它。",
            row.id(),
            row.label
        ));
    }
    Ok(Outcome::Done)
}

/// A key without the key.
fn document(row: &ApiKeyRow) -> Value {
    json!({
        "id": row.id().to_string(),
        "label": row.label,
        "tenant": row.tenant.as_str(),
        "role": row.role.name(),
        "connection": row.role.connection().map(ConnectionName::as_str),
        "created_at": time(row.created_at_ms),
        "expires_at": row.expires_at_ms.map(time),
        "last_used_at": row.last_used_at_ms.map(time),
        "revoked_at": row.revoked_at_ms.map(time),
    })
}
