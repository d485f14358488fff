//! What is read of bodies: the fields that questions need. The rest of a body is passed over.

use renmen_schema::code::{
    ApplicationStatus, ConsentStatus, Direction, EndReason, InterviewKind, InterviewStatus, LegalBasis, NodeCode,
    OfferStatus, OutcomeReason, ProbationOutcome, Relation, ReviewCycleKind, SourceChannel, StageKind,
};
use renmen_schema::entity;
use renmen_schema::types::{
    Coded, DataPolicy, DateSpan, Decimal, Instant, LocalDate, Localized, Ref, Score, Validity, ZonedInstant,
};
use serde::Deserialize;

macro_rules! bodies {
    ($(struct $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* })*) => {$(
        #[derive(Deserialize)]
        pub(super) struct $name {
            $($(#[$attribute])* pub(super) $field: $kind,)*
        }
    )*};
}

bodies! {
    struct SomeoneBody {
        data_policy: Option<DataPolicy>,
    }

    struct EmployeeBody {
        data_policy: Option<DataPolicy>,
        work: Option<WorkBody>,
    }

    struct WorkBody {
        job: Option<Ref<entity::Job>>,
        org_unit: Option<Ref<entity::OrgUnit>>,
        hire_date: Option<LocalDate>,
        start_date: Option<LocalDate>,
        end_date: Option<LocalDate>,
        end_reason: Option<Coded<EndReason>>,
    }

    struct ConsentBody {
        person: Ref<entity::Person>,
        #[serde(default)]
        purpose: Vec<String>,
        legal_basis: Coded<LegalBasis>,
        status: ConsentStatus,
        given_at: Option<Instant>,
        expires_at: Option<Instant>,
        withdrawn_at: Option<Instant>,
    }

    struct EmploymentBody {
        employee: Ref<entity::Employee>,
        hire_date: Option<LocalDate>,
        start_date: Option<LocalDate>,
        probation: Option<ProbationBody>,
        end_date: Option<LocalDate>,
        end_reason: Option<Coded<EndReason>>,
        source_application: Option<Ref<entity::Application>>,
    }

    struct ProbationBody {
        outcome: Option<Coded<ProbationOutcome>>,
    }

    struct AssignmentBody {
        employee: Ref<entity::Employee>,
        position: Option<Ref<entity::Job>>,
        job: Option<Ref<entity::Job>>,
        org_unit: Option<Ref<entity::OrgUnit>>,
        validity: Option<Validity>,
        primary: Option<bool>,
    }

    struct JobBody {
        parent: Option<Ref<entity::Job>>,
        pay_band: Option<Ref<entity::PayBand>>,
    }

    struct BandBody {
        key: BandKeyBody,
    }

    struct BandKeyBody {
        position: Option<Ref<entity::Job>>,
        level: Option<String>,
    }

    struct CompetencyBody {
        name: Localized,
        code: Option<String>,
    }

    struct ApplicationBody {
        candidate: Ref<entity::Candidate>,
        job: Ref<entity::Job>,
        status: Coded<ApplicationStatus>,
        stage: Option<StageBody>,
        #[serde(default)]
        stage_history: Vec<StageChangeBody>,
        source: Option<SourceBody>,
        applied_at: Option<Instant>,
        outcome: Option<OutcomeBody>,
    }

    struct StageBody {
        kind: Coded<StageKind>,
    }

    struct StageChangeBody {
        stage: StageBody,
    }

    struct SourceBody {
        channel: Coded<SourceChannel>,
    }

    struct OutcomeBody {
        #[serde(default)]
        reasons: Vec<Coded<OutcomeReason>>,
    }

    struct StepBody {
        subject: SubjectBody,
        node: Coded<NodeCode>,
        at: Instant,
        attrs: Option<AttributesBody>,
    }

    struct SubjectBody {
        application: Option<Ref<entity::Application>>,
        interview: Option<Ref<entity::Interview>>,
        answer: Option<Ref<entity::InterviewAnswer>>,
        offer: Option<Ref<entity::Offer>>,
    }

    struct AttributesBody {
        clicks: Option<u32>,
        wait_ms: Option<u64>,
    }

    struct InterviewBody {
        application: Ref<entity::Application>,
        job: Option<Ref<entity::Job>>,
        round: Option<u32>,
        kind: InterviewKind,
        status: Coded<InterviewStatus>,
        start: Option<ZonedInstant>,
        end: Option<ZonedInstant>,
        started_at: Option<ZonedInstant>,
        ended_at: Option<ZonedInstant>,
        data_policy: Option<DataPolicy>,
    }

    struct ResultBody {
        interview: Ref<entity::Interview>,
        overall: Option<Score>,
    }

    struct ScoreBody {
        interview: Option<Ref<entity::Interview>>,
        competency: Option<Ref<entity::Competency>>,
        dimension: Option<Localized>,
        score: Score,
        adjusts: Option<Ref<entity::DimensionScore>>,
    }

    struct AnswerBody {
        interview: Ref<entity::Interview>,
        question: QuestionBody,
        score: Option<Score>,
    }

    struct QuestionBody {
        id: Option<String>,
    }

    struct ReviewBody {
        cycle: CycleBody,
        reviewee: Ref<entity::Employee>,
        relation: Option<Coded<Relation>>,
        rating: Option<Score>,
        calibrated: Option<bool>,
        completed_at: Option<Instant>,
    }

    struct CycleBody {
        period: Option<DateSpan>,
        kind: Coded<ReviewCycleKind>,
    }

    struct MetricBody {
        metric: MeasuredBody,
        employee: Option<Ref<entity::Employee>>,
        org_unit: Option<Ref<entity::OrgUnit>>,
        position: Option<Ref<entity::Job>>,
        period: DateSpan,
        value: Decimal,
    }

    struct MeasuredBody {
        code: String,
        direction: Option<Direction>,
        objective: bool,
    }

    struct OfferBody {
        application: Ref<entity::Application>,
        status: Coded<OfferStatus>,
        level: Option<String>,
        band_position: Option<Decimal>,
        #[serde(default)]
        decline_reasons: Vec<Coded<OutcomeReason>>,
        closed_at: Option<Instant>,
    }
}
