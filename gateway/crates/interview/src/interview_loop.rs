//! The loop as its users see it: one object to ask, and one piece of work to run behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{LeaseStore, RecordRow, Store};
use tokio_util::sync::CancellationToken;

use crate::band::{BandAsk, BandDesk, BandOptions, BandWork, Verdict};
use crate::children::Shelf;
use crate::decide::{self, CorrectionAsk, DecisionAsk, Judged, ReopenAsk, RuleBook, RuleSpec};
use crate::follow::{Caught, Follower, Told};
use crate::history::History;
use crate::progress::{LoopProgress, Progress};
use crate::reading::Reading;
use crate::screen::{self, ScreenToken, ScreenView};
use crate::sources::Sources;
use crate::timeline::{self, Root, Timeline};
use crate::watch::{Messenger, WatchOptions};
use crate::{Clock, InterviewError};
use renmen_seat::{Leave, Seat};

/// What the loop is called among the work that one gateway does at a time.
const WORK: &str = "interview-loop";

/// What the operator decides about the loop.
#[derive(Debug, Clone)]
pub struct LoopOptions {
    /// The band match.
    pub band: BandOptions,
    /// The watch.
    pub watch: WatchOptions,
    /// The rules that decide on results.
    pub rules: Vec<RuleSpec>,
    /// The connections whose interviews are acted on, and those whose records count for them.
    pub sources: Sources,
    /// Records of one kind of one interview that are looked at.
    pub children_max: usize,
    /// How long a screen's token is good, in milliseconds.
    pub screen_token_life_ms: i64,
    /// How long after its end an interview may be undecided before that is told, in milliseconds.
    pub decide_within_ms: i64,
    /// How long an adjust instruction may wait for approval, or for its vendor, before that is told, in milliseconds.
    pub adjust_wait_ms: i64,
    /// Changes that the loop reads at once.
    pub batch: u32,
    /// This gateway's name, which no other over the same database has.
    pub gateway: String,
    /// How long a gateway may show no sign of life before another works on in its place.
    pub takeover_after: Duration,
}

impl Default for LoopOptions {
    fn default() -> Self {
        Self {
            band: BandOptions::default(),
            watch: WatchOptions::default(),
            rules: Vec::new(),
            sources: Sources::default(),
            children_max: 10_000,
            screen_token_life_ms: 2 * 3_600_000,
            decide_within_ms: 48 * 3_600_000,
            adjust_wait_ms: 72 * 3_600_000,
            batch: 200,
            gateway: "gateway".to_owned(),
            takeover_after: Duration::from_secs(15),
        }
    }
}

/// The interview loop of every tenant.
pub struct InterviewLoop {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    band: Arc<BandDesk>,
    sources: Arc<Sources>,
    children_max: usize,
    screen_token_life_ms: i64,
    progresses: BTreeMap<TenantId, Arc<Progress>>,
}

/// What goes on behind it: [`LoopWork::run`] it for as long as the gateway serves.
pub struct LoopWork {
    band: BandWork,
    shifts: Vec<Shift>,
}

/// The work on one tenant.
struct Shift {
    seat: Arc<Seat>,
    follower: Follower,
    messenger: Messenger,
}

impl InterviewLoop {
    /// Publishes the rules and reads the bands of these tenants.
    ///
    /// # Errors
    /// [`InterviewError::Store`] when the store is away.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tenants: &[TenantId],
        options: LoopOptions,
    ) -> Result<(Arc<Self>, LoopWork), InterviewError> {
        let (sources, children_max) = (Arc::new(options.sources), options.children_max);
        let (mut shifts, mut progresses) = (Vec::new(), BTreeMap::new());
        for tenant in tenants {
            decide::publish(&*store, tenant, &options.rules, clock.now_ms()).await?;
            let rules = RuleBook::open(&*store, tenant).await?;
            let history = History::open(&*store, tenant, sources.vendors.iter(), clock.now_ms()).await?;
            let seat = Arc::new(Seat::of(
                Arc::clone(&store) as Arc<dyn LeaseStore>,
                Arc::clone(&clock),
                (tenant.clone(), WORK.to_owned()),
                options.gateway.clone(),
                options.takeover_after,
            ));
            let progress = Arc::new(Progress::of(rules.clone(), Some(Arc::clone(&seat))));
            let messenger = Messenger {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                tenant: tenant.clone(),
                adjust_wait_ms: options.adjust_wait_ms,
                progress: Arc::clone(&progress),
            };
            let follower = Follower {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock),
                tenant: tenant.clone(),
                rules,
                watch: options.watch.clone(),
                sources: Arc::clone(&sources),
                children_max,
                history,
                decide_within_ms: options.decide_within_ms,
                batch: options.batch,
                told: Told::default(),
                progress: Arc::clone(&progress),
                reading: Reading::default(),
            };
            shifts.push(Shift { seat, follower, messenger });
            progresses.insert(tenant.clone(), progress);
        }
        let band = BandOptions { counted: (*sources).clone(), ..options.band };
        let (band, work) = BandDesk::open(Arc::clone(&store), Arc::clone(&clock), tenants, band).await?;
        let screen_token_life_ms = options.screen_token_life_ms;
        let opened = Self { store, clock, band, sources, children_max, screen_token_life_ms, progresses };
        Ok((Arc::new(opened), LoopWork { band: work, shifts }))
    }

    fn shelf<'a>(&'a self, tenant: &'a TenantId) -> Shelf<'a> {
        let Self { store, sources, children_max, .. } = self;
        Shelf { store: &**store, tenant, sources, children_max: *children_max }
    }

    /// Is it within the band? See [`BandDesk::ask`].
    ///
    /// # Errors
    /// As [`BandDesk::ask`].
    pub async fn match_band(
        &self,
        tenant: &TenantId,
        caller: &str,
        ask: BandAsk<'_>,
    ) -> Result<Verdict, InterviewError> {
        self.band.ask(tenant, caller, ask).await
    }

    /// Where the loop of a tenant stands; none for a tenant that is not served.
    #[must_use]
    pub fn progress(&self, tenant: &TenantId) -> Option<LoopProgress> {
        self.progresses.get(tenant).map(|progress| progress.shown())
    }

    /// A person decides on a decision that waits for a person. Returns the decision as it stands afterwards.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`]; [`InterviewError::Refused`] when it was decided otherwise;
    /// [`InterviewError::Superseded`]; [`InterviewError::BadInput`] without who or why.
    pub async fn decide(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        ask: &DecisionAsk,
    ) -> Result<RecordRow, InterviewError> {
        decide::decide(self.shelf(tenant), decision, ask, self.clock.now_ms()).await
    }

    /// A person opens a decision again: the next one on the same result waits for a person. Gives that one.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`]; [`InterviewError::Refused`] for one that is open; [`InterviewError::Superseded`];
    /// [`InterviewError::BadInput`] without who or why.
    pub async fn reopen(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        ask: &ReopenAsk,
    ) -> Result<RecordRow, InterviewError> {
        decide::reopen(self.shelf(tenant), decision, ask, self.clock.now_ms()).await
    }

    /// A person puts another verdict in the place of a rule's or a person's. Gives the decision that is in force then.
    ///
    /// # Errors
    /// As [`InterviewLoop::reopen`]; [`InterviewError::Refused`] also for the verdict that it has.
    pub async fn overrule(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        ask: &DecisionAsk,
    ) -> Result<RecordRow, InterviewError> {
        decide::overrule(self.shelf(tenant), decision, ask, self.clock.now_ms()).await
    }

    /// What a person who decides is shown: what was judged, and how the decision stands.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`].
    pub async fn judged(&self, tenant: &TenantId, decision: RecordId) -> Result<Judged, InterviewError> {
        decide::judged(self.shelf(tenant), decision).await
    }

    /// A person corrects a score. Returns the correction, which is a score of its own.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`]; [`InterviewError::BadInput`] for a value outside the scale, or an event of another
    /// interview.
    pub async fn correct(
        &self,
        tenant: &TenantId,
        score: RecordId,
        ask: &CorrectionAsk,
    ) -> Result<RecordRow, InterviewError> {
        decide::correct(self.shelf(tenant), score, ask, self.clock.now_ms()).await
    }

    /// Everything that happened to an application, in order.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`].
    pub async fn timeline(&self, tenant: &TenantId, application: RecordId) -> Result<Timeline, InterviewError> {
        timeline::of(self.shelf(tenant), Root::Application, application).await
    }

    /// Everything that happened to a candidate in all their applications, in order, with answers and scores.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`].
    pub async fn candidate_timeline(&self, tenant: &TenantId, candidate: RecordId) -> Result<Timeline, InterviewError> {
        timeline::of(self.shelf(tenant), Root::Candidate, candidate).await
    }

    /// A token with which a screen can follow one interview.
    ///
    /// # Errors
    /// [`InterviewError::NotFound`].
    pub async fn screen_token(&self, tenant: &TenantId, interview: RecordId) -> Result<ScreenToken, InterviewError> {
        screen::issue(&*self.store, tenant, interview, self.screen_token_life_ms, self.clock.now_ms()).await
    }

    /// What the holder of a token may see of its interview; none for a token that is wrong, over, or another interview's.
    ///
    /// # Errors
    /// [`InterviewError::Store`].
    pub async fn screen(&self, token: &str, interview: RecordId) -> Result<Option<ScreenView>, InterviewError> {
        screen::view(&*self.store, (&self.sources, self.children_max), token, interview, self.clock.now_ms()).await
    }
}

impl LoopWork {
    /// Until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(self.band.run(cancel.clone()));
        let mut seats = Vec::with_capacity(self.shifts.len());
        for Shift { seat, follower, messenger } in self.shifts {
            let (own, cancelled) = (Arc::clone(&seat), cancel.clone());
            tasks.spawn(async move { own.run(cancelled).await });
            tasks.spawn(follower.run(Arc::clone(&seat), cancel.clone()));
            tasks.spawn(messenger.run(Arc::clone(&seat), cancel.clone()));
            seats.push(seat);
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "A part of the interview loop ended with an internal error");
            }
        }
        // Nothing is under way any more: another gateway need not wait.
        for seat in seats {
            seat.leave().await;
        }
    }

    /// Looks once which gateway works, and does all that is to be done by now where it is this one. For tests, which move the clock.
    ///
    /// # Errors
    /// [`InterviewError::Store`] when the store is away.
    pub async fn turn(&self) -> Result<(), InterviewError> {
        for Shift { seat, follower, messenger } in &self.shifts {
            seat.look().await?;
            if seat.holds() {
                let leave = Leave::of(CancellationToken::new(), Arc::clone(seat));
                messenger.catch_up(&leave).await?;
                while follower.catch_up(&leave).await? == Caught::Another {}
            } else {
                follower.look_on().await;
            }
        }
        Ok(())
    }

    /// Gives up the work, as [`LoopWork::run`] does at its end.
    pub async fn leave(&self) {
        for shift in &self.shifts {
            shift.seat.leave().await;
        }
    }

    /// Does all that is to be done by now, once, without waiting for anything, whichever gateway has the seat. For tests, which move
    /// the clock.
    ///
    /// # Errors
    /// [`InterviewError::Store`] when the store is away.
    pub async fn catch_up(&self) -> Result<(), InterviewError> {
        let never = Leave::never();
        for shift in &self.shifts {
            shift.messenger.catch_up(&never).await?;
        }
        for shift in &self.shifts {
            while shift.follower.catch_up(&never).await? == Caught::Another {}
        }
        // What vendors said of adjust instructions was read just now.
        for shift in &self.shifts {
            shift.messenger.catch_up(&never).await?;
            shift.messenger.look_for_waiting().await?;
        }
        Ok(())
    }
}
