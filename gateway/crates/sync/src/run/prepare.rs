//! The second stage of a run: turns pulled pages into what a commit takes, beside the stages before and behind it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use renmen_egress::{CallMemory, Exchange, Request, pack};
use renmen_plugin_host::{Coverage, Page};
use renmen_store::{ExchangeWrite, Store, StreamKey};
use renmen_turns::{Account, Class, work};
use tokio::sync::mpsc;

use super::notes::Told;
use super::pull::{Place, Pulled};
use crate::IngestLimits;
use crate::SyncError;
use crate::normalize::{self, Checked, Marks, Normalized, Rules};
use crate::spool::{Answer, PAGES_IN_FLIGHT, Reel};

/// A page as the store takes it.
pub(super) struct Prepared {
    pub(super) number: u64,
    pub(super) page: Normalized,
    pub(super) told: Told,
    pub(super) exchanges: Vec<ExchangeWrite>,
    pub(super) place: Place,
    /// Reserved for all this until it is committed.
    pub(super) memory: Option<Arc<CallMemory>>,
    pub(super) cursor_before: Option<String>,
    pub(super) cursor_after: Option<String>,
    pub(super) has_more: bool,
    pub(super) coverage: Coverage,
    pub(super) clock_ms: i64,
    pub(super) fetched: u64,
    pub(super) recalled: u64,
}

/// See the module.
pub(super) struct PrepareStage {
    pub(super) store: Arc<dyn Store>,
    pub(super) key: StreamKey,
    pub(super) rules: Arc<Rules>,
    pub(super) limits: IngestLimits,
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
            let Pulled { number, mut page, reel, place, cursor_before, cursor_after, clock_ms } = pulled;
            let (has_more, coverage, memory) = (page.has_more, page.coverage, page.memory.take());
            let (fetched, recalled) = (reel.fetched, reel.recalled);
            let told = Told {
                findings: std::mem::take(&mut page.findings),
                omissions: std::mem::take(&mut page.omissions),
                total: page.total,
            };
            let (rules, limits) = (Arc::clone(&self.rules), self.limits.clone());
            let (marks, before, keep) = (Arc::clone(&marks), Arc::clone(&in_flight), self.keep_exchanges);
            let (mut checked, exchanges) = work(&account, Class::Bulk, move || {
                let checked = first_step(&mut page, clock_ms, &rules, &limits, &marks, &before);
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
            let prepared = Prepared {
                number,
                page,
                told,
                exchanges,
                place,
                memory,
                cursor_before,
                cursor_after,
                has_more,
                coverage,
                clock_ms,
                fetched,
                recalled,
            };
            if self.out.send(prepared).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn first_step(
    page: &mut Page,
    clock_ms: i64,
    rules: &Rules,
    limits: &IngestLimits,
    marks: &Marks,
    in_flight: &VecDeque<HashSet<u64>>,
) -> Checked {
    let envelopes = std::mem::take(&mut page.records);
    let mut checked = normalize::check(envelopes, page.exchanges.len(), clock_ms, rules, marks, in_flight);
    checked.quarantine.extend(page.rejects.drain(..).map(|reject| normalize::from_reject(reject, limits)));
    checked
}

/// The page's exchanges in the order in which its envelopes number them.
pub(crate) fn exchange_writes(exchanges: &[Arc<Exchange>], reel: Reel) -> Vec<ExchangeWrite> {
    let mut heard: HashMap<*const Exchange, Answer> =
        reel.answers.into_iter().map(|answer| (Arc::as_ptr(&answer.exchange), answer)).collect();
    exchanges
        .iter()
        .zip(0..)
        .map(|(exchange, no)| {
            let answer = heard.remove(&Arc::as_ptr(exchange));
            let key = answer.as_ref().map_or_else(|| key_of(exchange), |answer| answer.key.0);
            ExchangeWrite {
                no,
                method: exchange.method.clone(),
                url: exchange.url.clone(),
                status: exchange.response.status,
                key,
                body_hash: *blake3::hash(&exchange.response.body).as_bytes(),
                packed: answer.and_then(|answer| answer.packed).unwrap_or_else(|| pack(exchange)),
                at_ms: exchange.at_ms,
            }
        })
        .collect()
}

/// The identity of a request whose exchange did not pass through the tape.
fn key_of(exchange: &Exchange) -> [u8; 16] {
    Exchange::key_of(&Request {
        method: exchange.method.clone(),
        url: exchange.url.clone(),
        headers: exchange.request_headers.clone(),
        body: exchange.request_body.clone(),
        slot: None,
    })
    .0
}
