//! A connector that is made of the mapping that a test names.

use std::cell::RefCell;
use std::rc::Rc;

use renmen_declarative::author;
use renmen_declarative::language::Document;
use renmen_plugin::testing::{Host, Run};
use renmen_plugin::{Action, Delivery, Failure, Finding, Outcome, Page, Pull, Receipt, Sink, Source, Webhook};
use serde_json::{Value, json};

thread_local! {
    static MAPPING: RefCell<Option<Rc<Document>>> = const { RefCell::new(None) };
}

/// The connector of the mapping that was named last.
pub(crate) struct Declared;

fn document() -> Rc<Document> {
    MAPPING.with(|mapping| mapping.borrow().clone().unwrap())
}

/// Names the mapping, as the component holds it: in JSON.
pub(crate) fn map(text: &str) {
    let checked = author::read(text, None).unwrap_or_else(|wrong| panic!("{}", told(&wrong)));
    embed(&checked.embedded);
}

/// Names the mapping by what is put into a component.
pub(crate) fn embed(embedded: &[u8]) {
    let document: Document = serde_json::from_slice(embedded).unwrap();
    MAPPING.with(|mapping| *mapping.borrow_mut() = Some(Rc::new(document)));
}

/// All that is wrong, a line each.
pub(crate) fn told(wrong: &[author::Wrong]) -> String {
    wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Source for Declared {
    type Config = Value;

    fn pull(config: Value, pull: Pull) -> Result<Page, Failure> {
        renmen_declarative::pull(&document(), &config, &pull)
    }

    fn probe(config: Value) -> Result<Vec<Finding>, Failure> {
        renmen_declarative::probe(&document(), &config)
    }
}

impl Sink for Declared {
    type Config = Value;

    fn push(config: Value, action: Action) -> Result<Receipt, Failure> {
        renmen_declarative::push(&document(), &config, &action)
    }
}

impl Webhook for Declared {
    type Config = Value;

    fn receive(config: Value, delivery: Delivery) -> Result<Outcome, Failure> {
        renmen_declarative::receive(&document(), &config, &delivery)
    }
}

/// The configuration of every test.
pub(crate) fn config() -> Value {
    json!({ "base_url": "https://hr.example/v1", "boards": ["a", "b c"] })
}

/// Pulls a stream to the end of the run.
pub(crate) fn pull_all(host: &Host, stream: &str, cursor: Option<String>) -> Result<Run, Failure> {
    host.pull_all::<Declared>(&config(), stream, cursor)
}

/// Pulls one page of so many records.
pub(crate) fn page(host: &Host, stream: &str, cursor: Option<String>, max_records: u32) -> Result<Page, Failure> {
    host.pull::<Declared>(&config(), Pull { stream: stream.into(), cursor, max_records, ..Pull::default() })
}

/// Employees by id and name: what stands behind most mappings of these tests.
pub(crate) const EMPLOYEE: &str = r#"
[[streams.staff.records]]
entity = "employee"
id = "/id"

[streams.staff.records.fields]
"/person/names/formatted" = { from = "/name", required = true }
"#;

/// A mapping with one stream.
pub(crate) fn staff(stream: &str) -> String {
    format!("[api]\nbase = \"{{config/base_url}}\"\n\n[streams.staff]\n{stream}\n{EMPLOYEE}")
}

/// A row.
pub(crate) fn row(id: &str) -> Value {
    json!({ "id": id, "name": format!("Name {id}") })
}

/// The external ids of a run.
pub(crate) fn ids(records: &[renmen_plugin::Envelope]) -> Vec<&str> {
    records.iter().map(|record| record.external_id.as_str()).collect()
}

/// A record's payload.
pub(crate) fn body(record: &renmen_plugin::Envelope) -> Value {
    serde_json::from_slice(&record.payload).unwrap()
}
