//! What is read for a question, in which order: first what others refer to, then each stream.

use std::collections::VecDeque;

use renmen_schema::EntityKind;

use super::extract::part;
use super::targets::ConnectionNo;
use crate::model::insight::Need;

/// What a connection has of one entity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) id: i64,
    pub(crate) kind: EntityKind,
    pub(crate) connection: ConnectionNo,
}

/// A stream; groups are one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Of(Need),
    Groups,
}

/// What is done with what a pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Kept because others refer to it.
    Target,
    /// Parents and bands of jobs, once all jobs and bands are there.
    JobChain,
    Assignments,
    Consents,
    /// Answers and offers that steps are under: which ones are looked for, and those.
    StepsUnder,
    Under,
    /// Scores that others correct.
    Corrected,
    Stream(Stream),
}

/// Where a pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The rows of a scope, in one part; perhaps with the identity that each record belongs to.
    Rows { scope: i64, part: i64, identity: bool },
    /// The bodies of a scope.
    Bodies { scope: i64 },
    /// How many bodies of a scope cannot be read.
    Unreadable { scope: i64 },
    /// Nothing: what was gathered is given out.
    Gathered,
}

/// One walk over rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    pub(crate) source: Source,
    pub(super) purpose: Purpose,
    pub(super) kind: EntityKind,
    pub(super) connection: ConnectionNo,
}

const PEOPLE: [EntityKind; 3] = [EntityKind::Person, EntityKind::Candidate, EntityKind::Employee];

/// The passes of a question, as they are put together.
pub(super) struct Passes<'s> {
    scopes: &'s [Scope],
    passes: VecDeque<Pass>,
    targets: Vec<EntityKind>,
}

impl<'s> Passes<'s> {
    /// The passes for these streams.
    pub(super) fn of(streams: &[Stream], scopes: &'s [Scope]) -> VecDeque<Pass> {
        let mut all = Self { scopes, passes: VecDeque::new(), targets: Vec::new() };
        for stream in streams {
            all.add_stream(*stream);
        }
        all.count_unreadable();
        all.passes
    }

    fn add_stream(&mut self, stream: Stream) {
        use EntityKind as Kind;
        let read = Purpose::Stream(stream);
        match stream {
            Stream::Groups => {
                self.people();
                for kind in PEOPLE {
                    self.each(kind, read, |scope| Source::Bodies { scope });
                }
                self.gathered(read);
            }
            Stream::Of(Need::People) => {
                self.interviews();
                self.rows(Kind::Consent, part::PLAIN, Purpose::Consents);
                self.gathered(read);
            }
            Stream::Of(Need::Applications) => {
                self.applications();
                self.rows(Kind::Application, part::PLAIN, read);
            }
            Stream::Of(Need::Steps) => {
                self.interviews();
                self.rows(Kind::ProcessNode, part::FIRST, Purpose::StepsUnder);
                self.rows(Kind::InterviewAnswer, part::PLAIN, Purpose::Under);
                self.rows(Kind::Offer, part::PLAIN, Purpose::Under);
                self.rows(Kind::ProcessNode, part::FIRST, read);
                self.rows(Kind::ProcessNode, part::PLAIN, read);
            }
            Stream::Of(Need::Interviews) => {
                self.applications();
                self.rows(Kind::Interview, part::PLAIN, read);
            }
            Stream::Of(Need::Employments) => {
                self.applications();
                self.rows(Kind::Employment, part::PLAIN, read);
                self.gathered(read);
            }
            Stream::Of(Need::Reviews) => {
                self.positions();
                self.rows(Kind::PerformanceReview, part::PLAIN, read);
            }
            Stream::Of(Need::Metrics) => {
                self.positions();
                self.rows(Kind::PerformanceMetric, part::PLAIN, read);
            }
            Stream::Of(Need::Results) => {
                self.interviews();
                self.rows(Kind::InterviewResult, part::PLAIN, read);
            }
            Stream::Of(Need::Scores) => {
                self.interviews();
                self.target(Kind::Competency);
                self.rows(Kind::DimensionScore, part::FIRST, Purpose::Corrected);
                self.rows(Kind::DimensionScore, part::FIRST, read);
                self.rows(Kind::DimensionScore, part::PLAIN, read);
            }
            Stream::Of(Need::Answers) => {
                self.interviews();
                self.target(Kind::LibraryQuestion);
                self.rows(Kind::InterviewAnswer, part::PLAIN, read);
            }
            Stream::Of(Need::Offers) => {
                self.applications();
                self.target(Kind::PayBand);
                self.rows(Kind::Job, part::PLAIN, Purpose::JobChain);
                self.rows(Kind::PayBand, part::PLAIN, Purpose::JobChain);
                self.rows(Kind::Offer, part::PLAIN, read);
            }
        }
    }

    /// Units and jobs come before the people whose records name them.
    fn people(&mut self) {
        self.target(EntityKind::OrgUnit);
        self.target(EntityKind::Job);
        PEOPLE.into_iter().for_each(|kind| self.target(kind));
    }

    fn applications(&mut self) {
        self.people();
        self.target(EntityKind::Application);
    }

    fn interviews(&mut self) {
        self.applications();
        self.target(EntityKind::Interview);
    }

    fn positions(&mut self) {
        self.people();
        if !self.targets.contains(&EntityKind::Assignment) {
            self.targets.push(EntityKind::Assignment);
            self.rows(EntityKind::Assignment, part::PLAIN, Purpose::Assignments);
        }
    }

    fn target(&mut self, kind: EntityKind) {
        if !self.targets.contains(&kind) {
            self.targets.push(kind);
            self.rows(kind, part::PLAIN, Purpose::Target);
        }
    }

    fn rows(&mut self, kind: EntityKind, part: i64, purpose: Purpose) {
        let identity = purpose == Purpose::Target && (PEOPLE.contains(&kind) || kind == EntityKind::OrgUnit);
        self.each(kind, purpose, |scope| Source::Rows { scope, part, identity });
    }

    fn each(&mut self, kind: EntityKind, purpose: Purpose, source: impl Fn(i64) -> Source) {
        let of_kind = self.scopes.iter().filter(|scope| scope.kind == kind);
        self.passes.extend(of_kind.map(|scope| Pass {
            source: source(scope.id),
            purpose,
            kind,
            connection: scope.connection,
        }));
    }

    fn gathered(&mut self, purpose: Purpose) {
        self.passes.push_back(Pass { source: Source::Gathered, purpose, kind: EntityKind::Person, connection: 0 });
    }

    /// Of every scope that was read.
    fn count_unreadable(&mut self) {
        let mut scopes: Vec<i64> = self.passes.iter().filter_map(Pass::scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let count = |scope| Pass {
            source: Source::Unreadable { scope },
            purpose: Purpose::Target,
            kind: EntityKind::Person,
            connection: 0,
        };
        self.passes.extend(scopes.into_iter().map(count));
    }
}

impl Pass {
    fn scope(&self) -> Option<i64> {
        match self.source {
            Source::Rows { scope, .. } => Some(scope),
            _ => None,
        }
    }
}
