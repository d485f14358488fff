//! A drop directory for the tests, and files to put into it.

use connector_table_file::TableFile;
use renmen_plugin::http::Response;
use renmen_plugin::testing::{Host, Run};
use renmen_plugin::{Failure, Page, Pull};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Files with the time of their last change, in milliseconds.
#[derive(Default)]
pub(crate) struct Drop {
    files: Vec<(String, Vec<u8>, i64)>,
}

impl Drop {
    pub(crate) fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let at = self.files.len() as i64;
        self.files.push((name.to_owned(), bytes.into(), at));
        self
    }

    pub(crate) fn host(&self) -> Host {
        let listing: Vec<Value> = self
            .files
            .iter()
            .map(|(name, bytes, at)| {
                json!({"name": name, "bytes": bytes.len(), "modified_ms": at, "sha256": hex::encode(Sha256::digest(bytes))})
            })
            .collect();
        let mut host = Host::new().answer("GET", "drop:///", 200, Value::from(listing).to_string());
        for (name, bytes, _) in &self.files {
            let url = format!("drop:///{name}");
            host = host.answer_with("GET", &url, Response::from_parts(200, Vec::new(), bytes.clone()));
        }
        host
    }

    pub(crate) fn run(&self, config: &Value, stream: &str, cursor: Option<String>) -> Result<Run, Failure> {
        self.host().pull_all::<TableFile>(config, stream, cursor)
    }

    pub(crate) fn page(
        &self,
        config: &Value,
        stream: &str,
        cursor: Option<String>,
        max_records: u32,
    ) -> Result<Page, Failure> {
        let pull = Pull { stream: stream.into(), cursor, only: Vec::new(), max_records };
        self.host().pull::<TableFile>(config, pull)
    }
}

pub(crate) fn xlsx(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().unwrap()
}

pub(crate) fn payload(run: &Run, index: usize) -> Value {
    serde_json::from_slice(&run.records[index].payload).unwrap()
}

pub(crate) fn ids(run: &Run) -> Vec<&str> {
    run.records.iter().map(|record| record.external_id.as_str()).collect()
}
