//! `renmen tenant`: a tenant moved from one database to another.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use renmen_config::duration;
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use renmen_store::{MoveProgress, MoveState, MoveStep, MovedTable, StoreOptions, TenantMove};
use serde_json::json;

use crate::cli::{Common, TenantCommand};
use crate::deployment::{Deployment, now_ms};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, thousands, time};
use crate::progress::line;

/// Between two lines of progress.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Characters of the name of a place.
const PLACE_CHARS_MAX: usize = 100;

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &TenantCommand) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    deployment.data_dir()?;
    let options = deployment.store_options()?;
    let told = Mutex::new(Instant::now());
    let tell = |at: MoveProgress<'_>| {
        let Ok(mut last) = told.lock() else { return };
        if !out.json && last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            show(at);
        }
    };
    match ask {
        TenantCommand::List => list(out, options).await?,
        TenantCommand::Export { tenant, file, wait } => {
            let wait = duration(wait).map_err(|why| Usage(text!("`{wait}` {why}", "`{wait}` {why}")))?;
            let left = renmen_store::export_tenant(options, tenant, file, (now_ms(), wait), &tell).await?;
            tables(out, &left.tables, &json!({ "tables": left.tables, "digest": left.digest, "cut": left.cut }))?;
            if left.cut > 0 {
                out.say(text!(
                    "{} deliveries had not ended after {wait:?}: they are sent again where the tenant goes, with the same keys",
                    "{} 个投递在 {wait:?} 后仍未结束：将在迁入处以相同的键重新发送",
                    left.cut
                ));
            }
            out.say(exported(tenant, left.again));
        }
        TenantCommand::Import { file } => {
            let arrived = renmen_store::import_tenant(options, file, now_ms(), &tell).await?;
            let tenant = &arrived.tenant;
            tables(
                out,
                &arrived.tables,
                &json!({ "tenant": tenant, "tables": arrived.tables, "again": arrived.again }),
            )?;
            out.say(match arrived.again {
                true => text!("`{tenant}` had been imported from this file", "`{tenant}` 此前已从该文件导入"),
                false => text!(
                    "`{tenant}` imported and compared. Next: add it to `tenants` of the cell, reload its gateways, then run `renmen tenant moved \
                     {tenant}` where it was",
                    "`{tenant}` 已导入并核对。下一步：将其加入该单元的 `tenants`，重新加载网关，再在原处运行 `renmen tenant moved {tenant}`"
                ),
            });
        }
        TenantCommand::Moved { tenant, to } => {
            let place = checked_place(to)?;
            renmen_store::tenant_moved(options, tenant, place, now_ms()).await?;
            told_as(out, tenant, MoveState::Gone, Some(place))?;
            out.say(text!(
                "requests with keys of `{tenant}` are refused here from now on, with the name of {place}",
                "此处从现在起拒绝 `{tenant}` 的密钥，并告知 {place}"
            ));
        }
        TenantCommand::Resume { tenant } => {
            renmen_store::resume_tenant(options, tenant).await?;
            told_as(out, tenant, MoveState::Arrived, None)?;
            out.say(text!("`{tenant}` is served here again", "`{tenant}` 重新由此处提供服务"));
        }
        TenantCommand::Forget { tenant } => {
            let deleted = renmen_store::forget_tenant(options, tenant, &tell).await?;
            let rows = deleted.iter().map(|table| vec![table.name.clone(), thousands(table.rows)]);
            out.table(&["table", "rows"], rows, &deleted)?;
        }
    }
    Ok(Outcome::Done)
}

fn exported(tenant: &TenantId, again: bool) -> Text {
    match again {
        true => text!("`{tenant}` had been written to this file", "`{tenant}` 此前已写入该文件"),
        false => text!(
            "`{tenant}` exported: nothing is written for it here any more. Next: `renmen tenant import` elsewhere, or `renmen tenant resume \
             {tenant}` to give up",
            "`{tenant}` 已导出：此处不再为其写入任何内容。下一步：在别处运行 `renmen tenant import`，或运行 `renmen tenant resume {tenant}` 放弃迁移"
        ),
    }
}

/// For programs: how the tenant stands now, as the list has it.
fn told_as(out: Output, tenant: &TenantId, state: MoveState, place: Option<&str>) -> anyhow::Result<()> {
    let document = json!({ "tenant": tenant, "state": word(state), "moved_to": place });
    if out.json { out.document(&document) } else { Ok(()) }
}

fn tables(out: Output, tables: &[MovedTable], document: &serde_json::Value) -> anyhow::Result<()> {
    let rows = tables.iter().map(|table| vec![table.name.clone(), thousands(table.rows), table.hash.clone()]);
    out.table(&["table", "rows", "hash"], rows, document)
}

async fn list(out: Output, options: StoreOptions) -> anyhow::Result<()> {
    let found = renmen_store::tenants(options).await?;
    let document: Vec<_> = found
        .iter()
        .map(|(tenant, known)| {
            json!({
                "tenant": tenant,
                "state": known.as_ref().map_or("here", |known| word(known.state)),
                "since_ms": known.as_ref().map(|known| known.since_ms),
                "moved_to": known.as_ref().filter(|known| !known.place.is_empty()).map(|known| known.place.clone()),
            })
        })
        .collect();
    let rows = found.iter().map(|(tenant, known)| {
        let of = |get: &dyn Fn(&TenantMove) -> String| known.as_ref().map(get).unwrap_or_default();
        let state = known.as_ref().map_or("here", |known| word(known.state));
        vec![tenant.to_string(), state.to_owned(), of(&|known| time(known.since_ms)), of(&|known| known.place.clone())]
    });
    out.table(&["tenant", "state", "since", "moved to"], rows, &document)
}

fn word(state: MoveState) -> &'static str {
    match state {
        MoveState::Draining | MoveState::Leaving => "moving",
        MoveState::Gone => "moved",
        MoveState::Arrived => "here",
    }
}

fn checked_place(to: &str) -> Result<&str, Usage> {
    let place = to.trim();
    if place.is_empty() || place.chars().count() > PLACE_CHARS_MAX || place.chars().any(char::is_control) {
        return Err(Usage(text!(
            "the name of a place has 1 to {PLACE_CHARS_MAX} characters, without control characters",
            "地点名称为 1 到 {PLACE_CHARS_MAX} 个字符，不含控制字符"
        )));
    }
    Ok(place)
}

fn show(at: MoveProgress<'_>) {
    let (table, rows, of) = (at.table, thousands(at.rows), thousands(at.of));
    line(&match at.step {
        MoveStep::Writing => text!("{table}: {rows} of {of} rows written", "{table}：已写出 {rows} 行，共 {of} 行"),
        MoveStep::Reading => text!("{table}: {rows} of {of} rows read", "{table}：已读入 {rows} 行，共 {of} 行"),
        MoveStep::Comparing => text!("{table}: {rows} of {of} rows compared", "{table}：已核对 {rows} 行，共 {of} 行"),
        MoveStep::Deleting => text!("{table}: {rows} rows deleted", "{table}：已删除 {rows} 行"),
    });
}
