//! Deliveries: the shapes of [`InboxStore`](crate::InboxStore), and what both backends share of it.

use renmen_schema::id::{ConnectionName, StreamName, TenantId};

use crate::rows::Columns;
use crate::{
    CommitOutcome, ExchangeWrite, PageCommit, PageNotes, PluginRef, QuarantineWrite, RecordWrite, RunTrigger,
    StoreError, StreamKey, limits,
};
use renmen_schema::id::RunId;

/// Bytes of a delivery's id that are kept to be shown; it is known by its digest.
pub const DELIVERY_ID_BYTES_MAX: usize = 256;
/// One such run a stream, plugin and day: its figures say what came in that day.
pub(crate) const RUN_LIFE_MS: i64 = 24 * 3600 * 1000;
/// Bytes of a refresh's last error that are kept.
const ERROR_BYTES_MAX: usize = 1_000;

/// One delivery, or what one targeted read brought: all of it or nothing.
#[derive(Debug, Clone)]
pub struct Intake {
    pub tenant: TenantId,
    /// Through which connection.
    pub connection: ConnectionName,
    /// By which code.
    pub plugin: PluginRef,
    /// The delivery; none for a targeted read.
    pub delivery: Option<DeliveryWrite>,
    /// What it brought, by stream. The first page holds the delivery's exchange.
    pub pages: Vec<IntakePage>,
    /// What is to be read again.
    pub refreshes: Vec<RefreshAsk>,
    /// Under which claims a targeted read was made: when one of them is another gateway's by now, nothing is written.
    pub held: Vec<RefreshDone>,
    /// What this read was for.
    pub done: Vec<RefreshDone>,
    /// The clock that the connector saw.
    pub clock_ms: i64,
    /// The clock of the commit.
    pub now_ms: i64,
}

/// How a delivery is known.
#[derive(Debug, Clone)]
pub struct DeliveryWrite {
    /// Digest of the vendor's id, or of the body where the vendor gives none.
    pub identity: [u8; 32],
    /// The vendor's id, to be shown; cut to [`DELIVERY_ID_BYTES_MAX`].
    pub delivery_id: Option<String>,
    /// Set where an equal delivery may come again and mean something: after so many milliseconds it is a new one.
    pub repeats_after_ms: Option<i64>,
    /// When it came.
    pub received_at_ms: i64,
}

/// What came for one stream.
#[derive(Debug, Clone)]
pub struct IntakePage {
    /// The stream whose records these are.
    pub stream: StreamName,
    /// In their order; the last of two with the same id wins.
    pub records: Vec<RecordWrite>,
    /// What was refused.
    pub quarantine: Vec<QuarantineWrite>,
    /// What was read.
    pub exchanges: Vec<ExchangeWrite>,
}

/// Something to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshAsk {
    pub stream: StreamName,
    /// Which record; none for the whole stream from its cursor.
    pub external_id: Option<String>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// It had been taken in before: nothing was changed.
    pub repeated: bool,
    /// What it changed.
    pub outcome: CommitOutcome,
}

/// A delivery as kept.
#[derive(Debug, Clone)]
pub struct InboxRow {
    /// Later ones have higher ids.
    pub id: i64,
    pub connection: ConnectionName,
    /// The vendor's id of it.
    pub delivery_id: Option<String>,
    /// When it came first.
    pub received_at_ms: i64,
    /// Where its records, quarantined ones and exchange are.
    pub page: i64,
    /// Records that it brought.
    pub records: u64,
    /// Of them, those that changed something.
    pub changes: u64,
    /// Records that were refused.
    pub quarantined: u64,
    /// Reads that it asked for.
    pub refreshes: u64,
    /// How often it came again.
    pub repeats: u64,
}

/// A refresh that was claimed.
#[derive(Debug, Clone)]
pub struct RefreshRow {
    pub id: i64,
    pub tenant: TenantId,
    /// Through which connection.
    pub connection: ConnectionName,
    /// What to read.
    pub ask: RefreshAsk,
    /// How often it was asked for: to be given back when it is done.
    pub asked: i64,
    /// Attempts, this one included.
    pub attempts: u32,
    /// Of this claim: to be given back when it ends.
    pub token: i64,
}

impl RefreshRow {
    /// This claim, with what was asked for when it was made.
    #[must_use]
    pub fn done(&self) -> RefreshDone {
        RefreshDone { id: self.id, asked: self.asked, token: self.token }
    }
}

/// A refresh that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshDone {
    /// [`RefreshRow::id`].
    pub id: i64,
    /// [`RefreshRow::asked`].
    pub asked: i64,
    /// [`RefreshRow::token`].
    pub token: i64,
}

/// A refresh that could not be read.
#[derive(Debug, Clone)]
pub struct RefreshFailed {
    /// [`RefreshRow::id`].
    pub id: i64,
    /// [`RefreshRow::token`].
    pub token: i64,
    /// Why it failed; contains no personal data.
    pub error: String,
    /// When it is tried again.
    pub due_at_ms: i64,
}

impl Intake {
    /// Refuses what no backend could keep.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for page in self.pages.clone() {
            limits::check_page(&self.commit(page, RunId(0)))?;
        }
        for external_id in self.refreshes.iter().filter_map(|ask| ask.external_id.as_deref()) {
            if external_id.is_empty() || external_id.len() > limits::EXTERNAL_ID_BYTES_MAX || external_id.contains('\0')
            {
                return Err(StoreError::BadInput("a refresh names an id that no record can have".into()));
            }
        }
        Ok(())
    }

    /// A page as a run would commit it, without a cursor.
    pub(crate) fn commit(&self, page: IntakePage, run: RunId) -> PageCommit {
        PageCommit {
            key: self.key(page.stream),
            run,
            cursor_before: None,
            cursor_after: None,
            has_more: false,
            sweep: None,
            records: page.records,
            unchanged: Vec::new(),
            quarantine: page.quarantine,
            notes: PageNotes::default(),
            exchanges: page.exchanges,
            clock_ms: self.clock_ms,
            now_ms: self.now_ms,
        }
    }

    pub(crate) fn key(&self, stream: StreamName) -> StreamKey {
        StreamKey { tenant: self.tenant.clone(), connection: self.connection.clone(), stream }
    }

    /// What the run that holds it shows.
    pub(crate) fn trigger(&self) -> RunTrigger {
        if self.delivery.is_some() { RunTrigger::Webhook } else { RunTrigger::Refresh }
    }
}

impl DeliveryWrite {
    pub(crate) fn shown_id(&self) -> Option<String> {
        self.delivery_id.as_deref().map(|id| limits::without_nul(&id[..id.floor_char_boundary(DELIVERY_ID_BYTES_MAX)]))
    }

    /// An equal delivery that came before this time does not count as a repetition.
    pub(crate) fn repeats_since_ms(&self) -> i64 {
        self.repeats_after_ms.map_or(i64::MIN, |after_ms| self.received_at_ms.saturating_sub(after_ms))
    }
}

impl RefreshFailed {
    pub(crate) fn shown_error(&self) -> String {
        limits::without_nul(&self.error[..self.error.floor_char_boundary(ERROR_BYTES_MAX)])
    }
}

/// Adds the figures of one page.
pub(crate) fn add(sum: &mut CommitOutcome, page: &CommitOutcome) {
    sum.created += page.created;
    sum.updated += page.updated;
    sum.unchanged += page.unchanged;
    sum.deleted += page.deleted;
    sum.quarantined += page.quarantined;
    sum.exchanges_pruned += page.exchanges_pruned;
    sum.last_seq = sum.last_seq.max(page.last_seq);
}

/// What [`inbox_row`] reads.
pub(crate) const INBOX_SELECT: &str = "SELECT id, connection, delivery_id, received_at, page, records, changes, quarantined, \
                                       refreshes, repeats FROM inbox";

pub(crate) fn inbox_row(row: &dyn Columns) -> Result<InboxRow, StoreError> {
    let count = |at| Ok::<_, StoreError>(row.int(at)?.unsigned_abs());
    Ok(InboxRow {
        id: row.int(0)?,
        connection: name(&row.text(1)?)?,
        delivery_id: row.text_or_none(2)?,
        received_at_ms: row.int(3)?,
        page: row.int(4)?,
        records: count(5)?,
        changes: count(6)?,
        quarantined: count(7)?,
        refreshes: count(8)?,
        repeats: count(9)?,
    })
}

/// Columns: id, tenant, connection, stream, external_id (empty: the whole stream), asked, attempts.
pub(crate) fn refresh_row(row: &dyn Columns) -> Result<RefreshRow, StoreError> {
    let external_id = Some(row.text(4)?).filter(|id| !id.is_empty());
    Ok(RefreshRow {
        id: row.int(0)?,
        tenant: name(&row.text(1)?)?,
        connection: name(&row.text(2)?)?,
        ask: RefreshAsk { stream: name(&row.text(3)?)?, external_id },
        asked: row.int(5)?,
        attempts: u32::try_from(row.int(6)?).unwrap_or(u32::MAX),
        token: row.int(7)?,
    })
}

/// A connection as one text: no name has a slash.
pub(crate) fn tenant_connection((tenant, connection): &(TenantId, ConnectionName)) -> String {
    format!("{tenant}/{connection}")
}

/// What was claimed, in the order in which it was first asked for: a statement that changes rows gives them back in any.
pub(crate) fn in_order(mut rows: Vec<RefreshRow>) -> Vec<RefreshRow> {
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

fn name<T: std::str::FromStr<Err = renmen_schema::id::BadName>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|bad| StoreError::Fault(format!("the database holds a bad name: {bad}")))
}
