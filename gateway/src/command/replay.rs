//! `renmen replay`: what would today's plugin make of the recorded exchanges?

use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::{Text, text};
use renmen_sync::{Difference, FieldDifference};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::deployment::Deployment;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, counted, thousands};
use crate::running_gateway::store_alone;

/// Runs the command. Without `apply` it only reads the store, which also works while a gateway is running.
pub(crate) async fn run(
    common: &Common,
    out: Output,
    connection: &ConnectionName,
    stream: &StreamName,
    apply: bool,
) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let store = if apply {
        store_alone(&deployment, text!("writing what differs", "写入差异")).await?
    } else {
        deployment.store_to_read().await?
    };
    let running = deployment.engine(store, Some(connection)).await?;
    let tenant = running.current().deployment.config.connections[connection].tenant.clone();
    let key = running.engine.key(&tenant, connection, stream).map_err(|e| Usage(Text::rendered(|| e.to_string())))?;
    let cancel = CancellationToken::new();
    let _stop = crate::signals::cancel_on_interrupt(&cancel);
    let mut found: Vec<Difference> = Vec::new();
    let report =
        running.engine.replays().stream(&key, apply, &mut |difference| found.push(difference), &cancel).await?;
    let rows = found.iter().map(|difference| {
        let fields = difference.fields.iter().map(show).collect::<Vec<_>>().join("\n");
        vec![
            format!("{:?}", difference.kind).to_lowercase(),
            difference.entity.clone(),
            difference.external_id.clone(),
            difference.record.map(|id| id.to_string()).unwrap_or_default(),
            difference.reason.clone().unwrap_or(fields),
        ]
    });
    out.table(
        &["difference", "entity", "external id", "record", "fields"],
        rows,
        &json!({ "report": report, "differences": found }),
    )?;
    out.say(text!(
        "{} replayed, {} not recorded, {} failed; {} compared, {} the same{}",
        "重放 {}，{} 页无记录，{} 页失败；比较 {}，{} 条相同{}",
        counted(report.replayed, "page", "页"),
        thousands(report.not_recorded),
        thousands(report.failed),
        counted(report.records, "record", "条记录"),
        thousands(report.same),
        if report.applied.is_some() {
            text!("; the differences were written", "；差异已写入")
        } else {
            text!("; nothing was written", "；未写入任何内容")
        },
    ));
    Ok(if report.failed > 0 { Outcome::Partly } else { Outcome::Done })
}

/// The place, and the values where everybody may see them.
fn show(field: &FieldDifference) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_owned());
    match field.masked {
        true => format!("{} (values not shown)", field.pointer),
        false => format!("{}: {} -> {}", field.pointer, value(&field.before), value(&field.after)),
    }
}
