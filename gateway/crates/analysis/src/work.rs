//! The schedule at work. Of the gateways on one database one has the seat; it answers what is due, plan by plan. A time that could not be
//! answered is tried again after a while, and is told until it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_schema::Text;
use renmen_schema::id::TenantId;
use renmen_seat::{Seat, SeatHolder};
use renmen_store::{LeaseStore, StoreError};
use tokio_util::sync::CancellationToken;

use crate::engine::Analysis;
use crate::{AnalysisError, Plan, QuestionName, day};

/// What the schedule is called among the work that one gateway does at a time.
const WORK: &str = "insight";
/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(60);
/// How long to wait before a time that could not be answered is tried again.
const AGAIN_MS: i64 = 15 * 60_000;

/// How a plan stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// The question.
    pub question: QuestionName,
    /// The day on which the newest time that was answered began; none: none was yet.
    pub answered: Option<String>,
    /// The day on which the time begins that is due and was not answered yet.
    pub due: Option<String>,
    /// Since when that could not be answered, in milliseconds since the epoch.
    pub failing_since_ms: Option<i64>,
    /// Why.
    pub why: Option<Text>,
}

/// The schedules of all tenants.
pub struct AnalysisWork {
    analysis: Arc<Analysis>,
    tenants: BTreeMap<TenantId, Arc<Schedule>>,
}

/// The schedule of one tenant.
pub struct Schedule {
    tenant: TenantId,
    plans: Vec<Plan>,
    seat: Arc<Seat>,
    standings: Mutex<BTreeMap<String, Standing>>,
    /// When a plan that failed is tried again.
    again: Mutex<BTreeMap<String, i64>>,
}

impl AnalysisWork {
    /// Of these tenants.
    #[must_use]
    pub fn new(analysis: &Arc<Analysis>, tenants: &[TenantId]) -> Self {
        let settings = &analysis.settings;
        let schedule = |tenant: &TenantId| {
            let seat = Seat::of(
                Arc::clone(&analysis.store) as Arc<dyn LeaseStore>,
                Arc::clone(&analysis.clock),
                (tenant.clone(), WORK.to_owned()),
                settings.gateway.clone(),
                settings.takeover_after,
            );
            let own = |plan: &&Plan| plan.tenant.as_ref().is_none_or(|of| of == tenant);
            let schedule = Schedule {
                tenant: tenant.clone(),
                plans: settings.plans.iter().filter(own).cloned().collect(),
                seat: Arc::new(seat),
                standings: Mutex::default(),
                again: Mutex::default(),
            };
            (tenant.clone(), Arc::new(schedule))
        };
        Self { analysis: Arc::clone(analysis), tenants: tenants.iter().map(schedule).collect() }
    }

    /// The schedules by tenant, for who tells of them.
    #[must_use]
    pub fn schedules(&self) -> BTreeMap<TenantId, Arc<Schedule>> {
        self.tenants.clone()
    }

    /// Until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut tasks = tokio::task::JoinSet::new();
        for schedule in self.tenants.values().filter(|schedule| !schedule.plans.is_empty()) {
            let (seat, cancelled) = (Arc::clone(&schedule.seat), cancel.clone());
            tasks.spawn(async move { seat.run(cancelled).await });
            let (analysis, schedule, cancelled) = (Arc::clone(&self.analysis), Arc::clone(schedule), cancel.clone());
            tasks.spawn(async move { schedule.run(&analysis, cancelled).await });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "A schedule of questions ended with an internal error");
            }
        }
        for schedule in self.tenants.values() {
            schedule.seat.leave().await;
        }
    }

    /// Looks once which gateway works, and answers all that is due where it is this one. For tests, which move the clock.
    ///
    /// # Errors
    /// [`AnalysisError::Store`] when the store is away.
    pub async fn turn(&self) -> Result<(), AnalysisError> {
        for schedule in self.tenants.values() {
            schedule.seat.look().await?;
            if schedule.seat.holds() {
                schedule.due(&self.analysis).await;
            } else {
                schedule.look_on(&self.analysis).await;
            }
        }
        Ok(())
    }
}

impl Schedule {
    async fn run(&self, analysis: &Analysis, cancel: CancellationToken) {
        loop {
            let wait = if self.seat.holds() {
                // What another gateway answers meanwhile is refused when it is written here.
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = self.due(analysis) => {}
                }
                TICK
            } else {
                self.look_on(analysis).await;
                Duration::ZERO
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if !self.seat.holds() {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = self.seat.wait(TICK) => {}
                }
            }
        }
    }

    /// Answers what is due, plan by plan: one that cannot be answered keeps no other waiting.
    async fn due(&self, analysis: &Analysis) {
        for plan in &self.plans {
            let now_ms = analysis.clock.now_ms();
            let waits = self.again.lock().get(&plan.name).is_some_and(|again| now_ms < *again);
            if waits {
                continue;
            }
            match self.plan(analysis, plan, now_ms).await {
                Ok(()) => _ = self.again.lock().remove(&plan.name),
                Err(AnalysisError::Store(StoreError::Fenced(_))) => {
                    // Another gateway was first, or an instruction changed while it was measured: looked at again at the next tick.
                }
                Err(error) => {
                    self.again.lock().insert(plan.name.clone(), now_ms + AGAIN_MS);
                    self.failed(plan, &error, now_ms);
                    let labels = [("tenant", self.tenant.to_string()), ("plan", plan.name.clone())];
                    metrics::counter!("renmen_insight_plans_failed_total", &labels).increment(1);
                    tracing::warn!(%error, tenant = %self.tenant, plan = plan.name, "A question of the schedule could not be answered and is tried again");
                }
            }
        }
    }

    async fn plan(&self, analysis: &Analysis, plan: &Plan, now_ms: i64) -> Result<(), AnalysisError> {
        let from = analysis.answered(&self.tenant, plan).await?;
        let today = day::at(now_ms, analysis.settings.offset_minutes);
        let slot = today.and_then(|today| plan.every.newest(today, plan.window_days));
        // A clock that went back leaves the schedule where it is.
        let Some(slot) = slot.filter(|slot| slot.number > from) else {
            self.stands(plan, from, None);
            return Ok(());
        };
        self.stands(plan, from, Some(slot.day.to_string()));
        analysis.keep_slot(&self.tenant, plan, &slot, from).await?;
        metrics::counter!("renmen_insight_plans_answered_total", "plan" => plan.name.clone()).increment(1);
        self.answered(plan, slot.number);
        Ok(())
    }

    /// Sees how far the gateway is that works, so that this one can tell.
    async fn look_on(&self, analysis: &Analysis) {
        for plan in &self.plans {
            if let Ok(from) = analysis.answered(&self.tenant, plan).await {
                let today = day::at(analysis.clock.now_ms(), analysis.settings.offset_minutes);
                let slot = today.and_then(|today| plan.every.newest(today, plan.window_days));
                let due = slot.filter(|slot| slot.number > from).map(|slot| slot.day.to_string());
                self.stands(plan, from, due);
            }
        }
    }

    fn stands(&self, plan: &Plan, from: i64, due: Option<String>) {
        let answered = (from > 0).then(|| day::of_number(from)).flatten().map(|day| day.to_string());
        let mut standings = self.standings.lock();
        let known = standings.remove(&plan.name);
        let failing = due.as_ref().and(known);
        let (failing_since_ms, why) = failing.map_or((None, None), |known| (known.failing_since_ms, known.why));
        let (name, question) = (plan.name.clone(), plan.ask.question);
        standings.insert(plan.name.clone(), Standing { name, question, answered, due, failing_since_ms, why });
    }

    fn answered(&self, plan: &Plan, number: i64) {
        let (name, question) = (plan.name.clone(), plan.ask.question);
        let answered = day::of_number(number).map(|day| day.to_string());
        let standing = Standing { name, question, answered, due: None, failing_since_ms: None, why: None };
        self.standings.lock().insert(plan.name.clone(), standing);
    }

    fn failed(&self, plan: &Plan, error: &AnalysisError, now_ms: i64) {
        if let Some(standing) = self.standings.lock().get_mut(&plan.name) {
            standing.failing_since_ms.get_or_insert(now_ms);
            standing.why = Some(error.text());
        }
    }

    /// How each plan stands, in the order of the configuration.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let standings = self.standings.lock();
        self.plans.iter().filter_map(|plan| standings.get(&plan.name).cloned()).collect()
    }

    /// Which gateway keeps it.
    #[must_use]
    pub fn holder(&self) -> Option<SeatHolder> {
        self.seat.shown()
    }
}
