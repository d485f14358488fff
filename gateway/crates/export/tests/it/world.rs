//! A store with records, a folder to write to, and reading back what was written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use renmen_export::{Directory, ExportError, Exported, Limits, Terms, export};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{
    Content, DeletedBy, NewRun, PageCommit, PluginRef, RecordWrite, RunEnd, RunState, RunTrigger, Store, StoreOptions,
    StreamKey, open,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// 2026-11-28T10:00:00Z
pub(crate) const FIRST_DAY_MS: i64 = 1_795_860_000_000;
pub(crate) const DAY_MS: i64 = 86_400_000;

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("records.db").display());
        let store = open(StoreOptions { synchronous_full: false, ..StoreOptions::at(url) }).await.unwrap();
        std::fs::create_dir(folder.path().join("scratch")).unwrap();
        Self { store, folder }
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    /// Commits records at a time; one without a body is gone.
    pub(crate) async fn put(&self, now_ms: i64, records: &[(&str, &str, Option<Value>)]) {
        let key = StreamKey {
            tenant: tenant(),
            connection: ConnectionName::new("hr").unwrap(),
            stream: StreamName::new("all").unwrap(),
        };
        let plugin = PluginRef { name: "made-up".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
        let new = NewRun { key: key.clone(), plugin, trigger: RunTrigger::Manual, now_ms, lease_ms: 1 };
        let run = self.store.begin_run(new).await.unwrap();
        let cursor = self.store.stream_state(&key).await.unwrap().cursor;
        let write = |(entity, id, body): &(&str, &str, Option<Value>)| RecordWrite {
            external_id: (*id).to_owned(),
            content: match body {
                Some(body) => Content::of(*entity, body.to_string().into_bytes()),
                None => Content::gone(*entity),
            },
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted: body.is_none().then_some(DeletedBy::SourceFlag),
        };
        let page = PageCommit {
            key,
            run,
            cursor_after: cursor.clone(),
            cursor_before: cursor,
            has_more: false,
            sweep: None,
            records: records.iter().map(write).collect(),
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: now_ms,
            now_ms,
        };
        self.store.commit_page(page).await.unwrap();
        let end = RunEnd { findings: Vec::new(), state: RunState::Completed, error: None, retry_at_ms: None, now_ms };
        self.store.finish_run(run, end).await.unwrap();
    }

    pub(crate) async fn export(&self, terms: &Terms, to: &Path, limits: Limits) -> Result<Exported, ExportError> {
        let target = Directory::new(to);
        export(&*self.store, &tenant(), terms, (&target, &self.scratch()), limits, &|| false).await
    }
}

pub(crate) fn employee(number: &str, name: &str) -> Value {
    json!({
        "person": { "names": { "formatted": name }, "gender": { "code": "FEMALE" },
                    "emails": [{ "address": format!("{number}@example.com"), "kind": "WORK" }] },
        "number": number,
        "work": { "hire_date": "2020-02-29", "title": "Engineer" },
        "ext": { "made_up": { "badge": { "type": "STRING", "value": "canary-of-ext" } } },
    })
}

pub(crate) fn slip(id: &str, net: &str) -> Value {
    let cny = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
    json!({
        "run": { "external": { "value": "2025-03" } }, "employee": { "external": { "value": id } },
        "gross": cny("12000.50"), "net": cny(net),
        "lines": [{ "kind": "EARNING", "code": { "code": "BASE" }, "name": { "en": "b" }, "amount": cny("12000.50") }],
    })
}

/// Every file below a folder: its path from there, and its bytes.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The rows of a Parquet file, each as the names of its columns with what stands there, without what is empty.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        let columns = row.get_column_iter().map(|(name, field)| (name.clone(), field.to_string()));
        columns.filter(|(_, value)| value != "null").collect()
    });
    rows.collect()
}
