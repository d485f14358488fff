//! Payroll to the ledger: from a payroll run and its payslips to one balanced journal for each currency, posted once.
//!
//! Owns: which pay item goes to which accounts and dimensions ([`Book`], as the operator declared it), the sums ([`Draft`], exact and
//! over any number of payslips), what a journal is refused for ([`Fault`]: with names, counts and the difference), the input of the
//! action `journal.post`, and what "posted once" means ([`Ledger`]).
//!
//! Must not know: SQL, HTTP, the configuration, which system keeps the books. A posting is a delivery of the outbox, made by hand: its
//! attempts, receipts and replays are those of `flow`.
//!
//! Why a posting does not come of a flow: a flow's `map` sees one change and at most 200 records that belong to it, and makes a delivery for each change; a
//! journal is a sum over all payslips of a run, is made once however often the run changes, and a person answers for it.
//!
//! In reading order: `book`, `slip` (what one payslip moves), `draft` (all of them), `journal`, `standing` (where employees work),
//! `desk` (preview, post, list).

mod book;
mod desk;
mod draft;
mod error;
mod fault;
mod journal;
mod slip;
mod standing;

pub use book::{Account, Book, Dimension, DimensionOf, Item, PostingDate, TotalOf};
pub use desk::{ACTION, Ledger, PostAsk, Posted, Preview, PreviewedJournal, postings};
pub use draft::{Draft, RunFacts};
pub use error::LedgerError;
pub use fault::{Fault, FaultCode};
pub use journal::{Journal, JournalLine, Side};
pub use slip::Slip;
pub use standing::Standing;
