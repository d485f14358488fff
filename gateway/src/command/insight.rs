//! `renmen insight`: questions over many records, from the command line. It only reads the store, which also works while a gateway is
//! running; what is known of groups of people is not asked here, for a command has no key.

use std::time::{Duration, Instant};

use renmen_analysis::{Analysis, AnalysisError, Answer, Ask as Question, QuestionName, csv, json};
use renmen_schema::id::TenantId;
use renmen_schema::text;
use renmen_store::StoreError;
use serde_json::{Value, json};

use crate::cli::{Common, Insight as Ask};
use crate::deployment::{Counted, Deployment, analysis};
use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// How long a question waits for a store that is away or not ready for it.
const ROWS_WITHIN: Duration = Duration::from_secs(10);

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    match ask {
        Ask::List => list(out),
        Ask::Ask { question, parameters, csv } => answer(common, out, question, parameters, *csv).await,
    }
}

fn list(out: Output) -> anyhow::Result<Outcome> {
    let document: Vec<Value> = QuestionName::ALL
        .iter()
        .map(|one| json!({ "name": one.as_str(), "about": one.text(), "parameters": one.parameter_names() }))
        .collect();
    let rows = QuestionName::ALL
        .iter()
        .map(|one| vec![one.to_string(), one.text().to_string(), one.parameter_names().join(", ")]);
    out.table(&["question", "description", "parameters"], rows, &document)?;
    Ok(Outcome::Done)
}

async fn answer(
    common: &Common,
    out: Output,
    question: &str,
    parameters: &[String],
    as_csv: bool,
) -> anyhow::Result<Outcome> {
    let found = QuestionName::from_name(question).ok_or_else(|| {
        let known = QuestionName::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
        let shown: String = question.chars().take(60).collect();
        Usage(text!("no question `{shown}`; there are: {known}", "没有问题 `{shown}`；可用的为：{known}"))
    })?;
    if found.is_for_audits_only() {
        return Err(Usage(text!(
            "only a key with the role `auditor` may ask this: make one with `renmen key new audit --role auditor`, and ask \
             `GET /v1/insights/{found}` with it",
            "只有角色为 `auditor` 的密钥可以提出此问题：请用 `renmen key new audit --role auditor` 创建，并用它请求 \
             `GET /v1/insights/{found}`"
        ))
        .into());
    }
    let said = parameters.iter().map(|one| {
        one.split_once('=').ok_or_else(|| {
            Usage(text!(
                "`{one}` is not NAME=VALUE, such as from=2026-01-01",
                "`{one}` 不是 NAME=VALUE，例如 from=2026-01-01"
            ))
        })
    });
    let said: Vec<(&str, &str)> = said.collect::<Result<_, _>>()?;
    let ask = Question::read(found, said).map_err(|error| Usage(error.text()))?;
    let deployment = Deployment::load(common)?;
    let config = &deployment.config;
    let store = deployment.store_to_read().await?;
    let analysis = analysis(config, store, Counted::of_file(config), "command line".to_owned())?;
    let answer = asked(&analysis, &config.gateway.tenant, &ask).await?;
    if as_csv && !out.json {
        out.text(&csv(&answer));
    } else if out.json {
        out.document(&json(&answer))?;
    } else {
        show(out, &answer)?;
    }
    Ok(Outcome::Done)
}

/// Waits for a gateway that has just begun to make the rows that it is asked over.
async fn asked(analysis: &Analysis, tenant: &TenantId, ask: &Question) -> anyhow::Result<Answer> {
    let begun = Instant::now();
    loop {
        match analysis.ask(tenant, ask).await {
            Err(AnalysisError::Store(StoreError::Unavailable(_))) if begun.elapsed() < ROWS_WITHIN => {
                tokio::time::sleep(ROWS_WITHIN / 20).await;
            }
            answer => return answer.map_err(|error| anyhow::anyhow!(error.text())),
        }
    }
}

fn show(out: Output, answer: &Answer) -> anyhow::Result<()> {
    if let Some(window) = &answer.window {
        out.say(text!("{} to {}", "{} 至 {}", window.start, window.end));
    }
    if let Some(verdict) = &answer.verdict {
        out.say(text!("answer: {verdict}", "回答：{verdict}"));
    }
    if !answer.figures.is_empty() {
        let number = |value: Option<f64>| value.map(|value| format!("{value:.4}")).unwrap_or_default();
        let rows = answer.figures.iter().map(|one| {
            vec![
                one.name.clone(),
                number(one.value),
                number(one.interval.map(|(low, _)| low)),
                number(one.interval.map(|(_, high)| high)),
                number(one.p.map(|(_, adjusted)| adjusted)),
                one.n.to_string(),
                one.method.clone(),
            ]
        });
        out.fitted_table(&["figure", "value", "low", "high", "p", "n", "method"], &["method", "p"], rows, &())?;
    }
    if !answer.findings.is_empty() {
        let rows = answer.findings.iter().map(|one| {
            vec![
                one.code.to_string(),
                one.about.clone().unwrap_or_default(),
                one.value.clone().unwrap_or_default(),
                one.n.map(|n| n.to_string()).unwrap_or_default(),
                one.record.map(|id| id.to_string()).unwrap_or_default(),
            ]
        });
        out.fitted_table(&["finding", "about", "value", "n", "record"], &["record"], rows, &())?;
    }
    if !answer.left_out.is_empty() {
        let rows = answer.left_out.iter().map(|(why, n)| vec![why.text().to_string(), n.to_string()]);
        out.table(&["left out", "n"], rows, &())?;
    }
    for one in &answer.records {
        let (kind, about) = (one.kind.name(), &one.about);
        out.say(text!("{kind} ({about}):", "{kind}（{about}）："));
        out.document(&one.body)?;
    }
    Ok(())
}
