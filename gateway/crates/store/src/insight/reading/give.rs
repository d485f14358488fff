//! Rows of the streams.

use renmen_schema::EntityKind;
use renmen_schema::code::InterviewStatus;
use renmen_schema::types::LocalDate;

use super::{BATCH_ROWS, Reading, damaged, push};
use crate::StoreError;
use crate::insight::reference::{Named, digest_of_id};
use crate::insight::shapes::{self, about, under};
use crate::insight::targets::{ConnectionNo, Meant, Name};
use crate::model::insight::{
    Answer, Application, Employment, Interview, InterviewResult, Metric, Offer, Review, Rows, Score, Step, Subject,
    UNKNOWN,
};

impl Reading {
    /// A key that a row cannot do without.
    fn needed(&mut self, key: Option<i64>) -> i64 {
        match key {
            Some(key) if key != UNKNOWN => key,
            _ => {
                self.read.unresolved += 1;
                UNKNOWN
            }
        }
    }

    pub(super) fn give_application(&mut self, record: i64, row: shapes::Application<'_>) -> Result<(), StoreError> {
        let (person, job) = self.targets.of_application(record);
        push!(
            self,
            Applications,
            Application {
                application: record,
                person,
                job,
                channel: row.channel,
                applied_at: row.applied_at,
                status: row.status,
                reasons: row.reasons,
                stages: row.stages,
            }
        );
        Ok(())
    }

    pub(super) fn give_step(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Step<'_>,
    ) -> Result<(), StoreError> {
        let application = match row.under {
            under::APPLICATION => self.targets.application(from, row.of).map(|(application, _)| application),
            under::INTERVIEW => self.targets.interview(from, row.of).map(|(_, application)| application),
            under::ANSWER | under::OFFER => {
                let meant = row.of.and_then(|named| self.targets.connections.meant(from, &named));
                meant.and_then(|meant| self.under.get(&meant).copied())
            }
            _ => return Err(damaged()),
        };
        let application = self.needed(application);
        let shapes::Step { node, at, clicks, wait_ms, .. } = *row;
        push!(self, Steps, Step { step: record, application, node, at, clicks, wait_ms });
        Ok(())
    }

    /// One that did not take place does not count.
    pub(super) fn give_interview(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Interview<'_>,
    ) -> Result<(), StoreError> {
        if matches!(row.status, InterviewStatus::NoShow | InterviewStatus::Cancelled | InterviewStatus::Expired) {
            return Ok(());
        }
        let application = self.targets.application(from, row.application).map(|(application, _)| application);
        let (person, job) = application.map_or((None, None), |application| self.targets.of_application(application));
        let application = self.needed(application);
        let job = self.targets.job(from, row.job).or(job);
        let shapes::Interview { kind, round, at, .. } = *row;
        push!(self, Interviews, Interview { interview: record, application, person, job, kind, round, at });
        Ok(())
    }

    pub(super) fn give_employment(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Employment<'_>,
    ) -> Result<(), StoreError> {
        let applicant = || self.targets.application(from, row.application).map(|(_, target)| target.person);
        let person = self.targets.person(from, row.employee).or_else(applicant).filter(|person| *person != UNKNOWN);
        match person {
            Some(person) => self.employed.has_employment(person),
            None => self.read.unresolved += 1,
        }
        let shapes::Employment { start, end, end_reason, probation, .. } = *row;
        push!(self, Employments, Employment { employment: record, person, start, end, end_reason, probation });
        Ok(())
    }

    pub(super) fn give_review(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Review<'_>,
    ) -> Result<(), StoreError> {
        let person = self.targets.person(from, row.reviewee);
        let offset = self.ask.offset_minutes;
        let settled = || LocalDate::from_epoch_ms_at_offset(row.settled_at?.epoch_ms(), offset).ok();
        let until = row.until.or_else(settled);
        let (position, unit) = person.map_or((None, None), |person| self.positions.on(person, until));
        self.read.unresolved += u64::from(person.is_none());
        let shapes::Review { cycle, rating, .. } = *row;
        push!(self, Reviews, Review { review: record, person, cycle, until, rating, position, unit });
        Ok(())
    }

    pub(super) fn give_metric(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Metric<'_>,
    ) -> Result<(), StoreError> {
        if self.ask.metrics.as_ref().is_some_and(|codes| !codes.iter().any(|code| code == row.code)) {
            return Ok(());
        }
        let (mut position, mut unit) = (None, None);
        let subject = match row.about {
            about::PERSON => {
                let person = self.targets.person(from, row.of);
                if let Some(person) = person {
                    (position, unit) = self.positions.on(person, Some(row.until));
                }
                self.read.unresolved += u64::from(person.is_none());
                Subject::Person(person)
            }
            about::UNIT => {
                let unit = self.targets.unit(from, row.of);
                Subject::Unit(self.needed(unit))
            }
            about::POSITION => {
                let position = self.targets.job(from, row.of);
                Subject::Position(self.needed(position))
            }
            _ => return Err(damaged()),
        };
        let code = self.name(row.code)?;
        let shapes::Metric { objective, direction, until, value, .. } = *row;
        push!(
            self,
            Metrics,
            Metric { metric: record, subject, code, objective, direction, until, value, position, unit }
        );
        Ok(())
    }

    fn interview_of(&mut self, from: ConnectionNo, named: Option<Named<'_>>) -> i64 {
        let interview = self.targets.interview(from, named).map(|(interview, _)| interview);
        self.needed(interview)
    }

    pub(super) fn give_result(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Result<'_>,
    ) -> Result<(), StoreError> {
        let interview = self.interview_of(from, row.interview);
        push!(self, Results, InterviewResult { result: record, interview, overall: row.overall });
        Ok(())
    }

    pub(super) fn give_score(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Score<'_>,
    ) -> Result<(), StoreError> {
        if !self.corrected.is_empty() {
            let own = [Meant::Row(record), Meant::Name(Name::external(&row.own, from))];
            if own.iter().any(|meant| self.corrected.contains(meant)) {
                return Ok(());
            }
        }
        let competency = row.competency.and_then(|named| self.targets.any(from, Some(named)));
        let named = competency.and_then(|competency| self.competencies.get(&competency).copied());
        let dimension = match (named, row.dimension) {
            (Some(name), _) => name,
            (None, Some(dimension)) => self.name(dimension)?,
            // Of a competency that is not there, and without a name of its own.
            (None, None) => {
                self.read.unresolved += 1;
                return Ok(());
            }
        };
        let interview = self.interview_of(from, row.interview);
        push!(self, Scores, Score { score: record, interview, dimension, value: row.value });
        Ok(())
    }

    pub(super) fn give_answer(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: &shapes::Answer<'_>,
    ) -> Result<(), StoreError> {
        let (Some(id), Some(value)) = (row.question, row.value) else { return Ok(()) };
        let question = self.question(from, id)?;
        let interview = self.interview_of(from, row.interview);
        push!(self, Answers, Answer { answer: record, interview, question, value });
        Ok(())
    }

    /// A question of the gateway's own library has its id as its name; one of a connection has the connection's before it, so that two
    /// connections' questions with one number stay two.
    fn question(&mut self, from: ConnectionNo, id: &str) -> Result<u32, StoreError> {
        // Two look-ups by a borrowed key would need a map a connection; there are a few hundred questions.
        let key = (from, Box::from(id));
        if let Some(name) = self.questions.get(&key) {
            return Ok(*name);
        }
        let digest = digest_of_id(EntityKind::LibraryQuestion, id);
        let of_library = self.targets.built_in().is_some_and(|library| self.targets.is_named(&digest, library));
        let name = if of_library && !self.targets.is_named(&digest, from) {
            self.name(id)?
        } else {
            let name = format!("{}/{id}", self.targets.connections.name(from));
            self.name(&name)?
        };
        self.questions.insert(key, name);
        Ok(name)
    }

    pub(super) fn give_offer(
        &mut self,
        from: ConnectionNo,
        record: i64,
        row: shapes::Offer<'_>,
    ) -> Result<(), StoreError> {
        let application = self.targets.application(from, row.application);
        self.read.unresolved += u64::from(application.is_none());
        let job = application.map(|(_, target)| target.job).filter(|job| *job != UNKNOWN);
        let band = job.and_then(|job| self.bands.of(job, row.level));
        let shapes::Offer { band_position, status, closed_at, reasons, .. } = row;
        push!(self, Offers, Offer { offer: record, band, band_position, status, closed_at, reasons });
        Ok(())
    }
}
