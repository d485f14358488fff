//! A table of accounts, payslips, and a store with flows in front of a ledger that does as told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use renmen_flow::{
    ActionInfo, Catalogue, Destination, DestinationEntry, Failure, FlowEngine, FlowOptions, Identity, Push, Receipt,
    SystemClock,
};
use renmen_ledger::{ACTION, Account, Book, Dimension, DimensionOf, Item, Ledger, PostingDate, RunFacts};
use renmen_schema::FailureKind;
use renmen_schema::code::{PayLineCode, PayLineKind, PayrollRunState};
use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_schema::types::{DateSpan, LocalDate};
use renmen_store::{
    Content, NewRun, PageCommit, PluginRef, RecordQuery, RecordWrite, Store, StoreOptions, StreamKey, open,
};
use serde_json::{Value, json};
use std::sync::Mutex;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

fn account(code: &str, dimensions: &[&str]) -> Account {
    let dimensions = dimensions.iter().map(|name| (*name).to_owned()).collect();
    Account { code: code.to_owned(), dimensions, text: code.to_owned() }
}

fn item(name: &str, kind: PayLineKind, codes: &[PayLineCode], debit: Option<Account>, credit: Option<Account>) -> Item {
    Item { name: name.to_owned(), kind, codes: codes.to_vec(), words: Vec::new(), debit, credit }
}

/// Wages by cost centre, pension and housing fund, tax, the employer's pension.
pub(crate) fn book() -> Book {
    use PayLineKind::{Deduction, Earning, EmployerContribution, Tax};
    let by_centre = |code| Some(account(code, &["cost_center"]));
    let map = [("D-10", "CC10"), ("D-20", "CC20")].map(|(unit, code)| (unit.to_owned(), code.to_owned()));
    Book {
        name: "payroll".to_owned(),
        tenant: tenant(),
        connection: name("finance"),
        runs: Vec::new(),
        states: vec![PayrollRunState::Approved, PayrollRunState::Paid],
        ledger: "001".to_owned(),
        document_type: None,
        date: PostingDate::PeriodEnd,
        text: "Payroll".to_owned(),
        header: BTreeMap::new(),
        net: account("2211.01", &[]),
        items: vec![
            item("wages", Earning, &[PayLineCode::Base, PayLineCode::Bonus], by_centre("6602.01"), None),
            item(
                "social",
                Deduction,
                &[PayLineCode::Pension, PayLineCode::HousingFund],
                None,
                Some(account("2241.01", &[])),
            ),
            item("tax", Tax, &[], None, Some(account("2221.01", &[]))),
            item(
                "pension",
                EmployerContribution,
                &[PayLineCode::Pension],
                by_centre("6602.05"),
                Some(account("2211.05", &[])),
            ),
        ],
        dimensions: BTreeMap::from([(
            "cost_center".to_owned(),
            Dimension {
                name: "cost_center".to_owned(),
                of: DimensionOf::OrgUnit,
                map: BTreeMap::from(map),
                default: None,
            },
        )]),
        total: None,
        lines_max: 999,
    }
}

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

pub(crate) fn facts() -> RunFacts {
    RunFacts {
        connection: name("payroll"),
        external_id: "2025-03".to_owned(),
        period: DateSpan::new(day("2025-03-01"), day("2025-03-31")),
        pay_date: None,
        totals: Vec::new(),
    }
}

pub(crate) fn line(kind: &str, code: &str, amount: &str) -> Value {
    json!({ "kind": kind, "code": { "code": code }, "name": { "en": code }, "amount": { "amount": amount, "currency": "CNY" } })
}

#[allow(clippy::needless_pass_by_value, reason = "each call makes its lines")]
pub(crate) fn slip(net: &str, gross: &str, lines: Vec<Value>) -> Value {
    json!({
        "run": { "external": { "value": "2025-03" } }, "employee": { "external": { "value": "e1" } },
        "gross": { "amount": gross, "currency": "CNY" }, "net": { "amount": net, "currency": "CNY" }, "lines": lines,
    })
}

/// A ledger behind a connector that looks first.
#[derive(Default)]
pub(crate) struct Finance {
    /// What it was sent, and under which number it stands.
    pub(crate) books: Mutex<Vec<(Value, String)>>,
    /// Codes with which the next postings are refused.
    pub(crate) refuses: Mutex<Vec<&'static str>>,
    /// Attempts.
    pub(crate) attempts: Mutex<Vec<Value>>,
    pub(crate) forgetful: bool,
}

#[async_trait]
impl Destination for Finance {
    fn actions(&self) -> BTreeMap<String, ActionInfo> {
        let identity = if self.forgetful { Identity::None } else { Identity::ReadBeforeWrite };
        BTreeMap::from([(ACTION.to_owned(), ActionInfo { identity, ..ActionInfo::default() })])
    }

    async fn push(&self, push: Push) -> Result<Receipt, Failure> {
        let input: Value = serde_json::from_slice(&push.input).unwrap();
        self.attempts.lock().unwrap().push(input.clone());
        if let Some(code) = self.refuses.lock().unwrap().pop() {
            return Err(Failure { code: Some(code.to_owned()), ..Failure::new(FailureKind::InvalidInput, "refused") });
        }
        let mut books = self.books.lock().unwrap();
        let known = books.iter().find(|(journal, _)| journal["id"] == input["id"]).map(|(_, number)| number.clone());
        let number = known.unwrap_or_else(|| {
            let number = format!("001/2025/{:04}", books.len() + 1);
            books.push((input, number.clone()));
            number
        });
        Ok(Receipt { reference: Some(number), detail: serde_json::Map::new(), confirmed: true })
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) finance: Arc<Finance>,
    pub(crate) _folder: TempDir,
    cancel: CancellationToken,
}

impl World {
    pub(crate) async fn new(finance: Finance, book: Book) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("ledger.db").display());
        let store = open(StoreOptions { synchronous_full: false, ..StoreOptions::at(url) }).await.unwrap();
        let finance = Arc::new(finance);
        let mut catalogue = Catalogue::default();
        catalogue.add(name("finance"), DestinationEntry::new(Arc::clone(&finance) as Arc<dyn Destination>));
        let flows = FlowEngine::new(
            Arc::clone(&store),
            BTreeMap::from([(tenant(), catalogue)]),
            FlowOptions::default(),
            Arc::new(SystemClock),
        );
        let cancel = CancellationToken::new();
        tokio::spawn(Arc::clone(&flows).serve(cancel.clone()));
        let ledger = Ledger::new(Arc::clone(&store), flows, vec![book]);
        Self { store, ledger, finance, _folder: folder, cancel }
    }

    pub(crate) async fn put(&self, connection: &str, records: &[(&str, &str, Value)]) {
        let stream = StreamName::new("all").unwrap();
        let key = StreamKey { tenant: tenant(), connection: name(connection), stream };
        let plugin = PluginRef { name: "made-up".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
        let now_ms = renmen_flow::Clock::now_ms(&SystemClock);
        let trigger = renmen_store::RunTrigger::Manual;
        let new = NewRun { key: key.clone(), plugin, trigger, now_ms, lease_ms: 1 };
        let run = self.store.begin_run(new).await.unwrap();
        let cursor = self.store.stream_state(&key).await.unwrap().cursor;
        let write = |(entity, id, body): &(&str, &str, Value)| RecordWrite {
            external_id: (*id).to_owned(),
            content: Content::of(*entity, body.to_string().into_bytes()),
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted: None,
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
        let state = renmen_store::RunState::Completed;
        let end = renmen_store::RunEnd { findings: Vec::new(), state, error: None, retry_at_ms: None, now_ms };
        self.store.finish_run(run, end).await.unwrap();
    }

    /// A run with two payslips of people in two units, one below a unit with a cost centre.
    pub(crate) async fn a_run(&self, state: &str) -> RecordId {
        let employee = |unit: &str, number: &str| {
            json!({ "person": { "names": { "formatted": "Made Up" } }, "number": number,
                    "work": { "org_unit": { "external": { "value": unit } } } })
        };
        let unit = |code: &str, parent: Option<&str>| {
            let mut unit = json!({ "name": { "en": code }, "code": code, "kind": { "code": "DEPARTMENT" } });
            if let Some(parent) = parent {
                unit["parent"] = json!({ "external": { "value": parent } });
            }
            unit
        };
        self.put(
            "hr",
            &[
                ("org_unit", "u10", unit("D-10", None)),
                ("org_unit", "u11", unit("D-11", Some("u10"))),
                ("org_unit", "u20", unit("D-20", None)),
                ("employee", "e1", employee("u11", "E1")),
                ("employee", "e2", employee("u20", "E2")),
            ],
        )
        .await;
        self.put(
            "payroll",
            &[
                ("payroll_run", "2025-03", run(state)),
                ("payroll_record", "s1", of("E1", "2025-03", "9000")),
                ("payroll_record", "s2", of("E2", "2025-03", "4000")),
                ("payroll_record", "s3", of("E2", "2025-02", "1")),
            ],
        )
        .await;
        // Any connection may say that a payslip belongs to the run.
        let mut stranger = of("E1", "2025-03", "77777");
        stranger["run"] = json!({ "external": { "connection": "payroll", "value": "2025-03" } });
        self.put("stranger", &[("payroll_record", "x", stranger)]).await;
        self.id("payroll_run", "payroll", "2025-03").await
    }

    pub(crate) async fn id(&self, entity: &str, connection: &str, external_id: &str) -> RecordId {
        let query = RecordQuery {
            entity: Some(entity.to_owned()),
            connection: Some(name(connection)),
            external_id: Some(external_id.to_owned()),
            limit: 1,
            ..RecordQuery::default()
        };
        self.store.records(&tenant(), &query).await.unwrap().items[0].id
    }

    pub(crate) fn numbers(&self) -> BTreeSet<String> {
        self.finance.books.lock().unwrap().iter().map(|(_, number)| number.clone()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

pub(crate) fn run(state: &str) -> Value {
    json!({ "period": { "start": "2025-03-01", "end": "2025-03-31" }, "pay_date": "2025-04-05",
            "kind": { "code": "REGULAR" }, "state": { "code": state } })
}

/// A payslip of an employee: a net amount after 10 of tax.
pub(crate) fn of(number: &str, run: &str, net: &str) -> Value {
    let net_amount: i64 = net.parse().unwrap();
    let gross = (net_amount + 10).to_string();
    let mut body = slip(net, &gross, vec![line("EARNING", "BASE", &gross), line("TAX", "INDIVIDUAL_INCOME_TAX", "10")]);
    body["run"] = json!({ "external": { "value": run } });
    body["employee"] = json!({ "key": { "scheme": "employee_number", "value": number } });
    body
}
