//! The vocabularies. An `open` one is used in [`crate::types::Coded`], where other systems' own texts are kept along
//! with our word; a `closed` one is ours alone.

mod control;
mod hiring;
mod interview;
mod pay;
mod work;

pub use control::{
    AdjustmentStatus, AdjustmentVerdict, AuditMeasure, ConsentStatus, DeletionCause, ErasureStatus, LegalBasis,
    MigrationStage, NotificationChannel, NotificationStatus,
};
pub use hiring::{
    ApplicationStatus, CompetencyKind, Gender, HiringRole, JobKind, JobStatus, Modality, NationalIdKind, NodeCode,
    OutcomeReason, SourceChannel, StageKind, TagCategory, WorkMode,
};
pub use interview::{
    AnswerKind, AssessmentKind, DeciderKind, DecisionStatus, EnvironmentKind, EnvironmentUnit, InterviewKind,
    InterviewMode, InterviewStatus, InvitedBy, ObservationKind, OrderStatus, PassDecision, Recommendation, ScorerKind,
    Severity, Speaker,
};
pub use pay::{
    BandStatus, BandVisibility, BorneBy, OfferStatus, PayComponent, PayInputReason, PayLineCode, PayLineKind,
    PaySuggestionInput, PayrollRunKind, PayrollRunState,
};
pub use work::{
    AttendanceStatus, CustomerFeedbackKind, Direction, EmploymentStatus, EmploymentType, EndReason, HalfDay, LeaveKind,
    LeaveStatus, LeaveUnit, OrgUnitKind, OvertimeClass, ProbationOutcome, PunchKind, Relation, ReviewCycleKind,
};
