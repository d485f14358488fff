//! An application to the next stage of its process (page "转移投递阶段"). Hire compares nothing itself, so this looks before it writes:
//! the application must be in the stage that it is said to leave. One that left it before is left alone, however late this comes, so
//! that no application is moved twice or back; one that is before it is a person's matter.

use renmen_plugin::schema::code::StageKind;
use renmen_plugin::{Failure, Receipt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::done;
use crate::api::hire::{self, JOINED, ProcessStage, SHOWN_ONLY};
use crate::api::write;
use crate::{Config, map};

/// The action's input, as the manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// The application in Hire.
    application_id: String,
    /// The stage that it leaves, by its id, or
    from_stage_id: Option<String>,
    /// by its kind, where the process has one of that kind: just one of the two.
    from_kind: Option<Kind>,
    /// The stage that it goes to; by default the next one of its process.
    to_stage_id: Option<String>,
}

/// Kinds of stages, as in the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Kind {
    Screening,
    Test,
    Interview,
    Offer,
    Onboarding,
}

impl Kind {
    fn is(self, stage: &ProcessStage) -> bool {
        let kind = match self {
            Self::Screening => StageKind::Screening,
            Self::Test => StageKind::Test,
            Self::Interview => StageKind::Interview,
            Self::Offer => StageKind::Offer,
            Self::Onboarding => StageKind::Onboarding,
        };
        map::kind_of(stage.kind.unwrap_or_default()) == Some(kind)
    }
}

pub(super) fn advance(config: &Config, input: &Input) -> Result<Receipt, Failure> {
    let application = hire::found(config, &input.application_id)?;
    let way = Way::of(config, &application)?;
    let from = way.place(input.from_stage_id.as_deref(), input.from_kind)?;
    let outcome = |outcome: &str, to: &ProcessStage| {
        let facts: [(&str, Value); 3] =
            [("outcome", json!(outcome)), ("from_stage_id", json!(way.stages[from].id)), ("stage_id", json!(to.id))];
        done(&application.id, facts)
    };
    if way.at > from {
        return Ok(outcome("moved_before", &way.stages[way.at]));
    }
    if way.at < from {
        return Err(Failure::invalid_input(
            "the application is in an earlier stage than the one that it is to leave: a person has to check it in Hire",
        ));
    }
    if application.active_status != Some(1) {
        return Err(Failure::invalid_input("the application was ended in Hire: one that is ended is not moved"));
    }
    let to = way.target(input.to_stage_id.as_deref())?;
    let path = format!("{}/transfer_stage", hire::application_path(&application.id)?);
    let _: Option<Value> = write(config, "POST", &path, &[], &json!({ "stage_id": to.id }))?;
    Ok(outcome("moved", to))
}

/// The stages of an application's process in their order, and where it is.
pub(super) struct Way {
    stages: Vec<ProcessStage>,
    at: usize,
}

impl Way {
    /// The vendor does not say which process an application is in: it is the one that has its stage.
    pub(super) fn of(config: &Config, application: &hire::Application) -> Result<Self, Failure> {
        let current = application.stage.as_ref();
        let current = current.ok_or_else(|| Failure::invalid_input("Hire tells no stage of this application"))?;
        let mut found = None;
        for process in hire::processes(config)? {
            let stages: Vec<ProcessStage> =
                process.stage_list.into_iter().filter(|stage| stage.kind != Some(SHOWN_ONLY)).collect();
            let Some(at) = stages.iter().position(|stage| stage.id == current.id) else { continue };
            if found.replace(Self { stages, at }).is_some() {
                return Err(Failure::invalid_input(
                    "several processes in Hire have the stage of this application, so what comes next is not known",
                ));
            }
        }
        found.ok_or_else(|| Failure::invalid_input("no process in Hire has the stage of this application any more"))
    }

    /// Where the stage that is left stands.
    fn place(&self, id: Option<&str>, kind: Option<Kind>) -> Result<usize, Failure> {
        let fits = |stage: &ProcessStage| match (id, kind) {
            (Some(id), None) => Ok(stage.id == id),
            (None, Some(kind)) => Ok(kind.is(stage)),
            _ => Err(Failure::invalid_input("expected just one of from_stage_id and from_kind")),
        };
        let mut found = Vec::new();
        for (at, stage) in self.stages.iter().enumerate() {
            if fits(stage)? {
                found.push(at);
            }
        }
        match found[..] {
            [one] => Ok(one),
            [] => Err(Failure::invalid_input("the process of this application has no such stage as it is to leave")),
            _ => Err(Failure::invalid_input(
                "the process of this application has several stages of this kind: name one of them by from_stage_id",
            )),
        }
    }

    /// Is it in the stage that is named here? Where none is, it is.
    pub(super) fn is_in(&self, id: Option<&str>, kind: Option<Kind>) -> Result<bool, Failure> {
        if id.is_none() && kind.is_none() {
            return Ok(true);
        }
        Ok(self.place(id, kind)? == self.at)
    }

    /// The stage that is gone to.
    fn target(&self, id: Option<&str>) -> Result<&ProcessStage, Failure> {
        let to = match id {
            None => self.at + 1,
            Some(id) => self.stages.iter().position(|stage| stage.id == id).ok_or_else(|| {
                Failure::invalid_input("to_stage_id is not a stage of the process that this application is in")
            })?,
        };
        let stage = self.stages.get(to).filter(|_| to > self.at);
        let stage = stage.ok_or_else(|| Failure::invalid_input("no such stage follows the one that it leaves"))?;
        if stage.kind == Some(JOINED) {
            return Err(Failure::invalid_input("Hire does not move an application to the stage of those who joined"));
        }
        Ok(stage)
    }
}
