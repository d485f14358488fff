//! What is kept of each kind of record, in the order in which it is packed. Another order, or another field, is another
//! [`VERSION`](super::VERSION).

use renmen_schema::code::{
    ApplicationStatus, ConsentStatus, Direction, EndReason, InterviewKind, InterviewStatus, LegalBasis, NodeCode,
    OfferStatus, OutcomeReason, ProbationOutcome, ReviewCycleKind, SourceChannel, StageKind,
};
use renmen_schema::types::{Decimal, Instant, LocalDate};

use super::pack::packed;
use super::reference::{Digest, Named};

packed! {
    /// A record that is referred to, of which nothing else is needed: a unit, a question.
    struct Target {
        own: Digest,
    }

    /// A policy, as far as it decides on a purpose.
    struct Policy<'b> {
        purpose: Vec<&'b str>,
        legal_basis: Option<LegalBasis>,
        retain_until: Option<LocalDate>,
        consent: Option<Named<'b>>,
    }

    /// A person, or a candidate.
    struct Someone<'b> {
        own: Digest,
        policy: Option<Policy<'b>>,
    }

    struct Employee<'b> {
        own: Digest,
        /// Alternate keys that it has.
        keys: Vec<Digest>,
        policy: Option<Policy<'b>>,
        position: Option<Named<'b>>,
        unit: Option<Named<'b>>,
        start: Option<LocalDate>,
        end: Option<LocalDate>,
        end_reason: Option<EndReason>,
    }

    struct Consent<'b> {
        own: Digest,
        person: Option<Named<'b>>,
        purpose: Vec<&'b str>,
        legal_basis: LegalBasis,
        status: ConsentStatus,
        given_at: Option<Instant>,
        expires_at: Option<Instant>,
        withdrawn_at: Option<Instant>,
    }

    struct Employment<'b> {
        employee: Option<Named<'b>>,
        application: Option<Named<'b>>,
        start: Option<LocalDate>,
        end: Option<LocalDate>,
        end_reason: Option<EndReason>,
        probation: Option<ProbationOutcome>,
    }

    struct Assignment<'b> {
        employee: Option<Named<'b>>,
        position: Option<Named<'b>>,
        unit: Option<Named<'b>>,
        from: Option<LocalDate>,
        to: Option<LocalDate>,
        primary: bool,
    }

    struct Job<'b> {
        own: Digest,
        parent: Option<Named<'b>>,
        band: Option<Named<'b>>,
    }

    struct Band<'b> {
        own: Digest,
        position: Option<Named<'b>>,
        level: Option<&'b str>,
    }

    struct Competency<'b> {
        own: Digest,
        name: &'b str,
    }

    struct Application<'b> {
        own: Digest,
        candidate: Option<Named<'b>>,
        job: Option<Named<'b>>,
        status: ApplicationStatus,
        channel: Option<SourceChannel>,
        applied_at: Option<Instant>,
        reasons: Vec<OutcomeReason>,
        stages: Vec<StageKind>,
    }

    struct Step<'b> {
        under: u32,
        of: Option<Named<'b>>,
        node: NodeCode,
        at: Instant,
        clicks: Option<u32>,
        wait_ms: Option<u64>,
    }

    struct Interview<'b> {
        own: Digest,
        application: Option<Named<'b>>,
        policy: Option<Policy<'b>>,
        job: Option<Named<'b>>,
        kind: InterviewKind,
        status: InterviewStatus,
        round: Option<u32>,
        at: Option<Instant>,
    }

    struct Result<'b> {
        interview: Option<Named<'b>>,
        overall: Option<u32>,
    }

    struct Score<'b> {
        own: Digest,
        interview: Option<Named<'b>>,
        adjusts: Option<Named<'b>>,
        competency: Option<Named<'b>>,
        dimension: Option<&'b str>,
        value: u32,
    }

    struct Answer<'b> {
        own: Digest,
        interview: Option<Named<'b>>,
        question: Option<&'b str>,
        value: Option<u32>,
    }

    struct Review<'b> {
        reviewee: Option<Named<'b>>,
        cycle: ReviewCycleKind,
        until: Option<LocalDate>,
        settled_at: Option<Instant>,
        rating: u32,
    }

    struct Metric<'b> {
        about: u32,
        of: Option<Named<'b>>,
        code: &'b str,
        objective: bool,
        direction: Option<Direction>,
        until: LocalDate,
        value: Decimal,
    }

    struct Offer<'b> {
        own: Digest,
        application: Option<Named<'b>>,
        level: Option<&'b str>,
        band_position: Option<Decimal>,
        status: OfferStatus,
        closed_at: Option<Instant>,
        reasons: Vec<OutcomeReason>,
    }
}

/// What a step is under.
pub(super) mod under {
    pub(in crate::insight) const APPLICATION: u32 = 0;
    pub(in crate::insight) const INTERVIEW: u32 = 1;
    pub(in crate::insight) const ANSWER: u32 = 2;
    pub(in crate::insight) const OFFER: u32 = 3;
}

/// What a metric is about.
pub(super) mod about {
    pub(in crate::insight) const PERSON: u32 = 0;
    pub(in crate::insight) const UNIT: u32 = 1;
    pub(in crate::insight) const POSITION: u32 = 2;
}
