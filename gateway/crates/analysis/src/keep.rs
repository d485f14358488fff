//! Keeps answers as records: one that a person asks to be kept, and those of the schedule.

use renmen_schema::code::AdjustmentStatus;
use renmen_schema::entity::ModelAdjustment;
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::text;
use renmen_schema::types::Instant;
use renmen_schema::{Entity, check::Walk};
use renmen_store::{AuthoredCommit, AuthoredRecord, Cause, Follow, RecordRow, StreamKey};

use crate::engine::Analysis;
use crate::record::stream;
use crate::shelf::built_in;
use crate::slot::Slot;
use crate::{AnalysisError, Answer, Ask, Plan, QuestionName, day};

/// The stream of what people ask to be kept.
const KEPT_STREAM: &str = "insights";

/// An answer with the records that it was kept as.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The answer.
    pub answer: Answer,
    /// The ids of its records, in the order in which they were written.
    pub ids: Vec<RecordId>,
}

impl Analysis {
    /// Answers a question and keeps the answer as records. The same answer again is the same records, without another revision.
    ///
    /// # Errors
    /// [`AnalysisError`]; nothing was kept then.
    pub async fn keep(&self, tenant: &TenantId, ask: &Ask) -> Result<Kept, AnalysisError> {
        let now_ms = self.clock.now_ms();
        let answer = self.ask(tenant, ask).await?;
        let records = self.records(tenant, &answer, None).await?;
        if records.is_empty() {
            return Err(AnalysisError::Refused(text!("the answer has nothing to keep", "此回答没有可保存的内容")));
        }
        let mut commit = AuthoredCommit::of(tenant.clone(), stream(KEPT_STREAM)?, now_ms);
        commit.records = records;
        let ids = self.store.author(commit).await?.ids;
        Ok(Kept { answer, ids })
    }

    /// The number of the newest time of a plan that was answered; 0 before the first.
    pub(crate) async fn answered(&self, tenant: &TenantId, plan: &Plan) -> Result<i64, AnalysisError> {
        let key =
            StreamKey { tenant: tenant.clone(), connection: built_in(), stream: stream(&stream_name(&plan.name))? };
        let cursor = self.store.stream_state(&key).await?.cursor;
        cursor.map_or(Ok(0), |text| {
            text.parse().map_err(|_| AnalysisError::Fault(format!("the place of plan `{}` is not a number", plan.name)))
        })
    }

    /// Answers a time of the schedule: the records and the place of the schedule are one commit, so it is done once, whichever gateway
    /// does it and whenever it was killed. [`renmen_store::StoreError::Fenced`]: another gateway was first.
    pub(crate) async fn keep_slot(
        &self,
        tenant: &TenantId,
        plan: &Plan,
        slot: &Slot,
        from: i64,
    ) -> Result<(), AnalysisError> {
        let mut ask = plan.ask.clone();
        if ask.question != QuestionName::Review {
            ask.say("from", &slot.window.start.to_string())?;
            ask.say("to", &slot.window.end.to_string())?;
        }
        // As of the time that was due, so that a late answer is the one that a punctual one would have been.
        let due_ms = day::begins_ms(slot.day, self.settings.offset_minutes);
        let made_at = Instant::from_epoch_ms(due_ms).map_err(|error| AnalysisError::Fault(error.to_string()))?;
        let records = if ask.question == QuestionName::Review {
            self.reviewed(tenant, &ask, due_ms, made_at).await?
        } else {
            let answer = self.ask_in_turn(tenant, &ask, due_ms).await?;
            self.due_records(tenant, &answer, made_at).await?
        };
        let mut commit = AuthoredCommit::of(tenant.clone(), stream(&stream_name(&plan.name))?, self.clock.now_ms());
        commit.follow = Some(Follow { from, to: slot.number });
        commit.records = records;
        self.store.author(commit).await?;
        Ok(())
    }

    /// The records of a scheduled answer. Of a store that holds nothing yet there is nothing to say.
    async fn due_records(
        &self,
        tenant: &TenantId,
        answer: &Answer,
        made_at: Instant,
    ) -> Result<Vec<AuthoredRecord>, AnalysisError> {
        if answer.is_about_nothing() {
            return Ok(Vec::new());
        }
        self.records(tenant, answer, Some(made_at)).await
    }

    /// The review of instructions: an insight, and the effect on the record of each instruction as it stood when it was read.
    async fn reviewed(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        now_ms: i64,
        made_at: Instant,
    ) -> Result<Vec<AuthoredRecord>, AnalysisError> {
        let effects = self.effects(tenant, ask, now_ms).await?;
        let mut records = self.due_records(tenant, &effects.answer, made_at).await?;
        for (row, body) in effects.kept {
            records.push(measured(&row, &body)?);
        }
        Ok(records)
    }
}

/// The name of a plan's stream.
pub(crate) fn stream_name(plan: &str) -> String {
    format!("insight-{plan}")
}

/// Another revision of an instruction; refused when someone did something about it meanwhile.
fn measured(row: &RecordRow, body: &ModelAdjustment) -> Result<AuthoredRecord, AnalysisError> {
    debug_assert_eq!(body.status, AdjustmentStatus::Applied, "only what is applied has an effect");
    if let Some(defect) = Walk::over(body).first() {
        return Err(AnalysisError::Fault(format!("an instruction with its effect is not valid: {defect}")));
    }
    Ok(AuthoredRecord {
        entity: ModelAdjustment::KIND.name().to_owned(),
        external_id: row.external_id.clone(),
        body: body.to_payload(),
        deleted: None,
        causes: vec![Cause { record: row.id, revision: row.revision }],
        expect: Some(row.revision),
        parents: Vec::new(),
    })
}
