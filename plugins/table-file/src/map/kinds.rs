//! Which entity the rows of a stream are: one stream for every entity that a connector may bring.

use renmen_schema::entity::{
    Application, Assessment, Assignment, Attendance, Candidate, Compensation, Competency, Consent, CustomerFeedback,
    DimensionScore, Employee, Employment, EnvironmentEvent, ErasureRequest, Explanation, Interview, InterviewAnswer,
    InterviewOrder, InterviewResult, Job, Leave, LeaveBalance, LibraryQuestion, MarketPay, MigrationRun,
    ModelAdjustment, Offer, OrgUnit, PayBand, PaySuggestion, PayrollRecord, PayrollRun, PeerFeedback,
    PerformanceMetric, PerformanceReview, Person, PlannedShift, PositionProfile, ProcessNode, Survey, Tag,
};

use super::Kind;

macro_rules! kinds {
    ($($stream:literal => $entity:ident,)*) => {
        /// What a stream makes of its rows; none for an unknown name.
        pub(super) fn of(stream: &str) -> Option<Kind> {
            match stream {
                $($stream => Some(Kind::of::<$entity>()),)*
                _ => None,
            }
        }
    };
}

kinds! {
    "applications" => Application,
    "assessments" => Assessment,
    "assignments" => Assignment,
    "attendances" => Attendance,
    "candidates" => Candidate,
    "compensation" => Compensation,
    "competencies" => Competency,
    "consents" => Consent,
    "customer_feedback" => CustomerFeedback,
    "dimension_scores" => DimensionScore,
    "employees" => Employee,
    "employments" => Employment,
    "environment_events" => EnvironmentEvent,
    "erasure_requests" => ErasureRequest,
    "explanations" => Explanation,
    "interview_answers" => InterviewAnswer,
    "interview_orders" => InterviewOrder,
    "interview_results" => InterviewResult,
    "interviews" => Interview,
    "jobs" => Job,
    "leave_balances" => LeaveBalance,
    "leaves" => Leave,
    "market_pay" => MarketPay,
    "migration_runs" => MigrationRun,
    "model_adjustments" => ModelAdjustment,
    "offers" => Offer,
    "org_units" => OrgUnit,
    "pay_bands" => PayBand,
    "pay_suggestions" => PaySuggestion,
    "payroll_records" => PayrollRecord,
    "payroll_runs" => PayrollRun,
    "peer_feedback" => PeerFeedback,
    "performance_metrics" => PerformanceMetric,
    "performance_reviews" => PerformanceReview,
    "person_records" => Person,
    "planned_shifts" => PlannedShift,
    "position_profiles" => PositionProfile,
    "process_nodes" => ProcessNode,
    "questions" => LibraryQuestion,
    "surveys" => Survey,
    "tags" => Tag,
}
