//! An old page once more: the connector as it is now, the answers as they were then, and nothing of the network.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::{Exchange, RequestKey, Tape, unpack};
use renmen_plugin_host::Pull;
use renmen_store::{ExchangeRow, PageRow, Store, StreamKey};
use renmen_turns::{Account, Class, work};

use crate::failure::{FailureClass, RunFailure};
use crate::normalize::{self, Arrived, Normalized, Rules};
use crate::source::Reading;
use crate::{Puller, SyncError};

/// Why an old page cannot be made again: nothing was kept of it.
pub(crate) const NOT_RECORDED: &str = "not_recorded";

/// Answers of one page, and nothing else.
struct SealedTape {
    answers: Mutex<HashMap<RequestKey, VecDeque<Arc<Exchange>>>>,
}

impl Tape for SealedTape {
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>> {
        self.answers.lock().get_mut(&key)?.pop_front()
    }

    fn record(&self, _key: RequestKey, _exchange: Arc<Exchange>) {}

    fn sealed(&self) -> bool {
        true
    }
}

/// What makes pages again.
pub(crate) struct Remake<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) source: &'a dyn Puller,
    pub(crate) key: &'a StreamKey,
    pub(crate) rules: Arc<Rules>,
}

/// A page as the connector makes it now.
pub(crate) struct Remade {
    pub(crate) page: Normalized,
    pub(crate) exchanges: Vec<ExchangeRow>,
}

impl Remake<'_> {
    /// Makes one page again. The inner error is data: this page cannot be made again, and why.
    pub(crate) async fn page(&self, row: &PageRow) -> Result<Result<Remade, RunFailure>, SyncError> {
        let exchanges = self.store.page_exchanges(&self.key.tenant, row.id).await?;
        let mut answers = HashMap::<_, VecDeque<_>>::new();
        for kept in &exchanges {
            match unpack(&kept.exchange.packed) {
                Ok(exchange) => answers.entry(RequestKey(kept.exchange.key)).or_default().push_back(Arc::new(exchange)),
                Err(error) => {
                    let message = format!("exchange {} cannot be read: {error}", kept.id);
                    return Ok(Err(RunFailure::new("damaged_exchange", FailureClass::Operator, message)));
                }
            }
        }
        let reading = Reading { tape: Arc::new(SealedTape { answers: Mutex::new(answers) }), clock_ms: row.now_ms };
        let pull = Pull { stream: self.key.stream.clone(), cursor: row.cursor_before.clone(), only: Vec::new() };
        let mut page = match self.source.pull(reading, pull).await {
            Ok(page) => page,
            Err(error) => return Ok(Err(RunFailure::from(&error))),
        };
        if exchanges.is_empty() && !page.exchanges.is_empty() {
            let message = "no exchange of this page was kept".to_owned();
            return Ok(Err(RunFailure::new(NOT_RECORDED, FailureClass::Operator, message)));
        }
        let (rules, arrived) = (Arc::clone(&self.rules), Arrived::of(&mut page, row.now_ms));
        let account = Account::of(self.key.connection.as_str());
        let page = work(&account, Class::Bulk, move || normalize::page(arrived, &rules)).await;
        Ok(Ok(Remade { page, exchanges }))
    }
}
