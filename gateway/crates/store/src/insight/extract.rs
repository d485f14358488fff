//! From a body to its row. Here is said what counts: which date, what an outcome is, what does not count as performance.

use renmen_schema::code::Relation;
use renmen_schema::types::{CodeSet, Coded, DataPolicy, Score};
use renmen_schema::{EntityKind, RecordKeys};
use serde::de::DeserializeOwned;

use super::VERSION;
use super::bodies::{
    AnswerBody, ApplicationBody, AssignmentBody, BandBody, CompetencyBody, ConsentBody, EmployeeBody, EmploymentBody,
    InterviewBody, JobBody, MetricBody, OfferBody, ResultBody, ReviewBody, ScoreBody, SomeoneBody, StepBody,
    SubjectBody,
};
use super::pack::Field;
use super::reference::{Named, digest_of_id, digest_of_key};
use super::shapes::{self, Policy, about, under};

/// Where a row stands among those of its scope.
pub(crate) mod part {
    /// Nearly all.
    pub(crate) const PLAIN: i64 = 0;
    /// What is read before the others: scores that correct others, steps of answers and offers.
    pub(crate) const FIRST: i64 = 1;
    /// Of a body that cannot be read.
    pub(crate) const UNREADABLE: i64 = 2;
}

/// A record's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extract {
    pub(crate) part: i64,
    pub(crate) body: Vec<u8>,
}

/// The language that names are taken in where a source gives several.
const NAMES_IN: &str = "en";

/// The row of a record; none where no question needs it.
pub(crate) fn extract(kind: EntityKind, external_id: &str, raw: &[u8]) -> Option<Extract> {
    let own = digest_of_id(kind, external_id);
    match kind {
        EntityKind::Person | EntityKind::Candidate => read(raw, |body: SomeoneBody| {
            plain(&shapes::Someone { own, policy: body.data_policy.as_ref().map(policy) })
        }),
        EntityKind::Employee => read(raw, |body: EmployeeBody| {
            let keys = RecordKeys::of(kind, raw);
            let keys = keys.announced.iter().map(|(scheme, value)| digest_of_key(kind, scheme, value)).collect();
            employee(own, keys, &body)
        }),
        EntityKind::OrgUnit | EntityKind::LibraryQuestion => plain(&shapes::Target { own }),
        EntityKind::Consent => read(raw, |body: ConsentBody| consent(own, &body)),
        EntityKind::Employment => read(raw, |body: EmploymentBody| employment(&body)),
        EntityKind::Assignment => read(raw, |body: AssignmentBody| assignment(&body)),
        EntityKind::Job => read(raw, |body: JobBody| {
            let (parent, band) = (Named::of(body.parent.as_ref()), Named::of(body.pay_band.as_ref()));
            plain(&shapes::Job { own, parent, band })
        }),
        EntityKind::PayBand => read(raw, |BandBody { key }: BandBody| {
            let position = Named::of(key.position.as_ref());
            plain(&shapes::Band { own, position, level: key.level.as_deref() })
        }),
        EntityKind::Competency => read(raw, |body: CompetencyBody| {
            let name = body.code.as_deref().or_else(|| body.name.best(NAMES_IN)).unwrap_or_default();
            plain(&shapes::Competency { own, name })
        }),
        EntityKind::Application => read(raw, |body: ApplicationBody| application(own, &body)),
        EntityKind::ProcessNode => read(raw, |body: StepBody| step(&body)),
        EntityKind::Interview => read(raw, |body: InterviewBody| interview(own, &body)),
        EntityKind::InterviewResult => read(raw, |body: ResultBody| {
            let overall = body.overall.as_ref().and_then(place);
            plain(&shapes::Result { interview: Named::of(Some(&body.interview)), overall })
        }),
        EntityKind::DimensionScore => read(raw, |body: ScoreBody| score(own, &body)),
        EntityKind::InterviewAnswer => read(raw, |body: AnswerBody| {
            let value = body.score.as_ref().and_then(place);
            let question = body.question.id.as_deref();
            plain(&shapes::Answer { own, interview: Named::of(Some(&body.interview)), question, value })
        }),
        EntityKind::PerformanceReview => read(raw, |body: ReviewBody| review(&body)),
        EntityKind::PerformanceMetric => read(raw, |body: MetricBody| metric(&body)),
        EntityKind::Offer => read(raw, |body: OfferBody| offer(own, &body)),
        _ => None,
    }
}

/// The kind of an entity whose records questions need.
pub(crate) fn kind_of(entity: &str) -> Option<EntityKind> {
    EntityKind::from_name(entity).filter(|kind| super::KINDS.contains(kind))
}

fn read<B: DeserializeOwned>(body: &[u8], row: impl FnOnce(B) -> Option<Extract>) -> Option<Extract> {
    match serde_json::from_slice(body) {
        Ok(body) => row(body),
        Err(_) => Some(Extract { part: part::UNREADABLE, body: vec![VERSION] }),
    }
}

fn packed<'b>(part: i64, row: &impl Field<'b>) -> Option<Extract> {
    let mut body = Vec::with_capacity(64);
    body.push(VERSION);
    row.pack(&mut body);
    Some(Extract { part, body })
}

fn plain<'b>(row: &impl Field<'b>) -> Option<Extract> {
    packed(part::PLAIN, row)
}

/// The place on the scale, in millionths. None for a score outside of it.
fn place(score: &Score) -> Option<u32> {
    let norm = score.norm()?.value();
    u32::try_from(norm.mantissa() * 10_i128.pow(6_u32.checked_sub(norm.scale())?)).ok()
}

fn code<T: CodeSet>(coded: Option<&Coded<T>>) -> Option<T> {
    coded.map(|coded| coded.code)
}

fn policy(policy: &DataPolicy) -> Policy<'_> {
    Policy {
        purpose: policy.purpose.iter().map(String::as_str).collect(),
        legal_basis: code(policy.legal_basis.as_ref()),
        retain_until: policy.retain_until,
        consent: Named::of(policy.consent.as_ref()),
    }
}

fn employee(own: [u8; 16], keys: Vec<[u8; 16]>, body: &EmployeeBody) -> Option<Extract> {
    let work = body.work.as_ref();
    plain(&shapes::Employee {
        own,
        keys,
        policy: body.data_policy.as_ref().map(policy),
        position: work.and_then(|work| Named::of(work.job.as_ref())),
        unit: work.and_then(|work| Named::of(work.org_unit.as_ref())),
        start: work.and_then(|work| work.start_date.or(work.hire_date)),
        end: work.and_then(|work| work.end_date),
        end_reason: work.and_then(|work| code(work.end_reason.as_ref())),
    })
}

fn consent(own: [u8; 16], body: &ConsentBody) -> Option<Extract> {
    plain(&shapes::Consent {
        own,
        person: Named::of(Some(&body.person)),
        purpose: body.purpose.iter().map(String::as_str).collect(),
        legal_basis: body.legal_basis.code,
        status: body.status,
        given_at: body.given_at,
        expires_at: body.expires_at,
        withdrawn_at: body.withdrawn_at,
    })
}

fn employment(body: &EmploymentBody) -> Option<Extract> {
    plain(&shapes::Employment {
        employee: Named::of(Some(&body.employee)),
        application: Named::of(body.source_application.as_ref()),
        start: body.start_date.or(body.hire_date),
        end: body.end_date,
        end_reason: code(body.end_reason.as_ref()),
        probation: body.probation.as_ref().and_then(|probation| code(probation.outcome.as_ref())),
    })
}

fn assignment(body: &AssignmentBody) -> Option<Extract> {
    let validity = body.validity.as_ref();
    plain(&shapes::Assignment {
        employee: Named::of(Some(&body.employee)),
        position: Named::of(body.position.as_ref()).or_else(|| Named::of(body.job.as_ref())),
        unit: Named::of(body.org_unit.as_ref()),
        from: validity.map(|validity| validity.valid_from),
        to: validity.and_then(|validity| validity.valid_to),
        primary: body.primary == Some(true),
    })
}

fn application(own: [u8; 16], body: &ApplicationBody) -> Option<Extract> {
    let mut stages = Vec::new();
    let all = body.stage_history.iter().map(|change| &change.stage).chain(&body.stage);
    for stage in all.map(|stage| stage.kind.code) {
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    let reasons = body.outcome.as_ref().map(|outcome| outcome.reasons.iter().map(|reason| reason.code).collect());
    plain(&shapes::Application {
        own,
        candidate: Named::of(Some(&body.candidate)),
        job: Named::of(Some(&body.job)),
        status: body.status.code,
        channel: body.source.as_ref().map(|source| source.channel.code),
        applied_at: body.applied_at,
        reasons: reasons.unwrap_or_default(),
        stages,
    })
}

/// A step of a migration belongs to no application.
fn step(body: &StepBody) -> Option<Extract> {
    let SubjectBody { application, interview, answer, offer } = &body.subject;
    let (part, under, of) = if application.is_some() {
        (part::PLAIN, under::APPLICATION, Named::of(application.as_ref()))
    } else if interview.is_some() {
        (part::PLAIN, under::INTERVIEW, Named::of(interview.as_ref()))
    } else if answer.is_some() {
        (part::FIRST, under::ANSWER, Named::of(answer.as_ref()))
    } else if offer.is_some() {
        (part::FIRST, under::OFFER, Named::of(offer.as_ref()))
    } else {
        return None;
    };
    let clicks = body.attrs.as_ref().and_then(|attributes| attributes.clicks);
    let wait_ms = body.attrs.as_ref().and_then(|attributes| attributes.wait_ms);
    packed(part, &shapes::Step { under, of, node: body.node.code, at: body.at, clicks, wait_ms })
}

/// What happened counts before what was planned, the end before the beginning.
fn interview(own: [u8; 16], body: &InterviewBody) -> Option<Extract> {
    let at = [&body.ended_at, &body.end, &body.started_at, &body.start].into_iter().flatten().next();
    plain(&shapes::Interview {
        own,
        application: Named::of(Some(&body.application)),
        policy: body.data_policy.as_ref().map(policy),
        job: Named::of(body.job.as_ref()),
        kind: body.kind,
        status: body.status.code,
        round: body.round,
        at: at.map(|at| at.utc),
    })
}

/// The score of an assessment belongs to no interview.
fn score(own: [u8; 16], body: &ScoreBody) -> Option<Extract> {
    let interview = Named::of(body.interview.as_ref());
    let value = place(&body.score)?;
    let (adjusts, competency) = (Named::of(body.adjusts.as_ref()), Named::of(body.competency.as_ref()));
    let dimension = body.dimension.as_ref().and_then(|name| name.best(NAMES_IN));
    body.interview.as_ref()?;
    let part = if adjusts.is_some() { part::FIRST } else { part::PLAIN };
    packed(part, &shapes::Score { own, interview, adjusts, competency, dimension, value })
}

/// What people say of themselves does not count as an outcome, and neither does a rating that is still to be compared with others: one that is said not to
/// be calibrated counts once it has a time at which it was settled.
fn review(body: &ReviewBody) -> Option<Extract> {
    let settled = body.calibrated != Some(false) || body.completed_at.is_some();
    if !settled || code(body.relation.as_ref()) == Some(Relation::Own) {
        return None;
    }
    plain(&shapes::Review {
        reviewee: Named::of(Some(&body.reviewee)),
        cycle: body.cycle.kind.code,
        until: body.cycle.period.as_ref().map(|period| period.end),
        settled_at: body.completed_at,
        rating: body.rating.as_ref().and_then(place)?,
    })
}

fn metric(body: &MetricBody) -> Option<Extract> {
    let (about, of) = match (&body.employee, &body.org_unit, &body.position) {
        (Some(employee), ..) => (about::PERSON, Named::of(Some(employee))),
        (_, Some(unit), _) => (about::UNIT, Named::of(Some(unit))),
        (_, _, position) => (about::POSITION, Named::of(position.as_ref())),
    };
    plain(&shapes::Metric {
        about,
        of,
        code: &body.metric.code,
        objective: body.metric.objective,
        direction: body.metric.direction,
        until: body.period.end,
        value: body.value,
    })
}

fn offer(own: [u8; 16], body: &OfferBody) -> Option<Extract> {
    plain(&shapes::Offer {
        own,
        application: Named::of(Some(&body.application)),
        level: body.level.as_deref(),
        band_position: body.band_position,
        status: body.status.code,
        closed_at: body.closed_at,
        reasons: body.decline_reasons.iter().map(|reason| reason.code).collect(),
    })
}
