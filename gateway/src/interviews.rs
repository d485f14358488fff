//! What the API asks of the interview loop: the bridge between two crates that do not know each other.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_api::{
    AdjustmentWaiting, AskedAbout, BandQuestion, BandVerdict, Interviews, InterviewsError, LoopHealth, PersonDecision,
    PersonReopening, RuleUse, ScoreCorrection, ScreenStep, ScreenSteps, SetAsideSubject, TimelineCopy, TimelineStep,
};
use renmen_config::Config;
use renmen_interview::{
    Asked, BandAsk, BandOptions, Clock as _, Copied, CorrectionAsk, DecisionAsk, InterviewError, InterviewLoop,
    LinkDesk, LoopOptions, LoopWork, PersonVerdict, ReopenAsk, RuleSpec, ScreenStage, SystemClock, Timeline, Verdict,
    WatchOptions,
};
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::RecordRow;

use crate::decision_desk::DeskBridge;
use crate::deployment::{Running, Writers, pay_bands, sources};

/// The interview loop as the API sees it.
pub(crate) struct InterviewBridge(Arc<InterviewLoop>);

impl InterviewBridge {
    /// The page on which people decide, over the same loop.
    pub(crate) fn desk(&self, links: LinkDesk) -> DeskBridge {
        DeskBridge::new(Arc::clone(&self.0), links)
    }
}

/// Opens the loop as the configuration says, for every tenant that has a connection.
pub(crate) async fn open(running: &Running) -> anyhow::Result<(InterviewBridge, LoopWork)> {
    let (config, store) = (&running.deployment.config, Arc::clone(&running.store));
    let mut tenants: Vec<TenantId> = config.connections.values().map(|connection| connection.tenant.clone()).collect();
    tenants.push(config.gateway.tenant.clone());
    tenants.sort();
    tenants.dedup();
    let (opened, work) =
        InterviewLoop::open(store, Arc::new(SystemClock), &tenants, options(config, &running.writers())).await?;
    Ok((InterviewBridge(opened), work))
}

pub(crate) fn options(config: &Config, writers: &Writers) -> LoopOptions {
    let said = &config.interview;
    let ms = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let rules = said.rules.iter().map(|rule| RuleSpec {
        name: rule.name.clone(),
        position: rule.position.clone(),
        profile_version: rule.profile_version,
        pass: rule.pass,
        border: rule.border,
    });
    LoopOptions {
        band: BandOptions {
            asks_per_minute: said.match_asks_per_minute,
            amounts_per_interview: said.match_amounts_per_interview as usize,
            asks_per_candidate: said.match_asks_per_candidate as usize,
            asks_per_band: said.match_asks_per_band as usize,
            window_ms: ms(said.match_window),
            digits: said.match_digits,
            sources: pay_bands(config, writers),
            ..BandOptions::default()
        },
        watch: WatchOptions {
            remind_before_ms: ms(said.remind_before),
            no_show_after_ms: ms(said.no_show_after),
            dropped_after_ms: ms(said.dropped_after),
            feedback_within_ms: ms(said.feedback_within),
            catch_up_ms: ms(said.catch_up),
            ..WatchOptions::default()
        },
        rules: rules.collect(),
        sources: sources(config, writers),
        children_max: said.children_max as usize,
        screen_token_life_ms: ms(said.screen_token_life),
        decide_within_ms: ms(said.decide_within),
        adjust_wait_ms: ms(said.adjust_wait),
        gateway: own_name(),
        takeover_after: said.takeover_after,
        ..LoopOptions::default()
    }
}

/// A name that no other gateway over the same database has: host, process and start.
fn own_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("gateway");
    format!("{host}/{}/{:x}", std::process::id(), SystemClock.now_ms())
}

#[async_trait]
impl Interviews for InterviewBridge {
    async fn match_band(
        &self,
        tenant: &TenantId,
        caller: &str,
        question: BandQuestion,
    ) -> Result<BandVerdict, InterviewsError> {
        let BandQuestion { connection, about, expected, per } = &question;
        let about = match about {
            AskedAbout::Interview(id) => Asked::Interview(id),
            AskedAbout::Order(id) => Asked::Order(id),
        };
        let ask = BandAsk { connection, about, expected: *expected, per: *per };
        let verdict = self.0.match_band(tenant, caller, ask).await.map_err(told)?;
        let why = match verdict {
            Verdict::Unknown(why) => Some(why),
            Verdict::In | Verdict::Out => None,
        };
        Ok(BandVerdict { answer: verdict.word(), unknown: why.map(|why| (why.word(), why.says())) })
    }

    async fn decide(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        by: PersonDecision,
    ) -> Result<RecordRow, InterviewsError> {
        self.0.decide(tenant, decision, &asked(by)).await.map_err(told)
    }

    async fn reopen(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        by: PersonReopening,
    ) -> Result<RecordRow, InterviewsError> {
        let ask = ReopenAsk { person: by.person, reason: by.reason };
        self.0.reopen(tenant, decision, &ask).await.map_err(told)
    }

    async fn overrule(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        by: PersonDecision,
    ) -> Result<RecordRow, InterviewsError> {
        self.0.overrule(tenant, decision, &asked(by)).await.map_err(told)
    }

    async fn correct(
        &self,
        tenant: &TenantId,
        score: RecordId,
        by: ScoreCorrection,
    ) -> Result<RecordRow, InterviewsError> {
        let ScoreCorrection { value, environment_event, reason, person } = by;
        let ask = CorrectionAsk { value, environment_event, reason, person };
        self.0.correct(tenant, score, &ask).await.map_err(told)
    }

    async fn timeline(
        &self,
        tenant: &TenantId,
        application: RecordId,
    ) -> Result<(Vec<TimelineStep>, bool), InterviewsError> {
        Ok(shown(self.0.timeline(tenant, application).await.map_err(told)?))
    }

    async fn candidate_timeline(
        &self,
        tenant: &TenantId,
        candidate: RecordId,
    ) -> Result<(Vec<TimelineStep>, bool), InterviewsError> {
        Ok(shown(self.0.candidate_timeline(tenant, candidate).await.map_err(told)?))
    }

    async fn screen_token(&self, tenant: &TenantId, interview: RecordId) -> Result<(String, i64), InterviewsError> {
        let made = self.0.screen_token(tenant, interview).await.map_err(told)?;
        Ok((made.token, made.expires_at_ms))
    }

    fn health(&self, tenant: &TenantId) -> Option<LoopHealth> {
        let progress = self.0.progress(tenant)?;
        let aside = progress.first_set_aside.into_iter().map(|aside| SetAsideSubject {
            entity: aside.entity,
            connection: aside.connection,
            external_id: aside.external_id,
            reason: aside.reason,
            since_ms: aside.since_ms,
        });
        let waiting = progress.first_adjustments_waiting.into_iter().map(|one| AdjustmentWaiting {
            url: format!("/v1/model-adjustments/{}", one.id),
            status: one.status.as_str().to_owned(),
            reason: one.reason().to_owned(),
            since_ms: one.since_ms,
        });
        Some(LoopHealth {
            place: progress.place,
            behind_since_ms: progress.behind_since_ms,
            holder: progress.holder.and_then(|holder| {
                let (here, since_ms) = (holder.here, holder.since_ms);
                holder.gateway.map(|gateway| renmen_api::LoopHolder { gateway, here, since_ms })
            }),
            waits: progress.waits,
            set_aside: progress.set_aside,
            first_set_aside: aside.collect(),
            rules: progress.rules.into_iter().map(used).collect(),
            results_without_rule: progress.without_rule,
            adjustments_waiting: progress.adjustments_waiting,
            first_adjustments_waiting: waiting.collect(),
        })
    }

    async fn screen(&self, token: &str, interview: RecordId) -> Result<Option<ScreenSteps>, InterviewsError> {
        let view = self.0.screen(token, interview).await.map_err(told)?;
        Ok(view.map(|view| ScreenSteps {
            tenant: view.tenant,
            stage: match view.stage {
                ScreenStage::Waiting => "waiting",
                ScreenStage::InProgress => "in_progress",
                ScreenStage::Done => "done",
            },
            nodes: view
                .nodes
                .into_iter()
                .map(|node| ScreenStep {
                    id: node.id,
                    code: node.code,
                    at_ms: node.at_ms,
                    done: node.done,
                    of: node.of,
                })
                .collect(),
        }))
    }
}

fn used(rule: renmen_interview::RuleUse) -> RuleUse {
    let renmen_interview::RuleUse { name, from_file, overruled_by, results } = rule;
    RuleUse { name, from_file, overruled_by, results }
}

/// A timeline as the API shows it.
fn shown(timeline: Timeline) -> (Vec<TimelineStep>, bool) {
    let steps = timeline.steps.into_iter().map(|step| TimelineStep {
        at_ms: step.at_ms,
        recorded_at_ms: step.recorded_at_ms,
        kind: step.kind,
        code: step.code,
        status: step.status,
        record: step.record,
        entity: step.entity,
        revision: step.revision,
        connection: step.connection,
        external_id: step.external_id,
        causes: step.causes,
        delivery: step.delivery,
        copies: step.copies.into_iter().map(copied).collect(),
    });
    (steps.collect(), timeline.truncated)
}

fn copied(copy: Copied) -> TimelineCopy {
    let Copied { record, entity, connection, external_id } = copy;
    TimelineCopy { record, entity, connection, external_id }
}

fn asked(by: PersonDecision) -> DecisionAsk {
    let verdict = if by.pass { PersonVerdict::Pass } else { PersonVerdict::Fail };
    DecisionAsk { verdict, person: by.person, reason: by.reason, reasons: by.reasons }
}

pub(crate) fn told(error: InterviewError) -> InterviewsError {
    match error {
        InterviewError::NotFound(what) => InterviewsError::NotFound(what),
        InterviewError::BadInput { field, expected, expected_zh } => {
            InterviewsError::Invalid { field, expected, expected_zh }
        }
        InterviewError::Refused { en, zh } => InterviewsError::Refused { en, zh },
        InterviewError::Superseded { by } => InterviewsError::Superseded { by },
        InterviewError::TooMany { after_s, .. } => InterviewsError::TooMany { after_s },
        InterviewError::Overloaded => InterviewsError::Overloaded,
        InterviewError::Store(error) => InterviewsError::Store(error),
        InterviewError::Fault(why) => InterviewsError::Failed(why),
    }
}
