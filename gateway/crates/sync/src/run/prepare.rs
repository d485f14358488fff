//! The second stage of a run: turns pulled pages into what a commit takes, in parallel with the stages before and
//! after.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use renmen_egress::CallMemory;
use renmen_store::{ExchangeWrite, Store, StreamKey};
use renmen_turns::{Account, Class, work};
use tokio::sync::mpsc;

use super::notes::Told;
use super::pull::{PageHead, PageHold, Pulled};
use crate::SyncError;
use crate::exchanges::exchange_writes;
use crate::normalize::{self, Arrived, Marks, Normalized, Rules};
use crate::spool::PAGES_IN_FLIGHT;

/// A page as the store takes it.
pub(super) struct Prepared {
    pub(super) head: PageHead,
    pub(super) page: Normalized,
    pub(super) told: Told,
    pub(super) exchanges: Vec<ExchangeWrite>,
    pub(super) place: PageHold,
    /// Reserved for all this until it is committed.
    pub(super) memory: Option<Arc<CallMemory>>,
}

/// See the module.
pub(super) struct PrepareStage {
    pub(super) store: Arc<dyn Store>,
    pub(super) key: StreamKey,
    pub(super) rules: Arc<Rules>,
    /// False on a connection that has no record yet: there is nothing to look up.
    pub(super) look_up: bool,
    pub(super) keep_exchanges: bool,
    pub(super) inbox: mpsc::Receiver<Pulled>,
    pub(super) out: mpsc::Sender<Prepared>,
}

impl PrepareStage {
    pub(super) async fn go(mut self) -> Result<(), SyncError> {
        let account = Account::of(self.key.connection.as_str());
        let marks = Arc::new(Marks::new());
        let mut in_flight = Arc::new(VecDeque::<HashSet<u64>>::new());
        while let Some(pulled) = self.inbox.recv().await {
            let Pulled { head, mut page, reel, place } = pulled;
            let memory = page.memory.take();
            let told = Told {
                findings: std::mem::take(&mut page.findings),
                omissions: std::mem::take(&mut page.omissions),
                total: page.total,
            };
            let (rules, clock_ms) = (Arc::clone(&self.rules), head.clock_ms);
            let (marks, before, keep) = (Arc::clone(&marks), Arc::clone(&in_flight), self.keep_exchanges);
            let (mut checked, exchanges) = work(&account, Class::Bulk, move || {
                let arrived = Arrived::of(&mut page, clock_ms);
                let checked = normalize::check(arrived, &rules, &marks, &before);
                let exchanges = if keep { exchange_writes(&page.exchanges, reel) } else { Vec::new() };
                (checked, exchanges)
            })
            .await;
            let known = if self.look_up && !checked.ids.is_empty() {
                let pages = Arc::make_mut(&mut in_flight);
                pages.push_back(std::mem::take(&mut checked.marks));
                while pages.len() >= PAGES_IN_FLIGHT {
                    pages.pop_front();
                }
                self.store.known(&self.key.tenant, &self.key.connection, &checked.ids).await?
            } else {
                Vec::new()
            };
            let page = work(&account, Class::Bulk, move || normalize::finish(checked, &known)).await;
            let prepared = Prepared { head, page, told, exchanges, place, memory };
            if self.out.send(prepared).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}
