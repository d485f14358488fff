//! Tells other gateways of this one's commits, and hears of theirs, on a connection of its own: after a commit, never in it, and at most
//! every [`APART`]. A wake-up carries no data: who hears one looks where the feeds end. One that is lost costs the time until the next
//! look of the poll.
//!
//! Behind a pooler that gives a connection away after each transaction nothing is heard. That is found out when the connection is made,
//! and told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use parking_lot::Mutex;
use renmen_schema::id::TenantId;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage};

use super::connections::Connections;
use crate::heads::{Follower, Heads};
use crate::{Pooler, StoreError, Wakeup};

/// What the server shows of the connection.
const NAME: &str = "renmen-wakeup";
/// Between two wake-ups of one process.
const APART: Duration = Duration::from_millis(20);
/// How long the connection's own trial may be under way before it counts as lost.
const TRIAL_MAX: Duration = Duration::from_secs(2);
/// How long to wait before another connection is tried: longer after each one that fails.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Bytes of tenants' names in one wake-up, of the server's 8,000. Beyond, it says that any may have moved.
const NAMES_BYTES_MAX: usize = 7_000;
/// Instead of names: any tenant may have moved.
const ANY: &str = "*";
/// Instead of names: the connection's own trial.
const TRIAL: &str = "?";
/// Wake-ups that wait to be looked at. Beyond, one look is for all of them.
const HEARD_MAX: usize = 1_024;

/// What is known of the connection.
pub(super) type WakeupState = Arc<Mutex<Wakeup>>;

/// Begins to tell and to hear, for as long as the store is there.
pub(super) fn start(connections: Connections, heads: Arc<Heads>) -> (WakeupState, Follower) {
    let state = Arc::new(Mutex::new(Wakeup::Connecting));
    let behind_a_pooler = connections.pooler() == Pooler::Transaction;
    let own = format!("{:016x}", rand::random::<u64>());
    let wakeups = Wakeups { connections, heads, state: Arc::clone(&state), own };
    if behind_a_pooler {
        // The configuration says what a trial would find out.
        wakeups.enter(Wakeup::Polling);
        return (state, Follower::of(std::future::ready(())));
    }
    (state, Follower::of(wakeups.run()))
}

struct Wakeups {
    connections: Connections,
    heads: Arc<Heads>,
    state: WakeupState,
    /// Tells this process's wake-ups from others'.
    own: String,
}

/// A connection that hears: what it hears comes by itself, until it breaks.
struct Ear {
    client: Client,
    heard: mpsc::Receiver<String>,
    _connection: Follower,
}

impl Wakeups {
    async fn run(self) {
        let mut wait = AGAIN.0;
        loop {
            let error = match self.connect().await {
                Ok(mut ear) => {
                    wait = AGAIN.0;
                    self.serve(&mut ear).await
                }
                Err(error) => error,
            };
            self.enter(Wakeup::Connecting);
            tracing::debug!(%error, "Wake-ups between gateways wait for their connection; changes are found by polling");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }

    fn enter(&self, state: Wakeup) {
        let before = std::mem::replace(&mut *self.state.lock(), state);
        if before != state && state == Wakeup::Polling {
            tracing::warn!(
                "Wake-ups of other gateways do not arrive on this connection to PostgreSQL (a pooler in transaction mode does not \
                 pass them on); changes are found by polling. Give the gateway a direct connection to hear of them at once"
            );
        }
    }

    async fn connect(&self) -> Result<Ear, StoreError> {
        let (client, mut connection) = self.connections.connect_alone(NAME).await?;
        let (sender, heard) = mpsc::channel(HEARD_MAX);
        let connection = Follower::of(async move {
            let mut messages = poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(told) = message
                    && sender.try_send(told.payload().to_owned()).is_err()
                    && sender.is_closed()
                {
                    return;
                }
            }
        });
        client.batch_execute("LISTEN renmen_feed").await?;
        Ok(Ear { client, heard, _connection: connection })
    }

    /// Until the connection breaks; says why.
    async fn serve(&self, ear: &mut Ear) -> StoreError {
        let served: Result<(), StoreError> = async {
            let hears = self.hears(ear).await?;
            self.enter(if hears { Wakeup::Listening } else { Wakeup::Polling });
            // What others told before this one listened.
            self.heads.look(heads(&ear.client, None).await?)?;
            let mut next = Instant::now();
            loop {
                tokio::select! {
                    told = ear.heard.recv() => match told {
                        Some(told) => self.look(ear, told).await?,
                        None => return Err(StoreError::Unavailable("the connection for wake-ups broke".into())),
                    },
                    tenants = self.untold(next) => {
                        next = Instant::now() + APART;
                        if let Err(error) = notify(&ear.client, &payload(&self.own, &tenants)).await {
                            // The next connection tells it.
                            tenants.iter().for_each(|tenant| self.heads.tell(tenant));
                            return Err(error);
                        }
                    }
                }
            }
        }
        .await;
        served.err().unwrap_or_else(|| StoreError::Fault("wake-ups ended".into()))
    }

    async fn untold(&self, not_before: Instant) -> BTreeSet<TenantId> {
        tokio::time::sleep_until(not_before).await;
        self.heads.untold().await
    }

    /// Does what is told on another connection arrive here?
    async fn hears(&self, ear: &mut Ear) -> Result<bool, StoreError> {
        let trial = format!("{} {TRIAL}", self.own);
        let other = self.connections.get().await?;
        notify(&other, &trial).await?;
        drop(other);
        let arrives = async {
            while let Some(told) = ear.heard.recv().await {
                if told == trial {
                    return true;
                }
            }
            false
        };
        Ok(tokio::time::timeout(TRIAL_MAX, arrives).await.unwrap_or(false))
    }

    /// Looks where the feeds end that this wake-up, and those that came with it, tell of.
    async fn look(&self, ear: &mut Ear, first: String) -> Result<(), StoreError> {
        let (mut tenants, mut any) = (BTreeSet::new(), false);
        let mut next = Some(first);
        let mut count = 0;
        while let Some(told) = next {
            count += 1;
            if let Some((_, names)) = told.split_once(' ').filter(|(by, _)| *by != self.own) {
                any |= names == ANY;
                tenants.extend(names.split(' ').filter_map(|name| TenantId::new(name).ok()));
            }
            next = ear.heard.try_recv().ok();
        }
        any |= count >= HEARD_MAX;
        if any {
            return self.heads.look(heads(&ear.client, None).await?);
        }
        if tenants.is_empty() {
            return Ok(());
        }
        let ends = heads(&ear.client, Some(&tenants)).await?;
        for tenant in &tenants {
            let end = ends.iter().find(|(name, _)| name == tenant.as_str());
            // Where nothing moved, something is known now of what was there already.
            if !end.is_some_and(|(_, seq)| self.heads.raise(tenant, *seq)) {
                self.heads.wake(tenant);
            }
        }
        Ok(())
    }
}

/// What one wake-up says: by whom, and of which tenants.
fn payload(own: &str, tenants: &BTreeSet<TenantId>) -> String {
    let names: usize = tenants.iter().map(|tenant| tenant.as_str().len() + 1).sum();
    if names > NAMES_BYTES_MAX {
        return format!("{own} {ANY}");
    }
    tenants.iter().fold(own.to_owned(), |text, tenant| text + " " + tenant.as_str())
}

/// In the simple protocol, as all that goes over this connection: behind a pooler a statement that was prepared may be gone.
async fn notify(client: &Client, payload: &str) -> Result<(), StoreError> {
    Ok(client.batch_execute(&format!("NOTIFY renmen_feed, '{payload}'")).await?)
}

/// Where these tenants' feeds end, or all. A name holds nothing that would end the text.
async fn heads(client: &Client, of: Option<&BTreeSet<TenantId>>) -> Result<Vec<(String, i64)>, StoreError> {
    let named = of.map_or_else(String::new, |tenants| {
        let names: Vec<String> = tenants.iter().map(|tenant| format!("'{tenant}'")).collect();
        format!(" WHERE f.tenant IN ({})", names.join(", "))
    });
    let damaged = || StoreError::Fault("the database holds a feed that this program did not write".into());
    let mut ends = Vec::new();
    for message in client.simple_query(&format!("SELECT f.tenant, f.seq FROM feed f{named}")).await? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let (Some(tenant), Some(seq)) = (row.get(0), row.get(1)) else { return Err(damaged()) };
        ends.push((tenant.to_owned(), seq.parse().map_err(|_| damaged())?));
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wake_up_names_its_tenants_or_says_any_where_they_are_too_many() {
        let tenants = |count: usize| (0..count).map(|n| TenantId::new(&format!("tenant-{n:05}")).unwrap()).collect();
        assert_eq!(payload("id", &tenants(2)), "id tenant-00000 tenant-00001");
        assert_eq!(payload("id", &tenants(538)).len(), 2 + 538 * 13);
        assert_eq!(payload("id", &tenants(539)), "id *");
    }
}
