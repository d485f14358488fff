//! What others refer to, and what is folded until its stream is given out.

use renmen_schema::EntityKind as Kind;

use super::{Reading, unpacked};
use crate::StoreError;
use crate::insight::passes::Pass;
use crate::insight::positions::Assigned;
use crate::insight::shapes;
use crate::insight::targets::{ApplicationTarget, ConnectionNo, Meant, Name};
use crate::model::insight::UNKNOWN;

impl Reading {
    pub(super) fn take_target(
        &mut self,
        pass: &Pass,
        record: i64,
        identity: i64,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let from = pass.connection;
        match pass.kind {
            Kind::Person | Kind::Candidate => {
                let row: shapes::Someone<'_> = unpacked(body)?;
                self.targets.add_person(record, identity);
                if pass.kind == Kind::Candidate || row.policy.is_some() {
                    self.add_policy(identity, row.policy.as_ref(), from);
                } else if self.wants.policies {
                    self.policies.add_person(identity);
                }
                self.targets.add_name(&row.own, from, record)
            }
            Kind::Employee => self.take_employee(from, record, identity, &unpacked(body)?),
            Kind::OrgUnit => {
                self.targets.add_unit(record, identity);
                self.add_name(from, record, body)
            }
            Kind::LibraryQuestion => self.add_name(from, record, body),
            Kind::Job => {
                self.targets.add_job(record);
                let row: shapes::Job<'_> = unpacked(body)?;
                self.targets.add_name(&row.own, from, record)
            }
            Kind::PayBand => {
                self.targets.add_band(record);
                let row: shapes::Band<'_> = unpacked(body)?;
                self.targets.add_name(&row.own, from, record)
            }
            Kind::Competency => {
                let row: shapes::Competency<'_> = unpacked(body)?;
                let name = self.name(row.name)?;
                self.competencies.insert(record, name);
                self.targets.add_name(&row.own, from, record)
            }
            Kind::Application => {
                let row: shapes::Application<'_> = unpacked(body)?;
                let person = self.targets.person(from, row.candidate).unwrap_or(UNKNOWN);
                let job = self.targets.job(from, row.job).unwrap_or(UNKNOWN);
                self.targets.add_application(record, ApplicationTarget { person, job });
                self.targets.add_name(&row.own, from, record)
            }
            Kind::Interview => {
                let row: shapes::Interview<'_> = unpacked(body)?;
                let application = self.targets.application(from, row.application);
                if let Some((_, ApplicationTarget { person, .. })) = application
                    && person != UNKNOWN
                {
                    self.add_policy(person, row.policy.as_ref(), from);
                }
                self.targets.add_interview(record, application.map(|(application, _)| application));
                self.targets.add_name(&row.own, from, record)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn add_name(&mut self, from: ConnectionNo, record: i64, body: &[u8]) -> Result<(), StoreError> {
        let row: shapes::Target = unpacked(body)?;
        self.targets.add_name(&row.own, from, record)
    }

    pub(super) fn add_policy(&mut self, person: i64, policy: Option<&shapes::Policy<'_>>, from: ConnectionNo) {
        if self.wants.policies {
            self.policies.add(person, policy, from, &self.targets.connections);
        }
    }

    pub(super) fn take_employee(
        &mut self,
        from: ConnectionNo,
        record: i64,
        identity: i64,
        row: &shapes::Employee<'_>,
    ) -> Result<(), StoreError> {
        self.targets.add_person(record, identity);
        self.add_policy(identity, row.policy.as_ref(), from);
        if self.wants.positions {
            let position = self.targets.job(from, row.position);
            let unit = self.targets.unit(from, row.unit);
            let says = Assigned { record, position, unit, from: None, to: None, primary: false };
            self.positions.now(identity, says);
        }
        if self.wants.employments {
            self.employed.says(identity, record, row);
        }
        row.keys.iter().try_for_each(|key| self.targets.add_key(key, from, record))?;
        self.targets.add_name(&row.own, from, record)
    }

    pub(super) fn take_job_chain(&mut self, pass: &Pass, record: i64, body: &[u8]) -> Result<(), StoreError> {
        let from = pass.connection;
        if pass.kind == Kind::Job {
            let row: shapes::Job<'_> = unpacked(body)?;
            let (parent, band) = (self.targets.job(from, row.parent), self.targets.band(from, row.band));
            self.bands.add_job(record, parent, band);
        } else {
            let row: shapes::Band<'_> = unpacked(body)?;
            if let Some(position) = self.targets.job(from, row.position) {
                self.bands.add_band(position, row.level, record);
            }
        }
        self.targets.hold()
    }

    pub(super) fn take_assignment(&mut self, from: ConnectionNo, record: i64, body: &[u8]) -> Result<(), StoreError> {
        let row: shapes::Assignment<'_> = unpacked(body)?;
        let Some(person) = self.targets.person(from, row.employee) else {
            self.read.unresolved += 1;
            return Ok(());
        };
        let position = self.targets.job(from, row.position);
        let unit = self.targets.unit(from, row.unit);
        let assigned = Assigned { record, position, unit, from: row.from, to: row.to, primary: row.primary };
        self.positions.assign(person, assigned);
        self.targets.hold()
    }

    pub(super) fn take_consent(&mut self, from: ConnectionNo, record: i64, body: &[u8]) -> Result<(), StoreError> {
        let row: shapes::Consent<'_> = unpacked(body)?;
        let person = self.targets.person(from, row.person);
        let by = [Meant::Row(record), Meant::Name(Name::external(&row.own, from))];
        if !self.policies.add_consent(&row, person, by) {
            self.read.unresolved += 1;
        }
        self.targets.hold()
    }

    pub(super) fn take_step_under(&mut self, from: ConnectionNo, body: &[u8]) -> Result<(), StoreError> {
        let row: shapes::Step<'_> = unpacked(body)?;
        let meant = row.of.and_then(|named| self.targets.connections.meant(from, &named));
        if let Some(meant) = meant {
            self.under.entry(meant).or_insert(UNKNOWN);
        }
        self.targets.hold()
    }

    /// An answer or an offer: its application, where a step is under it.
    pub(super) fn take_under(&mut self, pass: &Pass, record: i64, body: &[u8]) -> Result<(), StoreError> {
        let from = pass.connection;
        let (own, application) = if pass.kind == Kind::Offer {
            let row: shapes::Offer<'_> = unpacked(body)?;
            (row.own, self.targets.application(from, row.application).map(|(application, _)| application))
        } else {
            let row: shapes::Answer<'_> = unpacked(body)?;
            (row.own, self.targets.interview(from, row.interview).map(|(_, application)| application))
        };
        for meant in [Meant::Row(record), Meant::Name(Name::external(&own, from))] {
            if let Some(found) = self.under.get_mut(&meant) {
                *found = application.unwrap_or(UNKNOWN);
            }
        }
        Ok(())
    }

    pub(super) fn name(&mut self, name: &str) -> Result<u32, StoreError> {
        let (place, new) = self.names.place(name);
        if new {
            self.targets.hold()?;
        }
        Ok(place)
    }
}
