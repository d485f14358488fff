//! `fixtures/*.http.json` as they are read: a list of exchanges without headers of the request and without credentials.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renmen_egress::{Exchange, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::component;

/// How the name of a fixture ends.
pub(crate) const ENDING: &str = ".http.json";
/// What a file should hold.
const FORM: &str = "expected a list of {\"request\": {\"method\", \"url\", \"body\"?}, \"response\": {\"status\", \"headers\"?, \"body\"?}}";

/// One exchange as `renmen_plugin::testing::Host` reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recorded {
    pub(crate) request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordedRequest {
    #[serde(default = "get")]
    pub(crate) method: String,
    pub(crate) url: String,
    #[serde(default)]
    body: Option<Value>,
}

#[derive(Debug, Deserialize)]
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
    "GET".to_owned()
}

fn ok() -> u16 {
    200
}

/// A fixture that cannot be read, and where.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// File, line and column.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) why: String,
}

/// The fixtures of a folder, in the order of their names; none where the folder is not there.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ENDING));
    files.sort();
    files
}

/// The exchanges of one file, and its text.
pub(crate) fn read(file: &Path) -> Result<(String, Vec<Recorded>), Unreadable> {
    let shown = file.display();
    let text =
        component::read_text(file).map_err(|error| Unreadable { place: shown.to_string(), why: error.to_string() })?;
    match serde_json::from_str(&text) {
        Ok(list) => Ok((text, list)),
        Err(error) => {
            let place = format!("{shown}:{}:{}", error.line(), error.column());
            Err(Unreadable { place, why: format!("{error}; {FORM}") })
        }
    }
}

impl Recorded {
    /// As it would have been kept.
    pub(crate) fn exchange(self) -> Arc<Exchange> {
        let Self { request, response } = self;
        let mut headers: Vec<(String, String)> =
            response.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        if matches!(&response.body, Some(body) if !body.is_string())
            && !headers.iter().any(|(name, _)| name == "content-type")
        {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Arc::new(Exchange {
            method: request.method,
            url: request.url,
            request_headers: Vec::new(),
            request_body: request.body.map(bytes_of),
            response: Response {
                status: response.status,
                headers,
                body: response.body.map(bytes_of).unwrap_or_default(),
            },
            at_ms: 0,
            took_ms: 0,
        })
    }
}

fn bytes_of(body: Value) -> bytes::Bytes {
    match body {
        Value::String(text) => text.into(),
        json => json.to_string().into(),
    }
}
