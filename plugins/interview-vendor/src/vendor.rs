//! The protocol's objects as they are sent. Members that a reader does not know are ignored, as the protocol asks.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// What every object has, with the rest as `T`; a deleted object has no rest.
#[derive(Debug)]
pub struct Object<T> {
    /// Stable id.
    pub id: String,
    /// RFC 3339.
    pub modified_at: String,
    /// True if the vendor deleted the object.
    pub deleted: bool,
    /// The other members; none if the object was deleted.
    pub body: Option<T>,
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Head {
            id: String,
            modified_at: String,
            #[serde(default)]
            deleted: bool,
        }
        let raw = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        let head: Head = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        let body = match head.deleted {
            true => serde_json::from_str::<IgnoredAny>(raw.get()).map(|_| None),
            false => serde_json::from_str(raw.get()).map(Some),
        };
        let body = body.map_err(serde::de::Error::custom)?;
        Ok(Self { id: head.id, modified_at: head.modified_at, deleted: head.deleted, body })
    }
}

/// The content of an error.
#[derive(Debug, Deserialize)]
pub struct Problem {
    /// Stable code.
    pub code: String,
}

/// A text for people: plain, or an object from language to text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// In no declared language.
    Plain(String),
    /// By BCP 47 tag.
    Tagged(std::collections::BTreeMap<String, String>),
}

/// A value on a stated scale; decimals are texts.
#[derive(Debug, Deserialize)]
pub struct Scale {
    /// What was given.
    pub value: String,
    /// Least possible.
    pub min: String,
    /// Most possible.
    pub max: String,
}

/// Something named.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// Id at the vendor.
    pub id: String,
    /// Name for people.
    pub name: Option<Text>,
}

/// A file kept elsewhere.
#[derive(Debug, Deserialize)]
pub struct Media {
    /// The address of the file.
    pub uri: String,
    /// In hexadecimal digits.
    pub sha256: Option<String>,
    /// Size of the file.
    pub bytes: Option<u64>,
    /// `video/mp4`.
    pub media_type: Option<String>,
    /// Length of the recording.
    pub duration_ms: Option<u64>,
    /// RFC 3339.
    pub expires_at: Option<String>,
    /// Encrypted end to end.
    #[serde(default)]
    pub e2e: bool,
}

/// `candidates`.
#[derive(Debug, Deserialize)]
pub struct Candidate {
    /// Whole name.
    pub name: String,
    /// Mail address.
    pub email: Option<String>,
    /// E.164 where known.
    pub phone: Option<String>,
    /// The customer's own id.
    pub external_id: Option<String>,
    /// With its unit.
    pub expected_pay: Option<Pay>,
}

/// A range of pay.
#[derive(Debug, Deserialize)]
pub struct Pay {
    /// Decimal text.
    pub min: Option<String>,
    /// Decimal text.
    pub max: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// `MONTH`, …
    pub per: Option<String>,
}

/// `applications`.
#[derive(Debug, Deserialize)]
pub struct Application {
    /// The candidate who applied.
    pub candidate_id: String,
    /// The customer's own id.
    pub external_id: Option<String>,
    /// The position applied for.
    pub position: Named,
    /// The protocol's word.
    pub status: String,
    /// The stage's name.
    pub stage: Option<String>,
    /// RFC 3339.
    pub applied_at: Option<String>,
    /// The vendor's word.
    pub channel: Option<String>,
    /// Why it was rejected or withdrawn: the protocol's or the vendor's words.
    #[serde(default)]
    pub outcome_reasons: Vec<String>,
    /// The same for people.
    pub outcome_note: Option<String>,
}

/// `orders`.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// The application that the interview is ordered for.
    pub application_id: String,
    /// What was ordered.
    pub package: Option<Named>,
    /// The protocol's word.
    pub mode: String,
    /// BCP 47.
    pub language: Option<String>,
    /// Of the position profile.
    pub profile_version: Option<u32>,
    /// Planned; RFC 3339.
    pub start_at: Option<String>,
    /// Planned; RFC 3339.
    pub end_at: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// RFC 3339.
    pub deadline: Option<String>,
    /// `vendor` or `host`.
    pub invite_by: Option<String>,
    /// Where the candidate goes.
    pub access_url: Option<String>,
    /// The protocol's word.
    pub status: String,
}

/// `interviews`.
#[derive(Debug, Deserialize)]
pub struct Interview {
    /// What ordered it.
    pub order_id: Option<String>,
    /// The application that it belongs to.
    pub application_id: String,
    /// From 1.
    pub round: Option<u32>,
    /// `ai` or `human`.
    pub kind: String,
    /// The protocol's word.
    pub status: String,
    /// Planned; RFC 3339.
    pub start_at: Option<String>,
    /// Planned; RFC 3339.
    pub end_at: Option<String>,
    /// When it began; RFC 3339.
    pub started_at: Option<String>,
    /// When it ended; RFC 3339.
    pub ended_at: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// What the candidate used.
    pub device: Option<Device>,
    /// By reference.
    #[serde(default)]
    pub recordings: Vec<Media>,
}

/// What the candidate used.
#[derive(Debug, Deserialize)]
pub struct Device {
    /// Works?
    pub camera: Option<bool>,
    /// Works?
    pub microphone: Option<bool>,
    /// Operating system.
    pub os: Option<String>,
}

/// `answers`.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// The interview in which it was given.
    pub interview_id: String,
    /// The question that it answers.
    pub question: Question,
    /// What was said.
    pub text: Option<String>,
    /// What was chosen.
    pub choice: Option<String>,
    /// RFC 3339.
    pub shown_at: Option<String>,
    /// RFC 3339.
    pub first_response_at: Option<String>,
    /// RFC 3339.
    pub submitted_at: Option<String>,
    /// What was observed.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// What the interviewer added.
    #[serde(default)]
    pub prompts: Vec<Prompt>,
    /// The score of this answer.
    pub score: Option<Scale>,
    /// By reference.
    #[serde(default)]
    pub recordings: Vec<Media>,
}

/// A question.
#[derive(Debug, Deserialize)]
pub struct Question {
    /// Library id.
    pub id: Option<String>,
    /// What is asked.
    pub text: Text,
    /// The protocol's word.
    pub kind: Option<String>,
    /// What it should show.
    #[serde(default)]
    pub competency_ids: Vec<String>,
    /// Seconds.
    pub prep_s: Option<u32>,
    /// Seconds.
    pub max_s: Option<u32>,
}

/// One thing observed.
#[derive(Debug, Deserialize)]
pub struct Observation {
    /// The protocol's or the vendor's word.
    pub r#type: String,
    /// A decimal with `min` and `max`, or a word without.
    pub value: Option<String>,
    /// Least possible.
    pub min: Option<String>,
    /// Most possible.
    pub max: Option<String>,
    /// RFC 3339.
    pub at: Option<String>,
    /// 0 to 1.
    pub confidence: Option<String>,
}

/// What the interviewer added.
#[derive(Debug, Deserialize)]
pub struct Prompt {
    /// RFC 3339.
    pub at: String,
    /// The text of the addition.
    pub text: Text,
}

/// `dimension_scores`.
#[derive(Debug, Deserialize)]
pub struct DimensionScore {
    /// The interview that was scored.
    pub interview_id: String,
    /// The competency that was scored.
    pub competency: Named,
    /// The score on its scale.
    pub score: Scale,
    /// Decimal text.
    pub weight_percent: Option<String>,
    /// Of the position profile.
    pub profile_version: Option<u32>,
    /// Of the vendor's model.
    pub model_version: Option<String>,
    /// Why the score was given.
    pub explanation: Option<Text>,
    /// The words that support the score.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The score that this one corrects.
    pub adjusts_id: Option<String>,
    /// Why it was corrected.
    pub adjust_reason: Option<String>,
    /// The event that was the reason for the correction.
    pub environment_event_id: Option<String>,
}

/// Words of an answer that support a score.
#[derive(Debug, Deserialize)]
pub struct Evidence {
    /// The answer.
    pub answer_id: String,
    /// First character.
    pub from: Option<u32>,
    /// The position after the last character.
    pub to: Option<u32>,
}

/// `environment_events`.
#[derive(Debug, Deserialize)]
pub struct EnvironmentEvent {
    /// The interview in which it happened.
    pub interview_id: String,
    /// RFC 3339.
    pub at: String,
    /// The protocol's word.
    pub r#type: String,
    /// Decimal text.
    pub value: Option<String>,
    /// `ms`, `percent`, `dB`, `lux`.
    pub unit: Option<String>,
    /// `info`, `warning`, `critical`.
    pub severity: Option<String>,
    /// What the candidate was told.
    pub remedy: Option<Text>,
}

/// `process_nodes`.
#[derive(Debug, Deserialize)]
pub struct ProcessNode {
    /// The interview, if it is part of one.
    pub interview_id: Option<String>,
    /// The application, if it is part of one.
    pub application_id: Option<String>,
    /// The protocol's word.
    pub node: String,
    /// RFC 3339.
    pub at: String,
    /// Its place in the order of steps.
    pub seq: Option<u64>,
    /// The number of clicks.
    pub clicks: Option<u32>,
    /// Milliseconds.
    pub wait_ms: Option<u64>,
    /// The channel that was used.
    pub channel: Option<String>,
    /// The question that was shown or answered.
    pub question_id: Option<String>,
    /// How much is done.
    pub done: Option<u32>,
    /// Of how many.
    pub of: Option<u32>,
}

/// `results`.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    /// The interview that the result is of.
    pub interview_id: String,
    /// The overall score.
    pub overall: Option<Scale>,
    /// How well the candidate matches the position.
    pub r#match: Option<Scale>,
    /// The protocol's word.
    pub recommendation: Option<String>,
    /// What is good.
    #[serde(default)]
    pub strengths: Vec<Text>,
    /// What is not good.
    #[serde(default)]
    pub weaknesses: Vec<Text>,
    /// As the customer names levels.
    pub suggested_level: Option<String>,
    /// By reference.
    #[serde(default)]
    pub report: Vec<Media>,
    /// RFC 3339.
    pub delivered_to_candidate_at: Option<String>,
}

/// `adjustments`.
#[derive(Debug, Deserialize)]
pub struct Adjustment {
    /// Only for this position.
    pub position_id: Option<String>,
    /// The version that the change started from.
    pub expected_version: u32,
    /// What was changed.
    #[serde(default)]
    pub ops: Vec<AdjustOp>,
    /// `accepted`, `applied`, `rejected`, `reverted`.
    pub status: String,
    /// The vendor's receipt.
    pub receipt: Option<String>,
    /// The model's version since it was applied or reverted.
    pub version: Option<u32>,
}

/// One change of a model.
#[derive(Debug, Deserialize)]
pub struct AdjustOp {
    /// `set_weight`, `add_signal`, `drop_question`, `add_question`, `block_feature`.
    pub op: String,
    /// The competency whose weight changes.
    pub competency_id: Option<String>,
    /// Of one kind of evidence only: `speech`, `face`, `semantic`, `field`, `video_task`, `test`.
    pub modality: Option<String>,
    /// Basis points before.
    pub from_bp: Option<u16>,
    /// Basis points after.
    pub to_bp: Option<u16>,
    /// A feed of data.
    pub signal: Option<String>,
    /// A question of the library.
    pub question_id: Option<String>,
    /// A new question.
    pub text: Option<Text>,
    /// A feature that may not be used.
    pub feature: Option<String>,
}
