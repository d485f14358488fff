//! What a position asks for, the model that a vendor scores against, and instructions to change it.

use super::Job;
use crate::check::Walk;
use crate::code::{AdjustmentStatus, AdjustmentVerdict, CompetencyKind, Modality};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, DateSpan, Decimal, ExternalId, Instant, Localized, Ref, Score, Weight};

entity! {
    /// What a position asks for. Versioned; unchangeable once published. Nothing is normalised in silence: weights that do not
    /// reach a whole say so.
    pub struct PositionProfile {
        /// The position.
        pub position: Ref<Job>,
        /// Version, from 1, increasing.
        pub version: u32,
        /// When it was published; none while it is a draft.
        pub published_at: Option<Instant>,
        /// What counts, and how much.
        pub competencies: Vec<ProfileCompetency>,
        /// Which results of people in the position it was made from.
        pub derived_from: Vec<DerivedFrom>,
        /// The weights make exactly 10,000 basis points.
        pub complete: bool,
        /// Features that no vendor may use.
        pub blocked_features: Vec<String>,
    }
    rules profile_rules
}

fn profile_rules(profile: &PositionProfile, walk: &mut Walk<'_>) {
    let sum = Weight::sum(profile.competencies.iter().map(|c| &c.weight));
    if profile.complete != sum.complete {
        let found = text!(
            "{} while the weights make {} basis points; complete means exactly 10000",
            "为 {}，而权重合计 {} 个基点；complete 表示恰为 10000",
            profile.complete,
            sum.bp
        );
        walk.defect_in("complete", "wrong_complete", found);
    }
}

shape! {
    /// One competency of a profile.
    pub struct ProfileCompetency {
        /// The competency.
        pub competency: Ref<Competency>,
        /// How much it counts.
        pub weight: Weight,
        /// The least that is needed.
        pub required_level: Option<Score>,
        /// What is hoped for.
        pub desired_level: Option<Score>,
        /// What it is made of.
        pub dimensions: Vec<Dimension>,
    }
}

shape! {
    /// A part of a competency, and what gives evidence of it.
    pub struct Dimension {
        /// Name.
        pub name: Localized,
        /// Its share of the competency.
        pub weight: Option<Weight>,
        /// The kind of evidence.
        pub modality: Coded<Modality>,
        /// What to look for.
        pub evidence_hint: Option<Localized>,
    }
}

shape! {
    /// Which results a profile was made from.
    pub struct DerivedFrom {
        /// The metric's code.
        pub metric: String,
        /// The period considered.
        pub window: DateSpan,
        /// Of the best part: 0.9 is the best tenth.
        pub quantile: Option<Decimal>,
        /// How many people are in the best part.
        pub sample: Option<u32>,
        /// With how many others they were compared.
        pub others: Option<u32>,
        /// How dimensions were weighed: `mann_whitney`.
        pub method: Option<String>,
    }
}

entity! {
    /// Something that people can be good at.
    pub struct Competency {
        /// Name.
        pub name: Localized,
        /// The source's own code.
        pub code: Option<String>,
        /// Kind of ability.
        pub kind: Option<Coded<CompetencyKind>>,
        /// The same in public taxonomies.
        pub taxonomy: Vec<Taxonomy>,
    }
}

shape! {
    /// A concept of a public taxonomy.
    pub struct Taxonomy {
        /// As ESCO.
        pub scheme: String,
        /// The concept.
        pub uri: String,
    }
}

entity! {
    /// An instruction to a vendor to change its model. It states the old value, and is refused where the vendor has another.
    pub struct ModelAdjustment {
        /// The model to change.
        pub target: AdjustmentTarget,
        /// The changes requested.
        pub ops: Vec<AdjustOp>,
        /// The evidence for the change.
        pub evidence: Option<AdjustmentEvidence>,
        /// Who requested it.
        pub requested_by: Option<String> => PERSONAL,
        /// Who approved it.
        pub approved_by: Option<String> => PERSONAL,
        /// What people did about it, the first first: who, when and why.
        pub acts: Vec<AdjustmentAct>,
        /// Status.
        pub status: AdjustmentStatus,
        /// The vendor's id of it.
        pub vendor_receipt: Option<String>,
        /// The version of the vendor's model since it was applied or taken back, where the vendor says so.
        pub applied_version: Option<u32>,
        /// The version that taking it back starts from.
        pub revert_version: Option<u32>,
        /// Why the vendor did not do the last of it: its own code, or the kind of the failure.
        pub refusal: Option<String>,
        /// Its effect.
        pub effect: Option<AdjustmentEffect>,
    }
}

shape! {
    /// A person's action on an adjust instruction.
    pub struct AdjustmentAct {
        /// The status that it led to: PROPOSED, APPROVED, REJECTED, REVERTING.
        pub to: AdjustmentStatus,
        /// The person who acted.
        pub by: String => PERSONAL,
        /// When they acted.
        pub at: Instant,
        /// The reason given.
        pub reason: Option<String>,
    }
}

shape! {
    /// The model that is changed.
    pub struct AdjustmentTarget {
        /// The connection to the vendor.
        pub vendor_connection: String,
        /// Only for this position.
        pub position: Option<Ref<Job>>,
        /// The version that the change starts from.
        pub profile_version: u32,
    }
}

shape! {
    /// One change of a model: which kind is in `op`, and the fields that belong to it are filled.
    pub struct AdjustOp {
        /// SET_WEIGHT (competency, from_bp, to_bp), ADD_SIGNAL (signal), DROP_QUESTION (question), ADD_QUESTION (question, text),
        /// BLOCK_FEATURE (feature).
        #[keyword("enum", ["SET_WEIGHT", "ADD_SIGNAL", "DROP_QUESTION", "ADD_QUESTION", "BLOCK_FEATURE"])]
        pub op: String,
        /// The competency whose weight changes.
        pub competency: Option<Ref<Competency>>,
        /// Only for this kind of evidence.
        pub modality: Option<Coded<Modality>>,
        /// The weight that the vendor must have now, in basis points.
        #[keyword("maximum", 10_000)]
        pub from_bp: Option<u16>,
        /// The weight that it shall have, in basis points.
        #[keyword("maximum", 10_000)]
        pub to_bp: Option<u16>,
        /// A feed of data to take in.
        pub signal: Option<ExternalId>,
        /// A question of the vendor's library.
        pub question: Option<ExternalId>,
        /// The text of a new question.
        pub text: Option<Localized>,
        /// A feature that may no longer be used.
        pub feature: Option<String>,
    }
    rules op_rules
}

/// What an instruction can ask for, for people.
const OPERATIONS: &str = "SET_WEIGHT, ADD_SIGNAL, DROP_QUESTION, ADD_QUESTION, BLOCK_FEATURE";

fn op_rules(op: &AdjustOp, walk: &mut Walk<'_>) {
    let needed: &[(&'static str, bool)] = match op.op.as_str() {
        "SET_WEIGHT" => {
            &[("competency", op.competency.is_some()), ("from_bp", op.from_bp.is_some()), ("to_bp", op.to_bp.is_some())]
        }
        "ADD_SIGNAL" => &[("signal", op.signal.is_some())],
        "DROP_QUESTION" => &[("question", op.question.is_some())],
        "ADD_QUESTION" => &[("text", op.text.is_some())],
        "BLOCK_FEATURE" => &[("feature", op.feature.is_some())],
        _ => {
            let message = text!(
                "an operation that is not known here; expected one of {OPERATIONS}",
                "未知的操作；应为其中之一：{OPERATIONS}"
            );
            return walk.defect_in("op", "unknown_code", message);
        }
    };
    for &(field, _) in needed.iter().filter(|(_, there)| !there) {
        walk.defect_in(field, "missing_field", text!("nothing; {} needs it", "缺少内容；{} 需要它", op.op));
    }
    for (field, bp) in [("from_bp", op.from_bp), ("to_bp", op.to_bp)] {
        if bp.is_some_and(|bp| bp > 10_000) {
            walk.defect_in(
                field,
                "bad_weight",
                text!("more than a whole; expected 0 to 10000 basis points", "超过整体；应为 0 到 10000 个基点"),
            );
        }
    }
}

shape! {
    /// Why a change is asked for.
    pub struct AdjustmentEvidence {
        /// The analysis.
        pub analysis_ref: Option<String>,
        /// Name of the metric.
        pub metric: String,
        /// The figure before the change.
        pub before: Decimal,
        /// From how many people.
        pub sample: u32,
        /// The method: `pearson_fisher_z`.
        pub method: Option<String>,
        /// The period measured.
        pub window: Option<DateSpan>,
    }
}

shape! {
    /// The effect of a change.
    pub struct AdjustmentEffect {
        /// Name of the metric.
        pub metric: String,
        /// The figure after the change.
        pub after: Decimal,
        /// From how many people.
        pub sample: u32,
        /// The period measured.
        pub window: Option<DateSpan>,
        /// The figure before it, over other people,
        pub before: Option<Decimal>,
        /// from how many of them,
        pub before_sample: Option<u32>,
        /// and in which period.
        pub before_window: Option<DateSpan>,
        /// After less before.
        pub difference: Option<Decimal>,
        /// The lower end of the difference's confidence interval,
        pub low: Option<Decimal>,
        /// and the upper end.
        pub high: Option<Decimal>,
        /// How probable the difference is by chance, corrected for all instructions that were looked at.
        pub p_adjusted: Option<Decimal>,
        /// The method: `two_correlations`.
        pub method: Option<String>,
        /// What may be said.
        pub verdict: Option<AdjustmentVerdict>,
    }
}
