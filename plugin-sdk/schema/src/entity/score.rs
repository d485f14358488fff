//! Scores and results of interviews.

use super::{Assessment, Competency, EnvironmentEvent, Interview, InterviewAnswer, PositionProfile};
use crate::check::Walk;
use crate::code::{PassDecision, Recommendation, ScorerKind};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Decimal, Instant, Localized, MediaRef, Ref, Score, Weight};

entity! {
    /// The score of one dimension. A correction is another record that names the one it corrects: the first is never
    /// overwritten.
    pub struct DimensionScore {
        /// The interview.
        pub interview: Option<Ref<Interview>>,
        /// Or in which assessment.
        pub assessment: Option<Ref<Assessment>>,
        /// The competency scored.
        pub competency: Option<Ref<Competency>>,
        /// The vendor's name of the dimension.
        pub dimension: Option<Localized>,
        /// The score.
        pub score: Score => PERSONAL,
        /// How much it counted.
        pub weight_used: Option<Weight>,
        /// Against which profile.
        pub profile: Option<Ref<PositionProfile>>,
        /// Which version of it.
        pub profile_version: Option<u32>,
        /// What it rests on.
        pub evidence: Vec<Evidence>,
        /// Why, for the candidate.
        pub explanation: Option<Localized> => PERSONAL,
        /// Who or what scored it.
        pub scored_by: Option<ScoredBy>,
        /// The score that this one corrects. The gateway alone writes it, for a person who corrected: a source that scored again
        /// sends another score and its new result.
        pub adjusts: Option<Ref<DimensionScore>>,
        /// Why it was corrected, or scored again.
        pub adjust_reason: Option<AdjustReason>,
    }
    rules score_rules
}

fn score_rules(score: &DimensionScore, walk: &mut Walk<'_>) {
    if score.interview.is_some() == score.assessment.is_some() {
        walk.defect(
            "bad_subject",
            text!(
                "none or both of interview and assessment; expected exactly one",
                "interview 与 assessment 须且只能有一个"
            ),
        );
    }
    if score.competency.is_none() && score.dimension.is_none() {
        walk.defect(
            "missing_field",
            text!(
                "neither competency nor dimension; expected at least one",
                "competency 与 dimension 都没有；至少应有一个"
            ),
        );
    }
    if score.adjusts.is_some() && score.adjust_reason.is_none() {
        walk.defect_in(
            "adjust_reason",
            "missing_field",
            text!("nothing; a correction needs its reason", "缺少内容；更正须写明原因"),
        );
    }
}

shape! {
    /// What a score rests on.
    pub struct Evidence {
        /// The answer that holds the evidence.
        pub answer: Ref<InterviewAnswer>,
        /// Which words: the first character, from 0.
        pub from: Option<u32>,
        /// The character after the last.
        pub to: Option<u32>,
        /// Which observation of the answer, from 0.
        pub observation: Option<u32>,
    }
}

shape! {
    /// Who scored.
    pub struct ScoredBy {
        /// A model or a person.
        pub kind: ScorerKind,
        /// Vendor of the model.
        pub vendor: Option<String>,
        /// Which version of it.
        pub model_version: Option<String>,
        /// The person who scored.
        pub person: Option<String> => PERSONAL,
    }
}

shape! {
    /// Why a score was corrected.
    pub struct AdjustReason {
        /// The environment event behind it.
        pub environment_event: Option<Ref<EnvironmentEvent>>,
        /// Explanation, in free text.
        pub text: Option<Localized> => PERSONAL,
    }
}

entity! {
    /// What an interview came to.
    pub struct InterviewResult {
        /// The interview.
        pub interview: Ref<Interview>,
        /// As a whole.
        pub overall: Option<Score> => PERSONAL,
        /// The vendor's recommendation.
        pub recommendation: Option<Coded<Recommendation>> => PERSONAL,
        /// How well the candidate fits the profile.
        pub matching: Option<Score> => PERSONAL,
        /// Strengths.
        pub strengths: Vec<Localized> => PERSONAL,
        /// Weaknesses.
        pub weaknesses: Vec<Localized> => PERSONAL,
        /// The level that the candidate showed.
        pub suggested_level: Option<String> => PERSONAL,
        /// The rule that decided.
        pub pass_rule: Option<PassRule>,
        /// The vendor's report.
        pub report: Vec<MediaRef> => PERSONAL,
        /// When the vendor finished.
        pub completed_at: Option<Instant>,
        /// When the candidate got their report.
        pub delivered_to_candidate_at: Option<Instant>,
    }
}

shape! {
    /// A rule that decided on a result.
    pub struct PassRule {
        /// Id of the rule.
        pub rule_id: String,
        /// Which version of it.
        pub version: Option<u32>,
        /// The line, on the scale of the score.
        pub threshold: Option<Decimal>,
        /// Outcome of the rule.
        pub decision: PassDecision => PERSONAL,
    }
}
