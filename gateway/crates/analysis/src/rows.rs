//! Where rows come from. The store fits behind this trait, and a test can: what is asked is a list of streams, what comes is batches
//! of rows in the order of that list.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use renmen_insight::{Key, Need, Purpose, Row};
use renmen_schema::code::StageKind;
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::{Instant, LocalDate};
use tokio::sync::mpsc;

use crate::AnalysisError;

/// What is to be read.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The streams, in this order.
    pub needs: Vec<Need>,
    /// Of metrics only these codes; none: all.
    pub metrics: Option<Vec<String>>,
    /// By which attributes people are put into groups. Of an audit alone; without it there is no stream of groups.
    pub attributes: Option<Vec<String>>,
    /// The stage behind which an application counts as selected; none: it was hired.
    pub stage: Option<StageKind>,
    /// What people's records are joined for.
    pub purpose: Purpose,
    /// Now,
    pub at: Instant,
    /// which is this day
    pub today: LocalDate,
    /// at this offset from UTC, in minutes.
    pub offset_minutes: i32,
}

/// Some rows of one stream.
pub trait Batch: Send {
    /// Gives each row away. `names` is kept from one batch to the next of a reading, for a source whose rows name things by number.
    fn each(&self, names: &mut Vec<Arc<str>>, take: &mut dyn FnMut(&Row<'_>));
}

/// The rows of a tenant's live records.
#[async_trait]
pub trait Rows: Send + Sync {
    /// Sends all rows of what is wanted, of one state of the store. Ends early when the receiver is gone. Gives how many changes came
    /// since that are not in the rows: 0, unless the store can only be read.
    ///
    /// # Errors
    /// [`AnalysisError`]: then what was sent is a part, of which nothing may be said.
    async fn read(
        &self,
        tenant: &TenantId,
        wanted: Wanted,
        to: mpsc::Sender<Box<dyn Batch>>,
    ) -> Result<u64, AnalysisError>;

    /// The key by which rows name a live record; of a person's or unit's record, of whom it is.
    ///
    /// # Errors
    /// [`AnalysisError::Store`].
    async fn key(&self, tenant: &TenantId, record: RecordId) -> Result<Option<Key>, AnalysisError>;

    /// The ids of a few keys; those that are gone are left out.
    ///
    /// # Errors
    /// [`AnalysisError::Store`].
    async fn ids(&self, tenant: &TenantId, keys: &[Key]) -> Result<HashMap<Key, RecordId>, AnalysisError>;
}
