//! `renmen key`: keys for the API. A key is shown once; the store has its hash.

use renmen_api::ApiKey;
use renmen_schema::id::TenantId;
use renmen_store::{ApiKeyRow, Store};
use serde_json::json;

use crate::cli::{Common, Key as Ask};
use crate::deployment::{Deployment, now_ms};
use crate::exit::Outcome;
use crate::output::{Output, time};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let tenant = &deployment.config.gateway.tenant;
    match ask {
        Ask::New { label } => {
            let store = deployment.store().await?;
            let key = make(&*store, tenant, label).await?;
            if out.json {
                out.document(&json!({ "label": label, "key": key.expose() }))?;
            } else {
                out.say(&format!("{}\n\nIt is shown this once: keep it now.", key.expose()));
            }
        }
        Ask::List => {
            let keys = deployment.store_to_read().await?.api_keys(tenant).await?;
            let document: Vec<_> = keys
                .iter()
                .map(|k| json!({ "label": k.label, "created_at": time(k.created_at_ms), "revoked": k.revoked_at_ms.is_some() }))
                .collect();
            let rows = keys
                .iter()
                .map(|k| vec![k.label.clone(), time(k.created_at_ms), k.revoked_at_ms.map_or_else(String::new, time)]);
            out.table(&["label", "made", "revoked"], rows, &document)?;
        }
    }
    Ok(Outcome::Done)
}

/// A new key for a tenant.
pub(crate) async fn make(store: &dyn Store, tenant: &TenantId, label: &str) -> anyhow::Result<ApiKey> {
    let key = ApiKey::generate()?;
    let row = ApiKeyRow {
        hash: key.hash(),
        label: label.to_owned(),
        tenant: tenant.clone(),
        created_at_ms: now_ms(),
        revoked_at_ms: None,
    };
    store.put_api_key(row).await?;
    Ok(key)
}
