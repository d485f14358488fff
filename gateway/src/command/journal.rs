//! `renmen journal`: what a payroll run comes to in the books, and its posting.

use renmen_flow::ByHand;
use renmen_ledger::{LedgerError, PostAsk, Posted, Preview, postings};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::{Text, text};
use renmen_store::Store;
use renmen_store::outbox::DeliveryRow;
use serde_json::{Value, json};

use crate::cli::{Common, Journal as Ask};
use crate::command::act::record_of;
use crate::command::flow::word;
use crate::deployment::{Deployment, open_ledger};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};
use crate::running_gateway::{Question, RunningGateway, Writing, writing};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let tenant = deployment.config.gateway.tenant.clone();
    match ask {
        Ask::Preview { journal, run } => preview(deployment, out, &tenant, journal, run).await,
        Ask::Post { journal, run, reason, person } => {
            let ask =
                |run: RecordId| PostAsk { book: journal.clone(), run, by: person.clone(), reason: reason.clone() };
            post(deployment, out, &tenant, run, ask).await
        }
        Ask::List { run, limit } => {
            let store = deployment.store_to_read().await?;
            let run = match run {
                Some(run) => Some(run_of(&*store, &tenant, run).await?),
                None => None,
            };
            let rows = postings(&*store, &tenant, run, None, *limit).await?;
            list(out, &rows)
        }
    }
}

async fn run_of(store: &dyn Store, tenant: &TenantId, text: &str) -> anyhow::Result<RecordId> {
    if !text.starts_with("payroll-runs/") && !text.starts_with("payroll_run/") {
        return Err(Usage(text!(
            "write --run as payroll-runs/ID or payroll-runs/CONNECTION/EXTERNAL-ID",
            "请把 --run 写成 payroll-runs/编号 或 payroll-runs/连接/外部编号"
        ))
        .into());
    }
    record_of(store, tenant, text).await
}

async fn preview(
    deployment: Deployment,
    out: Output,
    tenant: &TenantId,
    journal: &str,
    run: &str,
) -> anyhow::Result<Outcome> {
    let store = deployment.store_to_read().await?;
    let running = deployment.engine(store, None).await?;
    let run = run_of(&*running.store, tenant, run).await?;
    let preview = open_ledger(&running)?.preview(tenant, journal, run).await.map_err(told)?;
    show(out, &preview)?;
    let fits = preview.faults.is_empty();
    Ok(if fits { Outcome::Done } else { Outcome::Failed })
}

fn show(out: Output, preview: &Preview) -> anyhow::Result<()> {
    if out.json {
        let journals: Vec<Value> = preview
            .journals
            .iter()
            .map(|one| {
                let journal = &one.journal;
                json!({
                    "currency": journal.currency, "debit": journal.shown(journal.debit), "credit": journal.shown(journal.credit),
                    "difference": journal.shown(journal.debit - journal.credit), "input": one.input,
                    "posting": one.posted.as_ref().map(document), "differs": one.differs,
                })
            })
            .collect();
        let faults: Vec<Value> =
            preview.faults.iter().map(|fault| json!({ "code": fault.code, "message": fault.message })).collect();
        return out.document(&json!({
            "run": preview.run.id, "reference": preview.run.external_id, "payslips": preview.payslips,
            "journals": journals, "faults": faults,
        }));
    }
    for one in &preview.journals {
        let journal = &one.journal;
        let rows = journal.lines.iter().map(|line| {
            let dimensions: Vec<String> = line.dimensions.iter().map(|(name, code)| format!("{name}={code}")).collect();
            vec![
                line.side.as_str().to_owned(),
                line.account.clone(),
                journal.shown(line.amount),
                dimensions.join(" "),
                line.text.clone(),
            ]
        });
        out.table(&["side", "account", "amount", "dimensions", "what"], rows, &())?;
        let (debit, credit, currency) =
            (journal.shown(journal.debit), journal.shown(journal.credit), journal.currency.as_str());
        let payslips = preview.payslips;
        out.say(text!(
            "{payslips} payslips: debit {debit} {currency}, credit {credit} {currency}",
            "{payslips} 张工资单：借方 {debit} {currency}，贷方 {credit} {currency}"
        ));
        if let Some(row) = &one.posted {
            say_posting(out, row);
        }
        if one.differs {
            out.say(differs());
        }
    }
    for fault in &preview.faults {
        out.say(text!("it would be refused: {}", "将被拒绝：{}", fault.message));
    }
    if preview.faults.is_empty() {
        out.say(text!("nothing was posted: use `renmen journal post`", "未入账：请使用 `renmen journal post`"));
    }
    Ok(())
}

fn differs() -> Text {
    text!(
        "the payslips come to other sums by now: have the payroll system make a run of kind CORRECTION for the difference",
        "工资单的合计现已不同：请在薪酬系统中为差额生成 CORRECTION 批次"
    )
}

fn say_posting(out: Output, row: &DeliveryRow) {
    let (id, state) = (row.id, word(row.state));
    match row.receipt.as_ref().and_then(|receipt| receipt.reference.as_ref()) {
        Some(document) => out.say(text!(
            "posted as {document} (delivery {id}, {state})",
            "已入账，凭证号 {document}（投递 {id}，{state}）"
        )),
        None => {
            let why = row.error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            out.say(text!("delivery {id} is {state}{why}", "投递 {id} 状态为 {state}{why}"));
        }
    }
}

async fn post(
    deployment: Deployment,
    out: Output,
    tenant: &TenantId,
    run: &str,
    ask: impl Fn(RecordId) -> PostAsk,
) -> anyhow::Result<Outcome> {
    match writing(&deployment).await? {
        Writing::Store(store) => {
            let running = deployment.engine(store, None).await?;
            let ask = ask(run_of(&*running.store, tenant, run).await?);
            let (_, done) = open_ledger(&running)?.post(tenant, &ask).await.map_err(told)?;
            if out.json {
                let all: Vec<Value> = done
                    .iter()
                    .map(|one| json!({ "posting": document(&one.delivery), "new": one.is_new, "differs": one.differs }))
                    .collect();
                out.document(&json!({ "journals": all }))?;
                return Ok(Outcome::Done);
            }
            for Posted { delivery, is_new, differs: other } in &done {
                if *is_new {
                    let id = delivery.id;
                    out.say(text!("delivery {id}: goes out when the gateway runs", "投递 {id}：将在网关运行时发出"));
                } else {
                    out.say(text!("posted before; nothing was made", "此前已入账；未生成新的投递"));
                    say_posting(out, delivery);
                }
                if *other {
                    out.say(differs());
                }
            }
        }
        Writing::Gateway(gateway) => {
            let store = deployment.store_to_read().await?;
            let ask = ask(run_of(&*store, tenant, run).await?);
            post_there(&gateway, out, &ask).await?;
        }
    }
    Ok(Outcome::Done)
}

/// Has the running gateway do it.
async fn post_there(gateway: &RunningGateway, out: Output, ask: &PostAsk) -> anyhow::Result<()> {
    let body = json!({ "journal": ask.book, "run": ask.run, "reason": ask.reason });
    let question = Question { body: Some(body), person: Some(&ask.by), idempotency_key: None };
    let answer = gateway.post("/v1/journals", question).await?.good()?;
    let all = answer["journals"].as_array().cloned().unwrap_or_default();
    if out.json {
        let all: Vec<Value> = all
            .iter()
            .map(|one| json!({ "posting": one["posting"], "new": one["is_new"], "differs": one["differs"] }))
            .collect();
        return out.document(&json!({ "journals": all }));
    }
    for one in &all {
        let posting = &one["posting"];
        let (id, state) = (&posting["id"], posting["state"].as_str().unwrap_or_default());
        match posting["document"].as_str() {
            Some(document) => out.say(text!(
                "posted as {document} (delivery {id}, {state})",
                "已入账，凭证号 {document}（投递 {id}，{state}）"
            )),
            None => out.say(text!(
                "delivery {id} is {state}; `renmen journal list` shows its document number",
                "投递 {id} 状态为 {state}；`renmen journal list` 显示其凭证号"
            )),
        }
        if one["differs"] == json!(true) {
            out.say(differs());
        }
    }
    Ok(())
}

/// A posting as JSON.
fn document(row: &DeliveryRow) -> Value {
    let input: Value = serde_json::from_slice(&row.input).unwrap_or_default();
    let hand = ByHand::of(row);
    json!({
        "id": row.id, "journal": input["journal"], "run": row.change.id, "reference": input["reference"],
        "connection": row.connection, "currency": input["currency"], "total": input["total"], "date": input["date"],
        "posting_id": input["id"], "state": row.state,
        "document": row.receipt.as_ref().and_then(|receipt| receipt.reference.clone()),
        "receipt": row.receipt.as_ref().and_then(|receipt| serde_json::from_str::<Value>(&receipt.detail).ok()),
        "error": row.error, "by": hand.as_ref().map(|hand| hand.by.clone()), "reason": hand.map(|hand| hand.reason),
        "updated_at": time(row.updated_at_ms),
    })
}

fn list(out: Output, rows: &[DeliveryRow]) -> anyhow::Result<Outcome> {
    let documents: Vec<Value> = rows.iter().map(document).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shown = rows.iter().zip(&documents).map(|(row, document)| {
        vec![
            row.id.to_string(),
            text(&document["journal"]),
            text(&document["reference"]),
            format!("{} {}", text(&document["total"]), text(&document["currency"])),
            word(row.state),
            text(&document["document"]),
            text(&document["by"]),
            time(row.updated_at_ms),
            row.error.clone().unwrap_or_default(),
        ]
    });
    let head = ["id", "journal", "run", "total", "state", "document", "by hand", "since", "error"];
    out.fitted_table(&head, &["since", "by hand"], shown, &documents)?;
    Ok(Outcome::Done)
}

fn told(error: LedgerError) -> anyhow::Error {
    match error {
        LedgerError::NoBook(name) => {
            Usage(text!("there is no `[journals.{name}]` in the configuration", "配置中没有 `[journals.{name}]`"))
                .into()
        }
        LedgerError::Store(error) => error.into(),
        LedgerError::Busy => {
            anyhow::anyhow!(text!("another journal is being made: try again", "正在生成另一张凭证：请重试"))
        }
        error @ (LedgerError::NoRun | LedgerError::Faults(_) | LedgerError::Flow(_)) => {
            Usage(Text::rendered(|| error.to_string())).into()
        }
    }
}
