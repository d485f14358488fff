//! `renmen export`: records as files for BI, now. It only reads the store, which also works while a gateway is running.

use renmen_config::{Export, ExportTo, Schedule};
use renmen_egress::{Egress, EgressOptions};
use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, Sensitivity, text};

use crate::cli::{Common, ExportAsk};
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// What an export of the command line alone is called.
const BY_HAND: &str = "export";

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &ExportAsk) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let (name, said) = match &ask.name {
        Some(name) => (name.clone(), of_file(&deployment, name)?),
        None => (ConnectionName::new(BY_HAND)?, of_line(&deployment, ask)?),
    };
    let store = deployment.store_to_read().await?;
    let egress = Egress::with(EgressOptions::default())?;
    let done = deployment.export(&egress, &*store, (&name, &said), &|| false).await?;
    let manifest = &done.manifest;
    if out.json {
        out.document(&serde_json::json!({ "new": done.is_new, "manifest": manifest }))?;
        return Ok(Outcome::Done);
    }
    let shown = manifest.entities.iter().filter(|one| one.rows > 0);
    let files = |entity: &str| manifest.files.iter().filter(|file| file.entity == entity).count();
    let rows = shown.map(|one| {
        vec![one.entity.clone(), one.rows.to_string(), files(&one.entity).to_string(), one.columns.len().to_string()]
    });
    out.table(&["entity", "rows", "files", "columns"], rows, manifest)?;
    let (snapshot, position) = (&manifest.snapshot, manifest.watermark.position);
    out.say(if done.is_new {
        text!("{snapshot}, as of position {position} of the change feed", "{snapshot}，对应变更流位置 {position}")
    } else {
        text!(
            "nothing changed since position {position}: {snapshot} is there already",
            "自位置 {position} 以来没有变更：{snapshot} 已存在"
        )
    });
    Ok(Outcome::Done)
}

fn of_file(deployment: &Deployment, name: &ConnectionName) -> Result<Export, Usage> {
    let exports = &deployment.config.exports;
    exports.get(name).cloned().ok_or_else(|| {
        let known = exports.keys().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
        Usage(text!(
            "there is no `[exports.{name}]` in the configuration; there are: {known}",
            "配置中没有 `[exports.{name}]`；可用的为：{known}"
        ))
    })
}

/// What the command line says alone: into a directory.
fn of_line(deployment: &Deployment, ask: &ExportAsk) -> Result<Export, Usage> {
    let Some(to) = &ask.to else {
        return Err(Usage(text!(
            "name an export of the configuration, or a directory with --to",
            "请写明配置中的导出，或用 --to 写明目录"
        )));
    };
    let entity = |name: &String| {
        let kind = EntityKind::from_name(name).or_else(|| EntityKind::from_collection(name));
        kind.ok_or_else(|| {
            Usage(text!(
                "there is no entity `{name}`; `renmen schema` lists them",
                "没有实体 `{name}`；`renmen schema` 列出全部实体"
            ))
        })
    };
    let class = |word: &String| {
        Sensitivity::from_code(word).ok_or_else(|| {
            Usage(text!(
                "`{word}` is not a class; use PERSONAL, SENSITIVE or SPECIAL",
                "`{word}` 不是敏感级别；请使用 PERSONAL、SENSITIVE 或 SPECIAL"
            ))
        })
    };
    Ok(Export {
        enabled: true,
        tenant: deployment.config.gateway.tenant.clone(),
        schedule: Schedule::Manual,
        entities: ask.entity.iter().map(entity).collect::<Result<_, _>>()?,
        format: ask.format.as_str().to_owned(),
        classes: ask.class.iter().map(class).collect::<Result<_, _>>()?,
        to: ExportTo::Directory(to.clone()),
        // What a person wrote by hand a person takes away.
        keep: u32::MAX,
        group_rows: 10_000,
        group_bytes: 16 << 20,
        file_bytes: 64 << 20,
        timeout: std::time::Duration::from_secs(300),
        grant: renmen_config::Grant::default(),
        slots: std::collections::BTreeMap::new(),
    })
}
