//! What people do with journals: look at what would be posted, post it once, see what was posted.
//!
//! Posted once: a posting is a delivery that a person makes with an idempotency key of the table, the run and the currency. One that
//! arrived, or is on its way, is not made again. After one that ended without arriving another may be made, of what the payslips say by
//! then; both carry the same `id`, by which the ledger, or the connector that looks before it writes, knows a repeat. So it does not
//! matter whether the first one arrived after all, or when its answer was lost.

use std::sync::Arc;

use renmen_flow::{FlowEngine, FlowError, HandAsk, HandWork, Identity, Target};
use renmen_schema::entity::{PayrollRecord, PayrollRun};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::LocalDate;
use renmen_schema::{EntityKind, text};
use renmen_store::outbox::{DeliveryQuery, DeliveryRow, DeliveryState};
use renmen_store::{RecordQuery, RecordRow, Store, StoreError};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::book::{Book, PostingDate};
use crate::draft::{Draft, RunFacts};
use crate::error::LedgerError;
use crate::fault::{Fault, FaultCode};
use crate::journal::Journal;
use crate::slip::Slip;
use crate::standing::{Places, is_of_run};

/// The action that takes a journal.
pub const ACTION: &str = renmen_store::outbox::POSTING;
/// Payslips read at once.
const PAGE: u32 = 500;
/// Postings of one run, table and currency that ended without arriving.
const TRIES_MAX: u32 = 1_000;

/// Makes journals and posts them.
pub struct Ledger {
    store: Arc<dyn Store>,
    flows: Arc<FlowEngine>,
    books: Vec<Book>,
    /// Reading a run reads all payslips of its connection: one at a time.
    place: Semaphore,
}

/// What a person wants posted.
#[derive(Debug, Clone)]
pub struct PostAsk {
    /// The table.
    pub book: String,
    /// The payroll run.
    pub run: RecordId,
    /// Who posts it: the name of their key.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What would be posted of a run.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The run.
    pub run: RecordRow,
    /// How many payslips it has.
    pub payslips: u64,
    /// One for each currency.
    pub journals: Vec<PreviewedJournal>,
    /// Why it would not be posted; empty: it would.
    pub faults: Vec<Fault>,
}

/// One journal of a preview.
#[derive(Debug, Clone)]
pub struct PreviewedJournal {
    /// The sums.
    pub journal: Journal,
    /// What would be sent; null where the day of posting is not known.
    pub input: Value,
    /// The posting that was made of it, the newest.
    pub posted: Option<DeliveryRow>,
    /// That posting, where it arrived or is on its way, said something else.
    pub differs: bool,
}

/// A posting.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The delivery that carries it.
    pub delivery: DeliveryRow,
    /// False: it was made before.
    pub is_new: bool,
    /// It was made before, of other sums than the payslips come to now.
    pub differs: bool,
}

impl Ledger {
    /// Over a store and what sends.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, flows: Arc<FlowEngine>, books: Vec<Book>) -> Arc<Self> {
        Arc::new(Self { store, flows, books, place: Semaphore::new(1) })
    }

    /// The tables of a tenant.
    #[must_use]
    pub fn books(&self, tenant: &TenantId) -> Vec<Book> {
        self.books.iter().filter(|book| book.tenant == *tenant).cloned().collect()
    }

    fn book(&self, tenant: &TenantId, name: &str) -> Result<Book, LedgerError> {
        let found = self.books.iter().find(|book| book.tenant == *tenant && book.name == name).cloned();
        found.ok_or_else(|| LedgerError::NoBook(name.chars().take(63).collect()))
    }

    /// What would be posted of a run, and why it would not. Nothing is kept, nothing is sent.
    ///
    /// # Errors
    /// [`LedgerError::NoBook`], [`LedgerError::NoRun`], [`LedgerError::Busy`], [`LedgerError::Store`].
    pub async fn preview(&self, tenant: &TenantId, book: &str, run: RecordId) -> Result<Preview, LedgerError> {
        let book = self.book(tenant, book)?;
        let made = self.made(tenant, &book, run).await?;
        let mut preview = Preview { run: made.row, payslips: made.payslips, journals: Vec::new(), faults: made.faults };
        for journal in made.journals {
            let input = match made.date {
                Some(date) => journal.input(&book, &made.facts, date),
                None => Value::Null,
            };
            let (posted, _) = self.last(tenant, &book, &made.facts, &journal).await?;
            let differs = posted.as_ref().is_some_and(|row| !failed(row) && says_else(row, &input));
            preview.journals.push(PreviewedJournal { journal, input, posted, differs });
        }
        let taken = self.taken_there(tenant, &book, &preview).await?;
        preview.faults.extend(taken);
        Ok(preview)
    }

    /// Posts a run: one delivery for each currency, in the order of the preview that it was made from. What was posted before is given
    /// back as it stands.
    ///
    /// # Errors
    /// As [`Ledger::preview`]; [`LedgerError::Faults`] with every reason for which it is not posted; [`LedgerError::Flow`].
    pub async fn post(&self, tenant: &TenantId, ask: &PostAsk) -> Result<(Preview, Vec<Posted>), LedgerError> {
        let book = self.book(tenant, &ask.book)?;
        let preview = self.preview(tenant, &ask.book, ask.run).await?;
        let run: PayrollRun = read(&preview.run)?;
        let facts = RunFacts::of(&preview.run, &run);
        // What is in the books stays there, even where the run would not be posted as it stands now.
        let all_posted = !preview.journals.is_empty()
            && preview.journals.iter().all(|one| one.posted.as_ref().is_some_and(|row| !failed(row)));
        if !preview.faults.is_empty() && !all_posted {
            return Err(LedgerError::Faults(preview.faults));
        }
        let mut done = Vec::new();
        for PreviewedJournal { journal, input, posted, differs } in &preview.journals {
            if let Some(delivery) = posted.clone().filter(|row| !failed(row)) {
                done.push(Posted { delivery, is_new: false, differs: *differs });
                continue;
            }
            let (_, key) = self.last(tenant, &book, &facts, journal).await?;
            let hand = HandAsk {
                record: preview.run.id,
                work: HandWork::Input { to: target(&book), input: input.clone() },
                by: ask.by.clone(),
                reason: ask.reason.clone(),
                idempotency_key: Some(key),
            };
            let acted = self.flows.act(tenant, &hand).await?;
            done.push(Posted { delivery: acted.delivery, is_new: acted.is_new, differs: false });
        }
        Ok((preview, done))
    }

    /// Postings, newest first, each with its input.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn postings(
        &self,
        tenant: &TenantId,
        run: Option<RecordId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, LedgerError> {
        Ok(postings(&*self.store, tenant, run, before, limit).await?)
    }

    /// One posting.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn posting(&self, tenant: &TenantId, id: i64) -> Result<Option<DeliveryRow>, LedgerError> {
        Ok(self.store.delivery(tenant, id).await?.filter(|row| row.action == ACTION))
    }

    /// The newest posting of a journal, and the key of the next one that may be made.
    async fn last(
        &self,
        tenant: &TenantId,
        book: &Book,
        run: &RunFacts,
        journal: &Journal,
    ) -> Result<(Option<DeliveryRow>, String), LedgerError> {
        let id = journal.id(book, run);
        let mut key = format!("journal {id}");
        let mut last = None;
        for _ in 0..TRIES_MAX {
            match self.flows.made_by_hand(tenant, &key).await? {
                None => break,
                Some(row) => {
                    // All who ask after the same end make the same next one.
                    key = format!("journal {id} after {}", row.id);
                    let open = !failed(&row);
                    last = Some(row);
                    if open {
                        break;
                    }
                }
            }
        }
        Ok((last, key))
    }

    /// Reads the run and all its payslips.
    async fn made(&self, tenant: &TenantId, book: &Book, run: RecordId) -> Result<Made, LedgerError> {
        let _place = self.place.try_acquire().map_err(|_| LedgerError::Busy)?;
        let row = self.store.record(tenant, run).await?;
        let row = row.filter(|row| row.entity == EntityKind::PayrollRun.name() && row.deleted.is_none());
        let row = row.ok_or(LedgerError::NoRun)?;
        let run: PayrollRun = read(&row)?;
        let facts = RunFacts::of(&row, &run);
        let draft = self.summed(tenant, book, (&row, &run)).await?;
        let payslips = draft.slips();
        let mut faults = stands(book, &row, &run);
        let (journals, of_sums) = draft.finish(&facts);
        faults.extend(of_sums);
        let date = match book.date {
            PostingDate::PeriodEnd => Some(facts.period.end),
            PostingDate::PayDate => facts.pay_date,
        };
        if date.is_none() {
            faults.push(Fault::new(
                FaultCode::Date,
                text!(
                    "the run has no pay date: set `date = \"period_end\"`, or complete the run",
                    "批次没有发薪日：请设置 `date = \"period_end\"`，或补全批次"
                ),
            ));
        }
        // A total that is met shows that nothing is missing.
        if book.total.is_none() {
            faults.extend(self.quarantined(tenant, &row).await?);
        }
        Ok(Made { row, facts, date, payslips, journals, faults })
    }

    /// The sums of all payslips of a run.
    async fn summed<'b>(
        &self,
        tenant: &TenantId,
        book: &'b Book,
        (row, run): (&RecordRow, &PayrollRun),
    ) -> Result<Draft<'b>, LedgerError> {
        let mut places = Places::of_run(&*self.store, tenant, row, run).await?;
        let mut draft = Draft::new(book);
        // A payslip of any other connection would only say that it belongs to this run.
        let mut query = RecordQuery {
            entity: Some(EntityKind::PayrollRecord.name().to_owned()),
            connection: Some(row.connection.clone()),
            limit: PAGE,
            ..RecordQuery::default()
        };
        loop {
            let slice = self.store.records(tenant, &query).await?;
            let parse = |slip: RecordRow| {
                let body: PayrollRecord = serde_json::from_slice(&slip.body).ok()?;
                is_of_run(&body, row).then_some((slip, body))
            };
            let (slips, bodies): (Vec<RecordRow>, Vec<PayrollRecord>) =
                slice.items.into_iter().filter_map(parse).unzip();
            let standings = match book.asks_for_employees() {
                true if !slips.is_empty() => places.of(&slips).await?,
                _ => slips.iter().map(|_| places.of_nobody()).collect(),
            };
            for ((slip, body), standing) in slips.iter().zip(&bodies).zip(&standings) {
                draft.take(&Slip { external_id: &slip.external_id, body }, standing);
            }
            match slice.next {
                Some(next) => query.after = Some(next),
                None => return Ok(draft),
            }
        }
    }

    async fn quarantined(&self, tenant: &TenantId, run: &RecordRow) -> Result<Option<Fault>, LedgerError> {
        let (mut count, mut after) = (0_u64, 0);
        loop {
            let rows = self.store.quarantine(tenant, Some(&run.connection), after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            let slips = rows.iter().filter(|row| row.item.entity == EntityKind::PayrollRecord.name());
            count += slips.count() as u64;
        }
        let connection = &run.connection;
        Ok((count > 0).then(|| {
            Fault::new(
                FaultCode::Quarantined,
                text!(
                    "{count} payslips of connection `{connection}` wait in quarantine, so the run may be incomplete: retry or drop them \
                     (`renmen quarantine list {connection}`), or set `total`, by which a complete run is known",
                    "连接 `{connection}` 有 {count} 张工资单在隔离区，批次可能不完整：请重试或丢弃（`renmen quarantine list {connection}`），或设置 `total` 以确认批次完整"
                ),
            )
        }))
    }

    /// What the destination says of it.
    async fn taken_there(&self, tenant: &TenantId, book: &Book, preview: &Preview) -> Result<Vec<Fault>, LedgerError> {
        let action = self.flows.actions(tenant).into_iter();
        let action = action.into_iter().find(|one| one.connection == book.connection && one.action == ACTION);
        let mut faults = Vec::new();
        if let Some(action) = action
            && action.info.identity == Identity::None
        {
            let connection = &book.connection;
            faults.push(Fault::new(
                FaultCode::MayRepeat,
                text!(
                    "`{ACTION}` of connection `{connection}` recognises no repeat, so a run could stand in the books twice: use a connector \
                     whose action is `idempotent`",
                    "连接 `{connection}` 的 `{ACTION}` 无法识别重复请求，批次可能重复入账：请使用声明了 `idempotent` 的连接器"
                ),
            ));
        }
        for one in preview.journals.iter().filter(|one| one.input.is_object()) {
            if one.posted.as_ref().is_some_and(|row| !failed(row)) {
                continue;
            }
            let hand = HandAsk {
                record: preview.run.id,
                work: HandWork::Input { to: target(book), input: one.input.clone() },
                by: String::new(),
                reason: String::new(),
                idempotency_key: None,
            };
            match self.flows.plan_by_hand(tenant, &hand).await {
                Ok(plan) => {
                    let defect = |defect: renmen_flow::InputDefect| {
                        let message = text!(
                            "the destination does not take the input: {}: {}",
                            "目标不接受该输入：{}：{}",
                            defect.pointer,
                            defect.message
                        );
                        Fault::new(FaultCode::Input, message)
                    };
                    faults.extend(plan.defects.into_iter().map(defect));
                    faults.extend(plan.refused.map(|why| Fault::new(FaultCode::Input, why)));
                }
                Err(FlowError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let message = renmen_schema::Text::rendered(|| error.to_string());
                    faults.push(Fault::new(FaultCode::Input, message));
                }
            }
        }
        Ok(faults)
    }
}

/// Postings, newest first, each with its input.
///
/// # Errors
/// [`StoreError`].
pub async fn postings(
    store: &dyn Store,
    tenant: &TenantId,
    run: Option<RecordId>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let query =
        DeliveryQuery { action: Some(ACTION.to_owned()), record: run, before, limit, ..DeliveryQuery::default() };
    let rows = store.deliveries(tenant, &query).await?;
    let mut whole = Vec::with_capacity(rows.len());
    for row in rows {
        // A list has no inputs; one that was deleted meanwhile is passed over.
        whole.extend(store.delivery(tenant, row.id).await?);
    }
    Ok(whole)
}

/// A run with its sums.
struct Made {
    row: RecordRow,
    facts: RunFacts,
    date: Option<LocalDate>,
    payslips: u64,
    journals: Vec<Journal>,
    faults: Vec<Fault>,
}

fn target(book: &Book) -> Target {
    Target { connection: book.connection.clone(), action: ACTION.to_owned() }
}

/// A canonical body parses.
fn read<T: serde::de::DeserializeOwned>(row: &RecordRow) -> Result<T, LedgerError> {
    let fault = |error: serde_json::Error| StoreError::Fault(format!("record {}: {error}", row.id));
    serde_json::from_slice(&row.body).map_err(|error| fault(error).into())
}

/// Did a posting end without arriving?
fn failed(row: &DeliveryRow) -> bool {
    matches!(row.state, DeliveryState::Dead | DeliveryState::Withheld | DeliveryState::Expired)
}

fn says_else(row: &DeliveryRow, input: &Value) -> bool {
    serde_json::from_slice::<Value>(&row.input).is_ok_and(|sent| sent != *input)
}

/// May a run in this state, of this connection, be posted?
fn stands(book: &Book, row: &RecordRow, run: &PayrollRun) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !book.runs.is_empty() && !book.runs.contains(&row.connection) {
        let (name, connection) = (&book.name, &row.connection);
        faults.push(Fault::new(
            FaultCode::Connection,
            text!(
                "the run is of connection `{connection}`, which `journals.{name}.runs` does not name",
                "该批次属于连接 `{connection}`，未列在 `journals.{name}.runs` 中"
            ),
        ));
    }
    if !book.states.contains(&run.state.code) {
        let words = book.states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ");
        let state = run.state.code;
        faults.push(Fault::new(
            FaultCode::State,
            text!(
                "the run is {state}; what is posted is {words} (`states`): have it approved in the payroll system",
                "批次状态为 {state}；可入账的状态为 {words}（`states`）：请先在薪酬系统中审批"
            ),
        ));
    }
    faults
}
