//! The kinds of entities and the one list of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::check::Validate;
#[cfg(feature = "gateway")]
use crate::entity;

/// A type that is the body of a record.
pub trait Entity: Serialize + DeserializeOwned + Described + Validate {
    /// Which kind.
    const KIND: EntityKind;

    /// The canonical bytes: what the gateway keeps and hashes when nothing is wrong with the value.
    fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a shape has string keys only and no fallible parts")
    }
}

/// A type that can tell its JSON Schema. Only the gateway and the kit ask; in a connector there is nothing to tell.
#[cfg(feature = "gateway")]
pub trait Described: schemars::JsonSchema {}
#[cfg(feature = "gateway")]
impl<T: schemars::JsonSchema> Described for T {}

/// A type that could tell its JSON Schema in the gateway.
#[cfg(not(feature = "gateway"))]
pub trait Described {}
#[cfg(not(feature = "gateway"))]
impl<T> Described for T {}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident $name:literal $collection:literal,)*) => {
        /// What a record is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EntityKind {
            $(#[doc = concat!("`", $name, "`")] $kind,)*
        }

        impl EntityKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// In the singular, as in an envelope: `pay_band`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// In the plural, as in a URL: `pay-bands`.
            #[must_use]
            pub const fn collection(self) -> &'static str {
                match self { $(Self::$kind => $collection),* }
            }

            /// The kind of a name in the singular.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }

            /// The kind of a name in the plural.
            #[must_use]
            pub fn from_collection(collection: &str) -> Option<Self> {
                match collection { $($collection => Some(Self::$kind),)* _ => None }
            }

            /// Calls `visitor` with the type of this kind.
            #[cfg(feature = "gateway")]
            pub(crate) fn visit<V: Visit>(self, visitor: V) -> V::Output {
                match self { $(Self::$kind => visitor.visit::<entity::$kind>()),* }
            }
        }
    };
}

/// Something that is done with the type of a kind.
#[cfg(feature = "gateway")]
pub(crate) trait Visit {
    type Output;
    fn visit<E: Entity>(self) -> Self::Output;
}

kinds! {
    Person "person" "person-records",
    Candidate "candidate" "candidates",
    PositionProfile "position_profile" "position-profiles",
    Competency "competency" "competencies",
    LibraryQuestion "question" "questions",
    Job "job" "jobs",
    Application "application" "applications",
    ProcessNode "process_node" "process-nodes",
    InterviewOrder "interview_order" "interview-orders",
    Interview "interview" "interviews",
    InterviewAnswer "interview_answer" "interview-answers",
    DimensionScore "dimension_score" "dimension-scores",
    InterviewResult "interview_result" "interview-results",
    EnvironmentEvent "environment_event" "environment-events",
    DecisionRule "decision_rule" "decision-rules",
    Decision "decision" "decisions",
    Assessment "assessment" "assessments",
    Tag "tag" "tags",
    Survey "survey" "surveys",
    PayBand "pay_band" "pay-bands",
    MarketPay "market_pay" "market-pay",
    Compensation "compensation" "compensations",
    PayrollRun "payroll_run" "payroll-runs",
    PayrollRecord "payroll_record" "payroll-records",
    Offer "offer" "offers",
    PaySuggestion "pay_suggestion" "pay-suggestions",
    Employee "employee" "employees",
    Employment "employment" "employments",
    Assignment "assignment" "assignments",
    OrgUnit "org_unit" "org-units",
    Attendance "attendance" "attendances",
    PlannedShift "planned_shift" "planned-shifts",
    Leave "leave" "leaves",
    LeaveBalance "leave_balance" "leave-balances",
    PerformanceReview "performance_review" "performance-reviews",
    PerformanceMetric "performance_metric" "performance-metrics",
    PeerFeedback "peer_feedback" "peer-feedback",
    CustomerFeedback "customer_feedback" "customer-feedback",
    ModelAdjustment "model_adjustment" "model-adjustments",
    Explanation "explanation" "explanations",
    BiasAudit "bias_audit" "bias-audits",
    Insight "insight" "insight-records",
    Notification "notification" "notifications",
    Consent "consent" "consents",
    ErasureRequest "erasure_request" "erasure-requests",
    MigrationRun "migration_run" "migration-runs",
}

impl EntityKind {
    /// What no connector writes: what was decided, the rules that decide, what people are to be told, and what was found out over many
    /// records. A connector that could write these would decide, or judge, in the gateway's name.
    pub const GATEWAY_ONLY: [Self; 5] =
        [Self::DecisionRule, Self::Decision, Self::Notification, Self::Insight, Self::BiasAudit];

    /// What only a key that was made for audits reads: no other key, no flow, no endpoint.
    pub const AUDITS_ONLY: [Self; 1] = [Self::BiasAudit];

    /// What people write over the API: as records of the gateway's own connection, in addition to the records of these
    /// kinds that connectors bring.
    pub const WRITTEN_BY_PEOPLE: [Self; 8] = [
        Self::PositionProfile,
        Self::Competency,
        Self::LibraryQuestion,
        Self::DecisionRule,
        Self::Tag,
        Self::Survey,
        Self::MarketPay,
        Self::Consent,
    ];

    /// May people write it over the API?
    #[must_use]
    pub fn is_written_by_people(self) -> bool {
        Self::WRITTEN_BY_PEOPLE.contains(&self)
    }

    /// Is it of those that only a key made for audits reads?
    #[must_use]
    pub fn is_for_audits_only(self) -> bool {
        Self::AUDITS_ONLY.contains(&self)
    }

    /// Is it of those that no connector writes?
    #[must_use]
    pub fn is_gateway_only(self) -> bool {
        Self::GATEWAY_ONLY.contains(&self)
    }
}

impl std::fmt::Display for EntityKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::EntityKind;

    #[test]
    fn every_kind_is_found_by_both_of_its_names() {
        for &kind in EntityKind::ALL {
            assert_eq!(EntityKind::from_name(kind.name()), Some(kind));
            assert_eq!(EntityKind::from_collection(kind.collection()), Some(kind));
        }
        assert_eq!(EntityKind::from_name("pay-bands"), None);
        assert_eq!(EntityKind::from_collection("pay_band"), None);
    }
}
