//! The end of an application (page "终止投递"), with the side that ended it and its reasons. One that is ended already is left as it is.

use renmen_plugin::schema::code::OutcomeReason;
use renmen_plugin::{Failure, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::done;
use super::stage::{Kind, Way};
use crate::Config;
use crate::api::hire::{self, THEY_REFUSED};
use crate::api::write;

/// `termination_type`: we refused.
const WE_REFUSED: i64 = 1;
/// `termination_type`: neither.
const NEITHER: i64 = 27;

/// The action's input, as the manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// The application in Hire.
    application_id: String,
    /// Only from this stage, by its id, or
    from_stage_id: Option<String>,
    /// by its kind.
    from_kind: Option<Kind>,
    /// Who ended it; by default the side that the first reason is of.
    ended_by: Option<Side>,
    /// Codes of outcome reasons.
    #[serde(default)]
    reasons: Vec<String>,
    /// In words.
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Side {
    Company,
    Candidate,
    Other,
}

impl Side {
    fn of(reason: OutcomeReason) -> Self {
        match reason {
            OutcomeReason::ReturnedByDepartment
            | OutcomeReason::BelowPassLine
            | OutcomeReason::NotQualified
            | OutcomeReason::OverQualified
            | OutcomeReason::BackgroundCheck => Self::Company,
            OutcomeReason::NoShow
            | OutcomeReason::PayTooLow
            | OutcomeReason::TookOtherOffer
            | OutcomeReason::NoLongerInterested
            | OutcomeReason::Location
            | OutcomeReason::NoAnswer => Self::Candidate,
            _ => Self::Other,
        }
    }

    fn termination_type(self) -> i64 {
        match self {
            Self::Company => WE_REFUSED,
            Self::Candidate => THEY_REFUSED,
            Self::Other => NEITHER,
        }
    }
}

#[derive(Serialize)]
struct Terminate<'a> {
    termination_type: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    termination_reason_list: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    termination_reason_note: Option<&'a str>,
}

pub(super) fn end(config: &Config, input: &Input) -> Result<Receipt, Failure> {
    let reasons = reasons(input)?;
    let side = input.ended_by.or_else(|| reasons.first().copied().map(Side::of));
    let side =
        side.ok_or_else(|| Failure::invalid_input("expected `ended_by`, or a reason that says whose end it is"))?;
    let application = hire::found(config, &input.application_id)?;
    if application.active_status != Some(1) {
        return Ok(done(&application.id, [("outcome", json!("ended_before"))]));
    }
    let named = input.from_stage_id.is_some() || input.from_kind.is_some();
    if named && !Way::of(config, &application)?.is_in(input.from_stage_id.as_deref(), input.from_kind)? {
        return Err(Failure::invalid_input(
            "the application is in another stage by now: it is not ended there, a person has to check it in Hire",
        ));
    }
    let body = Terminate {
        termination_type: side.termination_type(),
        termination_reason_list: ids(config, &reasons),
        termination_reason_note: input.note.as_deref(),
    };
    let path = format!("{}/terminate", hire::application_path(&application.id)?);
    let _: Option<Value> = write(config, "POST", &path, &[], &body)?;
    let facts = [("outcome", json!("ended")), ("termination_type", json!(body.termination_type))];
    Ok(done(&application.id, facts))
}

fn reasons(input: &Input) -> Result<Vec<OutcomeReason>, Failure> {
    let read = |code: &String| {
        OutcomeReason::from_code(code)
            .ok_or_else(|| Failure::invalid_input("`reasons` has a code that no outcome reason has"))
    };
    input.reasons.iter().map(read).collect()
}

/// The company's ids of these reasons, of several for one code the first by name. One that the configuration has no id for is not
/// sent: its side is.
fn ids<'c>(config: &'c Config, reasons: &[OutcomeReason]) -> Vec<&'c str> {
    let mut found = Vec::new();
    for reason in reasons {
        // A name is for reading alone: Hire takes ids, which are digits.
        let is_id = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let id = config.reasons.iter().find(|(word, code)| code.as_str() == reason.as_str() && is_id(word));
        found.extend(id.map(|(id, _)| id.as_str()));
    }
    found
}
