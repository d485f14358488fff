//! What was decided on a result, by which rule, and by whom. The gateway writes these itself.

use super::{Application, DimensionScore, Interview, InterviewResult, PassRule};
use crate::check::Walk;
use crate::code::{DeciderKind, DecisionStatus, OutcomeReason, PassDecision};
use crate::id::RecordId;
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Decimal, Instant, Localized, Ref, Score, Weight};

entity! {
    /// A rule that decides on results. Its version is the revision of this record: a rule that changes is another version.
    pub struct DecisionRule {
        /// Name.
        pub name: String,
        /// The id of the position that it is for; absent: every position that no other rule is for.
        pub position: Option<String>,
        /// Only for this version of the position's profile.
        pub profile_version: Option<u32>,
        /// From here on a result passes, in per cent of its scale.
        pub pass: Decimal,
        /// The band of scores that a person decides on.
        pub border: Option<BorderBand>,
        /// False: it decides on nothing any more.
        pub active: bool,
    }
    rules rule_rules
}

fn rule_rules(rule: &DecisionRule, walk: &mut Walk<'_>) {
    if !percent(rule.pass) {
        walk.defect_in(
            "pass",
            "bad_percent",
            text!("a pass line that is not within 0 to 100", "通过线不在 0 到 100 之间"),
        );
    }
}

shape! {
    /// A band of scores, in per cent of their scale.
    pub struct BorderBand {
        /// The first score of it.
        pub from: Decimal,
        /// The first score above it.
        pub below: Decimal,
    }
    rules border_rules
}

fn border_rules(border: &BorderBand, walk: &mut Walk<'_>) {
    if !percent(border.from) || !percent(border.below) {
        walk.defect("bad_percent", text!("a border that is not within 0 to 100", "复核区间不在 0 到 100 之间"));
    }
    if border.from >= border.below {
        walk.defect_in(
            "below",
            "bad_range",
            text!("a band without extent; expected from < below", "区间为空；应为 from < below"),
        );
    }
}

fn percent(value: Decimal) -> bool {
    !value.is_negative() && value <= Decimal::from(100)
}

entity! {
    /// A decision on a result. It rests on the values in `inputs`: as long as they stay the same, nothing is decided again.
    pub struct Decision {
        /// The application, if known.
        pub application: Option<Ref<Application>>,
        /// The interview.
        pub interview: Ref<Interview>,
        /// The interview result decided on.
        pub result: Ref<InterviewResult>,
        /// What was decided; REVIEW until a person did, and where another decision came before a person did.
        pub outcome: PassDecision => PERSONAL,
        /// Whether it stands.
        pub status: DecisionStatus,
        /// What the rule said.
        pub rule: PassRule,
        /// The band that goes to a person, of that version of the rule.
        pub border: Option<BorderBand>,
        /// The score that was used, in per cent of its scale; absent where the result has none, which is why a person decides.
        pub score: Option<Decimal> => PERSONAL,
        /// Corrections that were counted in.
        pub corrections: Vec<Ref<DimensionScore>>,
        /// Who decided.
        pub decided_by: Option<Decider>,
        /// When it was decided.
        pub decided_at: Option<Instant>,
        /// Why, where a person decided, and why a person must.
        pub reason: Option<Localized> => PERSONAL,
        /// The same in codes, where a person who declined gave some.
        pub reasons: Vec<Coded<OutcomeReason>>,
        /// Who opened it again, where a person did: then no rule decides.
        pub opened_by: Option<Decider>,
        /// What it was made from.
        pub inputs: Vec<DecisionInput>,
        /// The decision before this one. It is SUPERSEDED as soon as this one is there; one that a person made stands until a person
        /// has decided here.
        pub supersedes: Option<Ref<Decision>>,
        /// The decision that took the place of this one.
        pub superseded_by: Option<Ref<Decision>>,
    }
    rules decision_rules
}

fn decision_rules(decision: &Decision, walk: &mut Walk<'_>) {
    let undecided = decision.outcome == PassDecision::Review;
    let fits = match decision.status {
        DecisionStatus::AwaitingPerson => undecided,
        DecisionStatus::Decided => !undecided,
        DecisionStatus::Superseded => true,
    };
    if !fits {
        walk.defect_in(
            "status",
            "bad_status",
            text!(
                "AWAITING_PERSON belongs to the outcome REVIEW, and DECIDED to the others",
                "AWAITING_PERSON 对应结果 REVIEW，其余结果对应 DECIDED"
            ),
        );
    }
    if !undecided && decision.decided_by.is_none() {
        walk.defect_in(
            "decided_by",
            "missing_field",
            text!("nothing; a decision needs who made it", "缺少内容；决定须写明由谁做出"),
        );
    }
    if (decision.status == DecisionStatus::Superseded) != decision.superseded_by.is_some() {
        walk.defect_in(
            "superseded_by",
            "bad_status",
            text!("a decision is SUPERSEDED by another one, and only then", "只有被另一项决定取代时才为 SUPERSEDED"),
        );
    }
}

shape! {
    /// Who decided.
    pub struct Decider {
        /// A rule or a person.
        pub kind: DeciderKind,
        /// The person, where a person decided.
        pub person: Option<String> => PERSONAL,
    }
}

shape! {
    /// What a decision was made from: a record, and of it what was judged.
    pub struct DecisionInput {
        /// Entity of the record.
        pub entity: String,
        /// The record.
        pub record: RecordId,
        /// Which revision of it, from 1.
        pub revision: u64,
        /// The score of it that was used. Only another score, or another weight, makes the gateway decide again.
        pub score: Option<Score> => PERSONAL,
        /// How much it counted, where that was used.
        pub weight: Option<Weight>,
    }
}
