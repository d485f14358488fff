//! Applications with the way through their stages.

use std::collections::BTreeMap;

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{ApplicationStatus, SourceChannel, StageKind};
use renmen_plugin::schema::entity::{Application, Outcome, Source, Stage, StageChange};
use renmen_plugin::schema::types::{Coded, Localized, Ref};

use super::{Reasons, instant};
use crate::api::hire::{self, JOINED, Process, ProcessStage, StageTime, THEY_REFUSED};
use crate::api::loose::filled;

/// The stages of every process, by id, with their place in the order.
pub(crate) struct Stages(BTreeMap<String, Stage>);

impl Stages {
    pub(crate) fn of(processes: &[Process]) -> Self {
        let all = processes.iter().flat_map(|process| process.stage_list.iter().enumerate());
        Self(all.map(|(index, stage)| (stage.id.clone(), stage_of(stage, u32::try_from(index).ok()))).collect())
    }

    /// A stage that no process has any more keeps its id for a name.
    fn named(&self, id: &str) -> Stage {
        self.0.get(id).cloned().unwrap_or_else(|| Stage::new(Localized::und(id), Coded::with_raw(StageKind::Other, id)))
    }
}

fn stage_of(from: &ProcessStage, index: Option<u32>) -> Stage {
    let name = crate::api::text::Named { id: None, zh_name: from.zh_name.clone(), en_name: from.en_name.clone() };
    let kind = from.kind.unwrap_or_default();
    let kind = Coded::from_raw(&kind.to_string(), |_| kind_of(kind));
    Stage { index, ..Stage::new(name.localized().unwrap_or_else(|| Localized::und(from.id.as_str())), kind) }
}

/// The kind of a stage by its `type`.
pub(crate) fn kind_of(kind: i64) -> Option<StageKind> {
    match kind {
        1 | 2 => Some(StageKind::Screening),
        3 => Some(StageKind::Test),
        4 => Some(StageKind::Interview),
        5 => Some(StageKind::Offer),
        6 | JOINED => Some(StageKind::Onboarding),
        _ => None,
    }
}

/// An application.
///
/// # Errors
/// [`Unfit`] for a time that is not valid.
pub(crate) fn application(
    from: &hire::Application,
    stages: &Stages,
    reasons: &Reasons<'_>,
) -> Result<Application, Unfit> {
    let status = status_of(from);
    let ended = from.active_status == Some(2);
    let outcome = ended.then(|| Outcome {
        reasons: reasons.coded(from.termination_reason_list.as_deref().unwrap_or_default()),
        note: filled(from.termination_reason_note.as_ref()).map(str::to_owned),
        ..Outcome::new(status.clone())
    });
    // The same stage can be left out of the processes of today: what the application says of it is then all there is.
    let stage = from.stage.as_ref().map(|stage| match stages.0.get(&stage.id) {
        Some(known) => known.clone(),
        None => stage_of(stage, None),
    });
    let mut history: Vec<StageChange> =
        from.stage_time_list.iter().filter_map(|time| change(time, stages).transpose()).collect::<Result<_, _>>()?;
    history.sort_by_key(|change| change.entered_at.epoch_ms());
    let ended_at = if ended { instant("modify_time", from.modify_time)? } else { None };
    Ok(Application {
        stage,
        stage_history: history,
        source: from.resume_source_info.as_ref().map(|source| {
            let kind = source.resume_source_type.unwrap_or_default();
            let detail = source.name.as_ref().and_then(|name| name.best()).map(str::to_owned);
            Source { detail, ..Source::new(channel_of(kind)) }
        }),
        applied_at: instant("create_time", from.create_time)?,
        ended_at,
        outcome,
        ..Application::new(Ref::external(from.talent_id.as_str()), Ref::external(from.job_id.as_str()), status)
    })
}

fn change(from: &StageTime, stages: &Stages) -> Result<Option<StageChange>, Unfit> {
    let Some(entered) = instant("stage_time_list.enter_time", from.enter_time)? else { return Ok(None) };
    let left = instant("stage_time_list.exit_time", from.exit_time)?;
    // The vendor keeps the last entry and the last exit: a stage that was entered again after it was left is still open.
    let left_at = left.filter(|left| left.epoch_ms() >= entered.epoch_ms());
    Ok(Some(StageChange { left_at, ..StageChange::new(stages.named(&from.stage_id), entered) }))
}

fn status_of(from: &hire::Application) -> Coded<ApplicationStatus> {
    let active = from.active_status.unwrap_or_default();
    let joined = from.stage.as_ref().is_some_and(|stage| stage.kind == Some(JOINED));
    let raw = match (active, from.termination_type) {
        (2, Some(kind)) => format!("2/{kind}"),
        _ => active.to_string(),
    };
    Coded::from_raw(&raw, |_| match (active, from.termination_type) {
        (1, _) if joined => Some(ApplicationStatus::Hired),
        (1, _) => Some(ApplicationStatus::Active),
        (2, Some(1)) => Some(ApplicationStatus::Rejected),
        (2, Some(THEY_REFUSED)) => Some(ApplicationStatus::Withdrawn),
        _ => None,
    })
}

fn channel_of(kind: i64) -> Coded<SourceChannel> {
    Coded::from_raw(&kind.to_string(), |_| match kind {
        10_000 | 10_007 => Some(SourceChannel::Referral),
        10_001 => Some(SourceChannel::Agency),
        10_002 | 10_008 | 10_009 => Some(SourceChannel::Internal),
        10_003 => Some(SourceChannel::JobBoard),
        10_004 => Some(SourceChannel::Social),
        10_005 => Some(SourceChannel::Event),
        _ => None,
    })
}
