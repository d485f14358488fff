//! What a vendor sends of its own accord: the one door for webhooks over HTTP and for frames of a held connection.
//!
//! A delivery is proved and understood by its connector (`receive`), goes through the same normalizing as a page, and is
//! durable before it is answered. What it only announces is kept, and read by `refresh` until it is done.

mod prepare;
mod refresh;
mod unusable;

use std::sync::Arc;
use std::time::{Duration, Instant};

use renmen_egress::{GATEWAY_MEMORY, Tape};
use renmen_plugin_host::{Answer, CallError, Delivery, ReceivedDelivery};
use renmen_schema::FailureKind;
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::inbox::Intake;
use renmen_store::{CommitOutcome, StoreError, StreamKey};
use renmen_turns::{Class, work};
use tokio::sync::Notify;

use crate::admission::Sender;
use crate::shared::Shared;
use crate::source::Reading;
use crate::spool::{PageTape, Reel};
use crate::{ConnectionRuntime, figures};
pub(crate) use prepare::carried;
pub(crate) use refresh::RefreshReader;
pub(crate) use unusable::CODE as UNUSABLE;

/// In which header the connector is told how old a delivery may be. See the SDK's `Delivery::check_age`.
const WINDOW_HEADER: &str = "renmen-replay-window-ms";
/// Headers that begin so are ours to set.
const OWN_PREFIX: &str = "renmen-";

/// A delivery with more in it is prepared off the reactor. Bytes: about a quarter of a millisecond.
const INLINE_BYTES_MAX: usize = 32 << 10;

/// What became of a delivery that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryVerdict {
    /// It is durable, with all that it brought.
    Taken,
    /// It had been taken in before; nothing was changed.
    Repeated,
    /// There was nothing to keep: a challenge, or the connector answers that it will not have it.
    Answered,
}

impl DeliveryVerdict {
    /// For metrics and lists.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Repeated => "repeated",
            Self::Answered => "answered",
        }
    }
}

/// A delivery that may be answered now.
pub struct TakenIn {
    /// What to answer.
    pub answer: Answer,
    /// What became of it.
    pub verdict: DeliveryVerdict,
    /// What it changed.
    pub outcome: CommitOutcome,
    /// Reads that it asked for.
    pub refreshes: usize,
}

/// Why a delivery was not taken in. Nothing of it was kept, unless it is [`IntakeError::Unusable`], or the answer came
/// too late for the vendor: then it will come again, and be known. Texts contain neither secrets nor personal data.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No such connection, or one whose plugin takes no deliveries.
    #[error("no connection of this name takes deliveries")]
    Unknown,
    /// The body is over the connection's `webhook_bytes_max`.
    #[error("the body has more than webhook_bytes_max ({bytes_max} bytes)")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// More than the connection's `webhooks_per_second`.
    #[error("more than webhooks_per_second deliveries")]
    TooMany,
    /// Its sender's deliveries fail one after the other, and it has had its tries for now.
    #[error("its sender only sends what is not proved")]
    TurnedAway,
    /// It is not the vendor's, or too old.
    #[error("not proved: {0}")]
    Forged(String),
    /// The connector cannot read it, and did not say whose it is: nothing was kept.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// It is the vendor's, and the connector cannot use it. Unlike the others it was kept: the same again would end no other way.
    #[error("proved, kept and of no use: {0}")]
    Unusable(String),
    /// It was not done within `webhook_deadline`.
    #[error("not done within webhook_deadline ({} ms)", deadline.as_millis())]
    Late {
        /// The limit.
        deadline: Duration,
    },
    /// The gateway has no memory for it now.
    #[error("{0}")]
    OutOfMemory(String),
    /// The connector failed in another way.
    #[error("{0}")]
    Failed(String),
    /// The store is away, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntakeError {
    /// For metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany => "too_many",
            Self::TurnedAway => "turned_away",
            Self::Forged(_) => "forged",
            Self::Unreadable(_) => "unreadable",
            Self::Unusable(_) => "unusable",
            Self::Late { .. } => "late",
            Self::OutOfMemory(_) => "out_of_memory",
            Self::Failed(_) => "failed",
            Self::Store(_) => "store",
        }
    }

    fn of(error: &CallError, deadline: Duration) -> Self {
        match error {
            CallError::Failure { kind: FailureKind::AuthRequired, message, .. } => Self::Forged(message.clone()),
            CallError::Failure { kind: FailureKind::InvalidInput | FailureKind::UpstreamChanged, message, .. } => {
                Self::Unreadable(message.clone())
            }
            CallError::Budget { budget: "wall_clock", .. } => Self::Late { deadline },
            CallError::Budget { budget: GATEWAY_MEMORY, message, .. } => Self::OutOfMemory(message.clone()),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Takes in what vendors send of their own accord: see [`Engine::deliveries`](crate::Engine::deliveries).
#[derive(Clone)]
pub struct Deliveries {
    shared: Arc<Shared>,
    /// Told when a delivery asked for something to be read.
    wanted: Arc<Notify>,
}

impl Deliveries {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), wanted: Arc::default() }
    }

    /// The connection of this name, of any tenant: names are unique in a deployment, and a vendor knows nothing else.
    #[must_use]
    pub fn receiving(&self, name: &ConnectionName) -> Option<Arc<ConnectionRuntime>> {
        let connections = self.shared.connections.all();
        let found = connections.values().find(|connection| connection.name() == name).cloned()?;
        found.source().receiver().is_some().then_some(found)
    }

    /// Takes a delivery in: proves it, keeps it and what it brought, and says what to answer. What comes over HTTP and what
    /// comes over a connection that the gateway holds both enter here. What is not proved is held against `sender`.
    ///
    /// Safe to be dropped and to be called again with the same delivery.
    ///
    /// # Errors
    /// [`IntakeError`].
    pub async fn take_in(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
        sender: Sender,
        delivery: Delivery,
    ) -> Result<TakenIn, IntakeError> {
        let began = Instant::now();
        let Ok(connection) = self.shared.connection(tenant, name) else { return Err(IntakeError::Unknown) };
        let deadline = connection.hooks().deadline;
        let taken = match tokio::time::timeout(deadline, self.receive(&connection, sender, delivery, began)).await {
            Ok(taken) => taken,
            Err(_elapsed) => Err(IntakeError::Late { deadline }),
        };
        let verdict = taken.as_ref().map_or_else(IntakeError::code, |taken| taken.verdict.as_str());
        figures::delivery(name, verdict, began.elapsed());
        if let Err(IntakeError::Forged(reason)) = &taken {
            self.note_refused(&connection, reason);
        }
        if let Err(error) = &taken {
            // One line each would let anybody who knows the address fill the log.
            tracing::debug!(connection = %name, verdict, reason = %error, "Delivery refused");
        }
        taken
    }

    async fn receive(
        &self,
        connection: &Arc<ConnectionRuntime>,
        sender: Sender,
        mut delivery: Delivery,
        began: Instant,
    ) -> Result<TakenIn, IntakeError> {
        let source = connection.source();
        let receiver = source.receiver().ok_or(IntakeError::Unknown)?;
        let hooks = connection.hooks();
        if delivery.body.len() > hooks.body_bytes_max {
            return Err(IntakeError::TooLarge { bytes_max: hooks.body_bytes_max });
        }
        delivery.headers.retain(|(header, _)| !header.to_ascii_lowercase().starts_with(OWN_PREFIX));
        let seen = delivery.clone();
        delivery.headers.push((WINDOW_HEADER.to_owned(), hooks.window.as_millis().to_string()));
        let tape = Arc::new(PageTape::new(Vec::new(), None));
        let reading = Reading { tape: Arc::clone(&tape) as Arc<dyn Tape>, clock_ms: delivery.received_at_ms };
        let turn = connection.proof_queue().enter(sender).await.map_err(|_turned_away| IntakeError::TurnedAway)?;
        let made = receiver.receive(reading, hooks.deadline, delivery).await;
        if let Some(why) = made.as_ref().err().and_then(unusable::reason) {
            turn.proved();
            connection.refused().proved();
            return self.keep_unusable(connection, seen, why, began).await;
        }
        let mut outcome = made.map_err(|error| IntakeError::of(&error, hooks.deadline))?;
        if nothing_to_keep(&seen, &outcome) {
            let answer = outcome.answer;
            let outcome = CommitOutcome::default();
            return Ok(TakenIn { answer, verdict: DeliveryVerdict::Answered, outcome, refreshes: 0 });
        }
        turn.proved();
        connection.refused().proved();
        // Only now: what anybody can send must not use up what the vendor may.
        if !connection.delivery_rate().admits(Instant::now()) {
            return Err(IntakeError::TooMany);
        }
        let answer = outcome.answer.clone();
        let _held_until_kept = outcome.memory.take();
        let (intake, ahead) = self.prepared(connection, seen, outcome, tape.take().await, began).await;
        let refreshes = intake.refreshes.len();
        let taken = self.shared.store.take_in(intake).await.inspect_err(|error| {
            if matches!(error, StoreError::Quota { .. }) {
                tracing::warn!(connection = %connection.name(), %error, "Delivery refused; the vendor is asked to send it again");
            }
        })?;
        if taken.repeated {
            return Ok(TakenIn { answer, verdict: DeliveryVerdict::Repeated, outcome: taken.outcome, refreshes: 0 });
        }
        for (stream, count) in ahead {
            let (tenant, connection) = (connection.tenant().clone(), connection.name().clone());
            self.shared.book.dated_ahead(&StreamKey { tenant, connection, stream }, count);
        }
        if refreshes > 0 {
            self.wanted.notify_one();
        }
        Ok(TakenIn { answer, verdict: DeliveryVerdict::Taken, outcome: taken.outcome, refreshes })
    }

    fn note_refused(&self, connection: &ConnectionRuntime, reason: &str) {
        if !connection.refused().refused(Instant::now(), self.shared.now_ms()) {
            return;
        }
        if let Some(told) = connection.refused_deliveries() {
            let advice = told.message;
            tracing::warn!(connection = %connection.name(), refused = told.count, reason, advice, "Refusing deliveries");
        }
    }

    /// What the store takes of a delivery, and by stream how many of its records are dated too far ahead; a big one is packed off
    /// the reactor.
    async fn prepared(
        &self,
        connection: &Arc<ConnectionRuntime>,
        seen: Delivery,
        outcome: ReceivedDelivery,
        reel: Reel,
        began: Instant,
    ) -> (Intake, Vec<(StreamName, u64)>) {
        let prepared = prepare::Prepare {
            connection: Arc::clone(connection),
            source: connection.source(),
            keep_exchanges: self.shared.options.keep_exchanges,
            now_ms: self.shared.now_ms(),
            took: began.elapsed(),
        };
        if weight(&seen, &outcome) > INLINE_BYTES_MAX {
            work(&connection.account(), Class::Urgent, move || prepared.intake(seen, outcome, reel)).await
        } else {
            prepared.intake(seen, outcome, reel)
        }
    }
}

/// What has to be read and packed of a delivery, in bytes.
fn weight(delivery: &Delivery, outcome: &ReceivedDelivery) -> usize {
    let records = outcome.records.iter().map(|record| record.payload.len());
    let rejects = outcome.rejects.iter().map(|reject| reject.raw.len());
    let asked = outcome.exchanges.iter().map(|exchange| exchange.response.body.len());
    delivery.body.len() + records.chain(rejects).chain(asked).sum::<usize>()
}

/// A refusal of the connector's, a question that the host answered, or one about the address that carries nothing.
fn nothing_to_keep(delivery: &Delivery, outcome: &ReceivedDelivery) -> bool {
    let brings = !outcome.records.is_empty() || !outcome.rejects.is_empty() || !outcome.refresh.is_empty();
    let asks = matches!(delivery.method.as_str(), "GET" | "HEAD") && delivery.body.is_empty();
    outcome.question || outcome.answer.status >= 400 || (asks && !brings)
}
