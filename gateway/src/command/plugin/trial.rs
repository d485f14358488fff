//! `renmen plugin run` and `record`: what the author types becomes a trial, and its outcome is shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use renmen_kit::build::Build;
use renmen_kit::trial::{Report, Trial, TrialResult as Pulled};
use renmen_kit::{component, fixture};
use renmen_schema::id::SlotName;
use renmen_schema::{Text, text};
use renmen_vault::{Resolver, Secret, Source};
use serde_json::{Map, Value, json};

use crate::cli::plugin::Trial as Ask;
use crate::deployment::check_config;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, counted, thousands};

/// Characters of one value in a table.
const VALUE_SHOWN: usize = 60;

/// Pulls and shows.
pub(super) async fn run(out: Output, ask: &Ask, records: usize) -> anyhow::Result<Outcome> {
    let (_trial, pulled) = pull(ask).await?;
    let report = Report::of(&pulled, ask.stream.as_str());
    show(out, &report, records)?;
    if !ask.local && report.failure.as_deref().is_some_and(advises_a_grant) {
        out.say(text!("this is a trial and needs no grant: for a source on this machine add --local, which allows plain http and loopback", "这是试运行，不需要授权：来源在本机时请加上 --local，允许明文 http 与回环地址"));
    }
    Ok(if report.passed() { Outcome::Done } else { Outcome::Failed })
}

/// Pulls and keeps, with people made up.
pub(super) async fn record(out: Output, ask: &Ask, to: Option<&Path>, force: bool) -> anyhow::Result<Outcome> {
    let folder = if ask.plugin.is_dir() { &ask.plugin } else { ask.plugin.parent().unwrap_or(Path::new(".")) };
    let file = to.map_or_else(|| folder.join("fixtures").join(format!("{}.http.json", ask.stream)), Path::to_owned);
    if file.exists() && !force {
        return Err(Usage(text!(
            "{} is there: give another --out, or --force",
            "{} 已存在：请用 --out 指定其他位置，或加上 --force",
            file.display()
        ))
        .into());
    }
    let (trial, pulled) = pull(ask).await?;
    let recorded = fixture::record(&trial, &pulled, &file).await?;
    if out.json {
        out.document(&json!({
            "file": file, "exchanges": recorded.exchanges, "values": recorded.values, "config": recorded.config,
            "now": recorded.now, "records": recorded.records, "refused": recorded.refused,
        }))?;
    } else {
        out.say(text!(
            "{}: {}, {} made up; the connector makes {} of it and refuses {}, as of the real answers\n\
             test it with the configuration {} at {}\nread it before you commit it",
            "{}：{}，其中 {} 为虚构；与真实应答一样，连接器由此得出 {}，拒绝 {} 条\n请用配置 {} 测试，时间为 {}\n提交前请先通读",
            file.display(),
            counted(recorded.exchanges, "exchange", "次请求"),
            counted(recorded.values, "value", "个值"),
            counted(recorded.records, "record", "条记录"),
            recorded.refused,
            recorded.config,
            recorded.now,
        ));
    }
    Ok(Outcome::Done)
}

/// The network client speaks of the grant of a deployment's connection. A trial's is made of `--local` and the manifest.
fn advises_a_grant(failure: &str) -> bool {
    failure.contains("`plaintext = true`") || failure.contains("grant.addresses")
}

/// Builds where a folder was named, checks the configuration, and pulls.
pub(super) async fn pull(ask: &Ask) -> anyhow::Result<(Trial, Pulled)> {
    let component = component_of(&ask.plugin, ask.offline)?;
    let plugin = Trial::load(&component).await?;
    let trial = Trial {
        component,
        stream: ask.stream.clone(),
        config: config(ask)?,
        slots: ask.slot.iter().map(|text| slot(text)).collect::<anyhow::Result<BTreeMap<_, _>>>()?,
        cursor: ask.cursor.clone(),
        max_records: ask.max_records,
        pages: ask.pages,
        local: ask.local,
        drop: ask.drop.clone(),
    };
    check_config(plugin.manifest(), &trial.config)?;
    let pulled = trial.run(plugin).await?;
    Ok((trial, pulled))
}

/// The component of a folder, built, or the file itself.
fn component_of(path: &Path, offline: bool) -> anyhow::Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    Ok(Build { folder: path.to_owned(), out: None, offline }.run()?.path)
}

/// `--settings` with the `--set`s over it.
fn config(ask: &Ask) -> anyhow::Result<Value> {
    let mut config = match &ask.settings {
        None => Map::new(),
        Some(file) => serde_json::from_str(&component::read_text(file)?).map_err(|error| {
            Usage(text!("{}: {error}; expected a JSON object", "{}：{error}；应为 JSON 对象", file.display()))
        })?,
    };
    for pair in &ask.set {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Usage(text!(
                "--set {pair}: expected KEY=VALUE, as base_url=https://…",
                "--set {pair}：应为 键=值，例如 base_url=https://…"
            ))
        })?;
        // Numbers, booleans and lists as in JSON; anything else is a text.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        config.insert(key.to_owned(), value);
    }
    Ok(Value::Object(config))
}

fn slot(text: &str) -> anyhow::Result<(SlotName, Secret)> {
    // The value may be the secret itself: it is not repeated.
    let wrong = || {
        Usage(text!(
            "--slot: expected SLOT=env:VARIABLE or SLOT=file:PATH, never the secret itself",
            "--slot：应为 凭据槽=env:变量 或 凭据槽=file:路径，绝不可写密钥本身"
        ))
    };
    let (name, source) = text.split_once('=').ok_or_else(wrong)?;
    let name = SlotName::new(name).map_err(|error| Usage(text!("--slot: {error}", "--slot：{error}")))?;
    let source = match source.split_once(':').ok_or_else(wrong)? {
        ("env", variable) => Source::Env(variable.to_owned()),
        ("file", path) => Source::File(path.into()),
        _ => return Err(wrong().into()),
    };
    let env = |name: &str| std::env::var(name).ok();
    let secret = Resolver { vault: None, env: &env, dev: true }.resolve(&source);
    Ok((name, secret.map_err(|error| Usage(Text::rendered(|| error.to_string())))?))
}

/// A table a record, then what was refused, sent and used up.
pub(super) fn show(out: Output, report: &Report, records: usize) -> anyhow::Result<()> {
    if out.json {
        return out.document(report);
    }
    for record in report.records.iter().take(records) {
        let gone = if record.deleted { text!(", gone", "，已删除") } else { Text::default() };
        out.say(text!("{} {} ({}{gone})", "{} {}（{}{gone}）", record.entity, record.external_id, record.origin));
        let rows = record.fields.iter().map(|field| {
            let vendor = field.vendor.iter().map(short).collect::<Vec<_>>().join(" | ");
            vec![field.pointer.clone(), short(&field.value), field.from.clone(), vendor]
        });
        out.table(&["canonical", "value", "vendor", "value"], rows, &())?;
    }
    if report.records.len() > records {
        let more = counted(report.records.len() - records, "more record", "条记录");
        out.say(text!(
            "… and {more} (--records N, or --json for all)",
            "…… 另有 {more}（--records N，或用 --json 显示全部）"
        ));
    }
    if !report.findings.is_empty() {
        let rows = report.findings.iter().map(|told| vec![told.part.clone(), told.code.clone(), told.message.clone()]);
        out.say(text!(
            "\n{} could not be read",
            "\n{}无法读取",
            counted(report.findings.len(), "part of the source", "处来源")
        ));
        out.table(&["part", "code", "why"], rows, &report.findings)?;
    }
    if report.omitted > 0 {
        let omitted = counted(report.omitted, "record", "条记录");
        out.say(text!("\n{omitted} left out by a rule of the configuration", "\n{omitted} 被配置中的规则略去"));
    }
    if !report.lines.is_empty() {
        let lines = report.lines.iter().map(|line| format!("\n  {}", renmen_schema::shown::line(line)));
        let lines: String = lines.collect();
        out.say(text!("\nthe connector says:{lines}", "\n连接器提示：{lines}"));
    }
    if !report.refused.is_empty() {
        let rows = report.refused.iter().map(|refused| {
            let id = refused.external_id.clone().unwrap_or_default();
            vec![refused.entity.clone(), id, refused.origin.clone(), refused.reason.clone()]
        });
        out.say(text!(
            "\n{} refused: they would wait in quarantine",
            "\n{} 条被拒绝：将进入隔离区等待",
            report.refused.len()
        ));
        out.table(&["entity", "id", "where", "why"], rows, &())?;
    }
    let requests = report.requests.iter().map(|sent| {
        let sent_to = format!("{} {}", sent.method, sent.url);
        vec![sent_to, sent.status.to_string(), thousands(sent.bytes as u64), format!("{} ms", sent.took_ms)]
    });
    out.table(&["request", "status", "bytes", "took"], requests, &())?;
    for figures in &report.figures {
        out.say(text!(
            "{} in {} ms: {} units of work, {} bytes of memory at most, {}, {} bytes in",
            "{}，用时 {} 毫秒：{} 个工作单位，内存最多 {} 字节，{}，接收 {} 字节",
            counted(figures.records, "record", "条记录"),
            figures.wall_ms,
            thousands(figures.fuel),
            thousands(figures.memory_peak_bytes),
            counted(figures.http_calls, "request", "次请求"),
            thousands(figures.bytes_in),
        ));
    }
    match (&report.failure, &report.next) {
        (Some(failure), _) => out.say(text!("FAILED: {failure}", "失败：{failure}")),
        (None, Some(next)) if report.has_more => {
            out.say(text!("there is more: --cursor '{next}'", "还有更多：--cursor '{next}'"));
        }
        (None, _) => out.say(text!("the run ends here", "运行到此结束")),
    }
    Ok(())
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let flat = |c: char| if c.is_whitespace() { ' ' } else { c };
    let text_shown: String = text.chars().take(VALUE_SHOWN).map(flat).collect();
    let mut shown = renmen_schema::shown::line(&text_shown).into_owned();
    if text.chars().nth(VALUE_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{short, slot};

    #[test]
    fn a_secret_that_was_typed_is_not_repeated() {
        for typed in ["api_key=s3cr3t-value", "s3cr3t-value", "api_key=plain:s3cr3t-value"] {
            let error = slot(typed).map(|_| ()).unwrap_err().to_string();
            assert!(!error.contains("s3cr3t") && error.contains("env:VARIABLE"), "{error}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = slot("api_key=env:RENMEN_TEST_NOT_SET").map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("RENMEN_TEST_NOT_SET"), "{error}");
    }

    #[test]
    fn long_values_are_cut_and_control_characters_do_not_reach_the_terminal() {
        assert_eq!(short(&serde_json::json!("a\u{1b}[31mb")), "a\\u{1b}[31mb");
        assert_eq!(short(&serde_json::json!("人".repeat(61))).chars().count(), 61);
    }
}
