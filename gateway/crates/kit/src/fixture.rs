//! `fixtures/*.http.json`: exchanges as `renmen_plugin::testing::Host` and the conformance kit read them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use renmen_egress::Exchange;
use renmen_schema::text;
use renmen_schema::types::Instant;
use serde_json::{Value, json};

use crate::KitError;
use crate::disguise::{Disguised, disguise};
use crate::trial::{self, Played, Report, Trial, TrialResult, body_of};

/// The file with the key that turns the same person into the same made-up one in all recordings of a folder. It lies
/// next to the fixtures, never in git.
const KEY_FILE: &str = ".disguise-key";

/// What a recording amounts to.
#[derive(Debug)]
pub struct Recorded {
    /// Exchanges in the fixture.
    pub exchanges: usize,
    /// Values that were made up.
    pub values: usize,
    /// The configuration that a test of the fixture is run with.
    pub config: Value,
    /// The time that it is run at, in RFC 3339.
    pub now: String,
    /// Records that the connector makes of the fixture: as many as of the real answers.
    pub records: usize,
    /// Records that it refuses, likewise.
    pub refused: usize,
}

/// Takes people out of what a trial brought, proves that the connector makes as much of it as of the real answers, and writes
/// the fixture.
///
/// # Errors
/// [`KitError::Usage`] when there is nothing to record, something cannot be taken out, or the connector makes something else of
/// the fixture; [`KitError::File`] when it cannot be written.
pub async fn record(trial: &Trial, outcome: &TrialResult, file: &Path) -> Result<Recorded, KitError> {
    if outcome.pages.is_empty() {
        let why = outcome.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        return Err(KitError::Usage(text!("there is no page to keep: {why}", "没有可保存的页：{why}")));
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| KitError::file(folder, source))?;
    let disguised = disguise(outcome, &trial.config, key(&folder.join(KEY_FILE))?)?;
    let recorded = prove(trial, outcome, &disguised).await?;
    let text = text_of(&disguised.exchanges);
    fs::write(file, text).map_err(|source| KitError::file(file, source))?;
    Ok(recorded)
}

/// The connector once more, over the fixture alone.
async fn prove(trial: &Trial, outcome: &TrialResult, disguised: &Disguised) -> Result<Recorded, KitError> {
    let plugin = &outcome.plugin;
    let tape = Played::new(&disguised.exchanges);
    // At the same time: what is asked by the clock is asked again.
    let call = trial.call(plugin, Arc::new(tape), &disguised.config, outcome.now_ms)?;
    let pages_max = u32::try_from(outcome.pages.len()).unwrap_or(u32::MAX);
    let (pages, failure) = trial::pull(plugin, &call, &trial.stream, trial.cursor.clone(), pages_max).await;
    let again = TrialResult {
        plugin: plugin.clone(),
        pages,
        exchanges: Vec::new(),
        failure,
        lines: Vec::new(),
        now_ms: outcome.now_ms,
    };
    let counts = |outcome: &TrialResult| {
        let report = Report::of(outcome, trial.stream.as_str());
        (report.records.len(), report.refused.len(), outcome.pages.len())
    };
    let (real, made) = (counts(outcome), counts(&again));
    if let Some(failure) = &again.failure {
        return Err(KitError::Usage(text!(
            "the connector cannot be run over the made-up answers, so nothing was written: {failure}",
            "连接器无法处理虚构的应答，因此未写入任何内容：{failure}"
        )));
    }
    if real != made {
        return Err(KitError::Usage(text!(
            "of the made-up answers the connector makes {} records and refuses {}, of the real ones {} and {}: nothing was written; \
             a field that the mapping needs was taken for a person's: name it in the manifest's lineage",
            "连接器从虚构的应答得出 {} 条记录并拒绝 {} 条，从真实应答得出 {} 条并拒绝 {} 条：未写入任何内容；映射所需的某个字段被当作个人信息：请在清单的 lineage 中写明",
            made.0,
            made.1,
            real.0,
            real.1
        )));
    }
    Ok(Recorded {
        exchanges: disguised.exchanges.len(),
        values: disguised.values,
        config: disguised.config.clone(),
        now: Instant::from_epoch_ms(outcome.now_ms).map(|at| at.to_string()).unwrap_or_default(),
        records: made.0,
        refused: made.1,
    })
}

fn text_of(exchanges: &[Arc<Exchange>]) -> String {
    let list: Vec<Value> = exchanges.iter().map(|exchange| value_of(exchange)).collect();
    format!("{:#}\n", Value::Array(list))
}

fn value_of(exchange: &Exchange) -> Value {
    let mut request = json!({ "method": exchange.method, "url": exchange.url });
    if let Some(body) = &exchange.request_body {
        request["body"] = body_of(body);
    }
    let headers: serde_json::Map<String, Value> =
        exchange.response.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({
        "request": request,
        "response": { "status": exchange.response.status, "headers": headers, "body": body_of(&exchange.response.body) },
    })
}

/// The folder's key, made at the first recording.
fn key(file: &Path) -> Result<[u8; 32], KitError> {
    let failed = |source| KitError::file(file, source);
    if let Ok(bytes) = fs::read(file) {
        return bytes.try_into().map_err(|bytes: Vec<u8>| {
            let (shown, found) = (file.display(), bytes.len());
            KitError::Usage(text!(
                "{shown} has {found} bytes, a key has 32: remove it and record all fixtures again",
                "{shown} 有 {found} 字节，而密钥为 32 字节：请删除并重新录制全部样例"
            ))
        });
    }
    let key: [u8; 32] = rand::random();
    let mut written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    written.write_all(&key).map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(KEY_FILE);
        let made = key(&file).unwrap();
        assert_eq!(key(&file).unwrap(), made);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, b"short").unwrap();
        assert!(key(&file).unwrap_err().to_string().contains("a key has 32"));
    }
}
