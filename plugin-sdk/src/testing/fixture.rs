//! Recorded exchanges: `fixtures/*.http.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::Answer;
use crate::http::Response;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedRequest {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedResponse {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
}

fn get() -> String {
    "GET".into()
}

fn ok() -> u16 {
    200
}

pub(super) fn read_folder(folder: &Path) -> Vec<Answer> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("fixtures {}: {error}", folder.display()));
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_fixture(path)).collect();
    files.sort();
    assert!(!files.is_empty(), "no *.http.json in {}", folder.display());
    files.iter().flat_map(|file| read_file(file)).collect()
}

fn is_fixture(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(".http.json"))
}

fn read_file(file: &Path) -> Vec<Answer> {
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let recorded: Vec<Recorded> =
        crate::locate::parse(&text).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    recorded.into_iter().map(answer).collect()
}

fn answer(recorded: Recorded) -> Answer {
    let Recorded { request, response } = recorded;
    let mut headers: Vec<(String, String)> = response.headers.into_iter().collect();
    let body = match response.body {
        None => Vec::new(),
        Some(Value::String(text)) => text.into_bytes(),
        Some(json) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("content-type".into(), "application/json".into()));
            }
            json.to_string().into_bytes()
        }
    };
    Answer {
        method: request.method,
        url: request.url,
        body: request.body,
        result: Ok(Response::from_parts(response.status, headers, body)),
    }
}
