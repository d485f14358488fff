//! Journals: what a payroll run comes to in the books, posted once, with the ledger's document number as the receipt. What is posted is
//! a delivery like any other that a person had made; here it is shown as what it means.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_flow::ByHand;
use renmen_ledger::{Fault, LedgerError, PostAsk, Posted, Preview, PreviewedJournal};
use renmen_schema::id::RecordId;
use renmen_schema::{Language, Text};
use renmen_store::outbox::DeliveryRow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::deliveries::{Delivery, DeliveryReceipt, DeliveryStateName};
use super::flows::is_flow_name;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;
use crate::text::Prose;

/// Postings in one answer at most: each has all its lines.
const LIMIT_MAX: u32 = 100;
const LIMIT_DEFAULT: u32 = 20;

/// A payroll run to post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalRequest {
    /// The table of accounts: a key under `[journals]`.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    journal: String,
    /// The id of the payroll run's record.
    #[schema(format = "uuid")]
    run: String,
    /// The reason, stored with the posting.
    reason: Prose,
    /// Shows what would be posted, and why it would not; posts nothing.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// What is posted of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalAnswer {
    /// True: nothing was posted.
    dry_run: bool,
    /// The table of accounts.
    journal: String,
    /// The payroll run.
    #[schema(format = "uuid")]
    run: String,
    /// The payslips that were summed up.
    payslips: u64,
    /// One for each currency.
    journals: Vec<JournalView>,
    /// Why it would not be posted; empty: it would. Only in a dry run.
    faults: Vec<JournalFault>,
}

/// A journal of one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalView {
    /// ISO 4217.
    currency: String,
    /// Sum of the debit lines, in units of the currency.
    debit: String,
    /// Sum of the credit lines, in units of the currency.
    credit: String,
    /// Debit less credit, in units of the currency.
    difference: String,
    /// The lines, debit first.
    lines: Vec<JournalLineView>,
    /// The posting, the newest; null where none was made.
    posting: Option<Posting>,
    /// True: this request made the posting.
    is_new: bool,
    /// True: the posting was made before, of other sums than the payslips come to now.
    differs: bool,
}

/// A line of a journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalLineView {
    /// `DEBIT` or `CREDIT`.
    side: &'static str,
    /// The account.
    account: String,
    /// In units of the currency.
    amount: String,
    /// What was summed up.
    text: String,
    /// Codes by the ledger's names of the dimensions.
    #[schema(value_type = Object)]
    dimensions: Value,
}

/// Why a run is not posted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalFault {
    /// For programs: `unbalanced`, `no_account`, `no_dimension`, `state` and others.
    code: &'static str,
    /// What it is, and what to do.
    message: String,
}

/// A journal that was posted, or is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Posting {
    /// Number of its delivery.
    id: i64,
    /// The delivery, as a path of this API.
    delivery_url: String,
    /// The table of accounts.
    journal: String,
    /// The payroll run.
    #[schema(format = "uuid")]
    run: String,
    /// The run's id in the payroll system.
    reference: String,
    /// The connection that posts it.
    connection: String,
    /// ISO 4217.
    currency: String,
    /// Sum of the debit lines, in units of the currency.
    total: String,
    /// Day of posting.
    #[schema(format = "date")]
    date: String,
    /// The same for this run, table and currency for ever: by it the ledger recognises a repeat.
    posting_id: String,
    /// How far it is.
    state: DeliveryStateName,
    /// The ledger's document number; null until it has one.
    document: Option<String>,
    /// What the ledger said.
    receipt: Option<DeliveryReceipt>,
    /// Why the last attempt failed.
    error: Option<String>,
    /// Who had it posted: the name of their API key.
    by: Option<String>,
    /// Why.
    reason: Option<String>,
    /// When it was made.
    created_at: Time,
    /// When its state last changed.
    updated_at: Time,
}

/// One posting with what was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostingDetail {
    /// The posting.
    #[serde(flatten)]
    facts: Posting,
    /// The input of the action `journal.post`.
    #[schema(value_type = Object)]
    input: Value,
}

/// A piece of the postings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostingList {
    /// Newest first.
    data: Vec<Posting>,
    /// Pass it as `cursor` to read the next page; null at the end.
    next_cursor: Option<String>,
}

impl Posting {
    fn of(row: DeliveryRow) -> Self {
        let input: Value = serde_json::from_slice(&row.input).unwrap_or_default();
        let text = |key: &str| input[key].as_str().unwrap_or_default().to_owned();
        let by_hand = ByHand::of(&row);
        let run = row.change.id.to_string();
        let facts = Delivery::of(row);
        let document = facts.receipt.as_ref().and_then(|receipt| receipt.reference.clone());
        Self {
            id: facts.id,
            delivery_url: format!("/v1/deliveries/{}", facts.id),
            journal: text("journal"),
            run,
            reference: text("reference"),
            connection: facts.connection,
            currency: text("currency"),
            total: text("total"),
            date: text("date"),
            posting_id: text("id"),
            state: facts.state,
            document,
            receipt: facts.receipt,
            error: facts.error,
            by: by_hand.as_ref().map(|hand| hand.by.clone()),
            reason: by_hand.map(|hand| hand.reason),
            created_at: facts.created_at,
            updated_at: facts.updated_at,
        }
    }
}

impl JournalView {
    fn of(one: PreviewedJournal) -> Self {
        let PreviewedJournal { journal, posted, differs, .. } = one;
        let lines = journal.lines.iter().map(|line| JournalLineView {
            side: line.side.as_str(),
            account: line.account.clone(),
            amount: journal.shown(line.amount),
            text: line.text.clone(),
            dimensions: serde_json::to_value(&line.dimensions).unwrap_or_default(),
        });
        Self {
            currency: journal.currency.as_str().to_owned(),
            debit: journal.shown(journal.debit),
            credit: journal.shown(journal.credit),
            difference: journal.shown(journal.debit - journal.credit),
            lines: lines.collect(),
            posting: posted.map(Posting::of),
            is_new: false,
            differs,
        }
    }

    /// With the posting that was made, or was there.
    fn posted(mut self, done: Posted) -> Self {
        (self.is_new, self.differs) = (done.is_new, done.differs);
        self.posting = Some(Posting::of(done.delivery));
        self
    }
}

/// Postings of payroll journals, newest first, with their document numbers.
#[utoipa::path(
    get, path = "/v1/journals", tag = "journals", operation_id = "list_journals",
    params(
        ("run" = Option<String>, Query, description = "Only postings of the payroll run with this id", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "Postings per response; 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", pattern = "^[0-9]{1,18}$"),
    ),
    responses((status = 200, body = PostingList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<PostingList>, Problem> {
    let run = params.id("run")?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let before = params.numbered_cursor()?;
    params.end()?;
    let rows = state.ledger.postings(&caller.tenant, run, before, limit).await?;
    let more = rows.len() >= limit as usize;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(PostingList { data: rows.into_iter().map(Posting::of).collect(), next_cursor }))
}

/// One posting with what was sent.
#[utoipa::path(
    get, path = "/v1/journals/{id}", tag = "journals", operation_id = "get_journal",
    params(("id" = i64, Path, description = "Number of its delivery", minimum = 0)),
    responses((status = 200, body = PostingDetail)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<PostingDetail>, Problem> {
    params.end()?;
    let absent = || Problem::not_found("posting", "入账记录");
    let row = state.ledger.posting(&caller.tenant, path_id(&id, "posting", "入账记录")?).await?.ok_or_else(absent)?;
    let input = serde_json::from_slice(&row.input).unwrap_or(Value::Null);
    Ok(Json(PostingDetail { facts: Posting::of(row), input }))
}

/// Posts the journal of a payroll run, one for each currency. With `dry_run` it shows what would be posted, and why it would not.
///
/// A run is posted once for each table of accounts: asked again, the posting that is there is the answer. After one that ended without
/// arriving another may be made; the ledger knows both by one id. A run that does not balance is refused with the difference.
#[utoipa::path(
    post, path = "/v1/journals", tag = "journals", operation_id = "post_journal",
    request_body = JournalRequest,
    responses(
        (status = 200, body = JournalAnswer, description = "What would be posted; or what was posted before"),
        (status = 201, body = JournalAnswer, description = "A posting was made"),
    ),
)]
pub(crate) async fn post(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    params: Params,
    JsonBody(request): JsonBody<JournalRequest>,
) -> Result<(StatusCode, Json<JournalAnswer>), Problem> {
    params.end()?;
    let JournalRequest { journal, run, reason, dry_run } = request;
    if !is_flow_name(&journal) {
        return Err(Problem::parameter("journal", "the name of a journal", "凭证表名"));
    }
    let run_id: RecordId =
        run.parse().map_err(|_| Problem::parameter("run", "the id of a payroll run", "薪酬批次的编号"))?;
    if dry_run {
        let Preview { payslips, journals, faults, .. } = state.ledger.preview(&caller.tenant, &journal, run_id).await?;
        let views = journals.into_iter().map(JournalView::of).collect();
        let faults = faults.iter().map(|fault| shown(fault, language)).collect();
        return Ok((StatusCode::OK, Json(JournalAnswer { dry_run, journal, run, payslips, journals: views, faults })));
    }
    let ask = PostAsk { book: journal.clone(), run: run_id, by: caller.person(), reason: reason.0 };
    let (Preview { payslips, journals, .. }, done) = state.ledger.post(&caller.tenant, &ask).await?;
    let is_new = done.iter().any(|one| one.is_new);
    if is_new {
        tracing::info!(tenant = %caller.tenant, key = %caller.key, run = %run_id, journal, "A person posted a payroll run");
    }
    let journals = journals.into_iter().zip(done).map(|(one, done)| JournalView::of(one).posted(done)).collect();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(JournalAnswer { dry_run, journal, run, payslips, journals, faults: Vec::new() })))
}

fn shown(fault: &Fault, language: Language) -> JournalFault {
    JournalFault { code: fault.code.as_str(), message: fault.message.in_language(language).to_owned() }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NoBook(_) => Self::not_found("journal", "凭证表"),
            LedgerError::NoRun => Self::not_found("payroll run", "薪酬批次"),
            LedgerError::Faults(_) => Self::new(ProblemCode::Refused).because(Text::rendered(|| error.to_string())),
            LedgerError::Busy => Self::new(ProblemCode::Overloaded),
            LedgerError::Flow(error) => error.into(),
            LedgerError::Store(error) => error.into(),
        }
    }
}
