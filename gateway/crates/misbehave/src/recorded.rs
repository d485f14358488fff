//! Recorded exchanges as a source: the `*.http.json` files of a connector's fixtures.
//!
//! Hosts do not count, because the kit serves all of them; the n-th equal request gets the n-th answer that was recorded
//! for it, the last one again and again.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::answer::{Answer, Content};
use crate::ask::Ask;

/// The most bytes of one fixture file.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Fixtures that cannot be read.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// No file, or no folder.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a list of exchanges.
    #[error(
        "{path}: {reason}; a fixture is a JSON list of {{\"request\": {{\"method\", \"url\", \"body\"?}}, \"response\": {{\"status\", \"headers\"?, \"body\"?}}}}"
    )]
    Form {
        /// Which.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// An empty folder.
    #[error("{0}: there is no *.http.json in this folder")]
    Empty(PathBuf),
    /// Too big.
    #[error("{path} has {bytes} bytes, {FILE_BYTES_MAX} are allowed")]
    TooBig {
        /// Which.
        path: PathBuf,
        /// How many.
        bytes: u64,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    request: Request,
    response: Response,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    body: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
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

/// The exchanges of a folder.
#[derive(Debug, Clone)]
pub struct Recording {
    exchanges: Vec<Exchange>,
    given: HashMap<String, usize>,
}

/// Reads the fixtures of a folder, in the order of their names.
///
/// # Errors
/// [`RecordedError`], which names the file and the place.
pub fn recorded(folder: &Path) -> Result<Recording, RecordedError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordedError::Read { path, source }
    };
    let entries = std::fs::read_dir(folder).map_err(failed(folder))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".http.json"));
    files.sort();
    let mut exchanges = Vec::new();
    for path in &files {
        let bytes = path.metadata().map_err(failed(path))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(RecordedError::TooBig { path: path.clone(), bytes });
        }
        let text = std::fs::read(path).map_err(failed(path))?;
        let read: Vec<Exchange> = serde_json::from_slice(&text)
            .map_err(|error| RecordedError::Form { path: path.clone(), reason: error.to_string() })?;
        exchanges.extend(read);
    }
    if files.is_empty() {
        return Err(RecordedError::Empty(folder.to_owned()));
    }
    Ok(Recording { exchanges, given: HashMap::new() })
}

impl Recording {
    /// The recorded answer; none for a request that was not recorded.
    pub(crate) fn answer(&mut self, ask: &Ask) -> Option<Answer> {
        let fitting: Vec<usize> =
            (0..self.exchanges.len()).filter(|&at| fits(&self.exchanges[at].request, ask)).collect();
        let key = format!("{} {}{} {}", ask.method, ask.path, ask.raw_query, String::from_utf8_lossy(&ask.body));
        let given = self.given.entry(key).or_default();
        let at = *fitting.get(*given).or(fitting.last())?;
        *given += 1;
        let recorded = &self.exchanges[at].response;
        let content = match &recorded.body {
            None => Content::Bytes(Vec::new().into()),
            Some(Value::String(text)) => Content::Bytes(text.clone().into_bytes().into()),
            Some(body) => Content::Json { body: body.clone(), list: None, next: None },
        };
        let mut answer = Answer::of(recorded.status, content);
        answer.headers = recorded.headers.clone().into_iter().collect();
        Some(answer)
    }
}

fn fits(request: &Request, ask: &Ask) -> bool {
    let place = request
        .url
        .split_once("://")
        .map_or(request.url.as_str(), |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let recorded = Ask::new(&request.method, place, Vec::new(), Vec::new().into());
    recorded.method == ask.method
        && recorded.path == ask.path
        && recorded.query == ask.query
        && request.body.as_ref().is_none_or(|body| {
            ask.json.as_ref() == Some(body) || body.as_str().is_some_and(|text| text.as_bytes() == ask.body)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folder(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.http.json"), text).unwrap();
        folder
    }

    #[test]
    fn the_nth_equal_request_gets_the_nth_answer_from_whatever_host() {
        let folder = folder(
            r#"[{"request": {"url": "https://a.test/x?q=1%202"}, "response": {"body": {"n": 1}}},
                {"request": {"url": "https://b.test/x?q=1%202"}, "response": {"status": 500, "body": "text"}}]"#,
        );
        let mut recording = recorded(folder.path()).unwrap();
        let ask = Ask::new("GET", "/x?q=1+2", vec![], Vec::new().into());
        let statuses: Vec<u16> = (0..3).map(|_| recording.answer(&ask).unwrap().status).collect();
        assert_eq!(statuses, [200, 500, 500]);
        assert!(recording.answer(&Ask::new("GET", "/x?q=2", vec![], Vec::new().into())).is_none());
    }

    #[test]
    fn a_fixture_that_is_none_is_told_with_its_file_and_line() {
        let told = |text: &str| recorded(folder(text).path()).unwrap_err().to_string();
        assert!(told("[\n{\"request\": 1}]").contains("a.http.json: invalid type"), "{}", told("[{}]"));
        assert!(told("[\n{\"reqest\": {}}]").contains("line 2"));
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(recorded(empty.path()), Err(RecordedError::Empty(_))));
        assert!(matches!(recorded(&empty.path().join("none")), Err(RecordedError::Read { .. })));
    }
}
