//! The entities: what a record's body can be. One file a group, in the order of a person's way from candidate to leaver.

mod application;
mod assessment;
mod attendance;
mod band;
mod candidate;
mod control;
mod decision;
mod employee;
mod fairness;
mod feedback;
mod insight;
mod interview;
mod job;
mod leave;
mod offer;
mod org;
mod pay;
mod payroll;
mod performance;
mod person;
mod process;
mod profile;
mod question;
mod score;

pub use application::{Application, Outcome, ScoreSnapshot, Source, Stage, StageChange};
pub use assessment::{Assessment, AssessmentResult, InterviewOrder};
pub use attendance::{Attendance, Break, Overtime, PlannedShift, Punch, Shift};
pub use band::{BandKey, MarketPay, MarketSample, MarketSource, PayBand, Percentiles};
pub use candidate::{Availability, Candidate, Education, Experience};
pub use control::{
    Consent, ErasureRequest, ErasureStep, MigrationCounts, MigrationRun, MigrationVerify, Notification,
    NotificationAttempt, NotificationDue, SignOff,
};
pub use decision::{BorderBand, Decider, Decision, DecisionInput, DecisionRule};
pub use employee::{Assignment, CostShare, Employee, Employment, Probation, WorkSummary};
pub use fairness::{AuditExclusion, AuditGroup, AuditScope, BiasAudit, Explanation, ExplanationPoint};
pub use feedback::{CustomerFeedback, PeerFeedback, Ratio, Survey, SurveyAnswer};
pub use insight::{Insight, InsightFigure, InsightFinding, InsightParameter, InsightScope, InsightSource, LeftOut};
pub use interview::{
    Device, EnvironmentEvent, Interview, InterviewAnswer, Measured, Observation, Prompt, Question, Utterance,
};
pub use job::{ChannelPost, HiringMember, Job};
pub use leave::{Leave, LeaveAmount, LeaveBalance};
pub use offer::{Offer, OfferPart, PaySuggestion, SuggestionInput};
pub use org::OrgUnit;
pub use pay::{Compensation, EquityGrant};
pub use payroll::{PayLine, PayrollRecord, PayrollRun};
pub use performance::{Metric, PerformanceMetric, PerformanceReview, ReviewCycle, ReviewItem};
pub(crate) use person::is_e164;
pub use person::{Address, BankAccount, Email, IdentityMatch, Names, NationalId, Person, PersonDetails, Phone};
pub use process::{NodeAttributes, ProcessNode, Subject, Tag};
pub use profile::{
    AdjustOp, AdjustmentAct, AdjustmentEffect, AdjustmentEvidence, AdjustmentTarget, Competency, DerivedFrom,
    Dimension, ModelAdjustment, PositionProfile, ProfileCompetency, Taxonomy,
};
pub use question::{LibraryQuestion, QuestionOption};
pub use score::{AdjustReason, DimensionScore, Evidence, InterviewResult, PassRule, ScoredBy};
