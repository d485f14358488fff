//! One question's reading: row after row comes in, what others refer to is kept, and rows of the streams go out in batches.

mod give;
mod keep;

use std::collections::{HashMap, VecDeque};

use crate::StoreError;
use crate::insight::bands::Bands;
use crate::insight::employed::Employed;
use crate::insight::groups::Groups;
use crate::insight::names::Names;
use crate::insight::pack::Field;
use crate::insight::passes::{Pass, Passes, Purpose, Scope, Stream};
use crate::insight::policies::Policies;
use crate::insight::positions::Positions;
use crate::insight::shapes;
use crate::insight::targets::{ConnectionNo, Meant, Set, Targets};
use crate::insight::{VERSION, extract};
use crate::model::insight::{Ask, Batch, Employment, Group, GroupsAsk, Need, Person, Read, Rows};

/// Rows of a batch.
pub(crate) const BATCH_ROWS: usize = 2_000;

/// A scope as it is kept: number, entity and connection.
pub(crate) type ScopeRow = (i64, String, String);

/// What gathered rows are given out from.
type Gathered<T> = Box<dyn Iterator<Item = T> + Send>;

/// Where the reading of a question stands.
pub(crate) struct Reading {
    passes: VecDeque<Pass>,
    ask: Ask,
    targets: Targets,
    /// What only some streams need.
    wants: Wants,
    policies: Policies,
    positions: Positions,
    employed: Employed,
    bands: Bands,
    groups: Option<Groups>,
    /// Answers and offers that steps are under, with their application once they were met.
    under: HashMap<Meant, i64>,
    corrected: Set<Meant>,
    names: Names,
    competencies: HashMap<i64, u32>,
    questions: HashMap<(ConnectionNo, Box<str>), u32>,
    gathered_people: Option<Gathered<Person>>,
    gathered_groups: Option<Gathered<Group>>,
    gathered_employments: Option<Gathered<Employment>>,
    rows: Rows,
    read: Read,
}

#[derive(Debug, Clone, Copy)]
struct Wants {
    policies: bool,
    positions: bool,
    employments: bool,
}

/// Reads a packed row.
fn unpacked<'b, T: Field<'b>>(body: &'b [u8]) -> Result<T, StoreError> {
    match body.split_first() {
        Some((&VERSION, mut rest)) => T::unpack(&mut rest).ok_or_else(damaged),
        _ => Err(StoreError::Unavailable(
            "rows for insights were written by another release and are being made again: ask again in a while".into(),
        )),
    }
}

fn damaged() -> StoreError {
    StoreError::Fault("the `insight_row` table holds a row that this program did not write".into())
}

/// Gives a row of a stream out.
macro_rules! push {
    ($reading:expr, $stream:ident, $row:expr) => {{
        $reading.read.rows += 1;
        let row = $row;
        match &mut $reading.rows {
            Rows::$stream(rows) => rows.push(row),
            rows => {
                let mut first = Vec::with_capacity(BATCH_ROWS);
                first.push(row);
                *rows = Rows::$stream(first);
            }
        }
    }};
}

use push;

impl Reading {
    /// Of the scopes that the tenant has.
    pub(crate) fn new(ask: &Ask, groups: Option<&GroupsAsk>, scopes: Vec<ScopeRow>) -> Self {
        let mut targets = Targets::new(ask.entries_max);
        let mut known = Vec::new();
        for (id, entity, connection) in scopes {
            let connection = targets.connections.place(&connection);
            known.extend(extract::kind_of(&entity).map(|kind| Scope { id, kind, connection }));
        }
        let mut streams: Vec<Stream> = Vec::new();
        for need in &ask.needs {
            if !streams.contains(&Stream::Of(*need)) {
                streams.push(Stream::Of(*need));
            }
        }
        if groups.is_some() {
            let after = streams.iter().position(|stream| *stream == Stream::Of(Need::People));
            streams.insert(after.map_or(0, |at| at + 1), Stream::Groups);
        }
        let asks = |need| ask.needs.contains(&need);
        Self {
            passes: Passes::of(&streams, &known),
            wants: Wants {
                policies: asks(Need::People),
                positions: asks(Need::Reviews) || asks(Need::Metrics),
                employments: asks(Need::Employments),
            },
            ask: ask.clone(),
            targets,
            policies: Policies::default(),
            positions: Positions::default(),
            employed: Employed::default(),
            bands: Bands::default(),
            groups: groups.map(Groups::of),
            under: HashMap::new(),
            corrected: Set::default(),
            names: Names::default(),
            competencies: HashMap::new(),
            questions: HashMap::new(),
            gathered_people: None,
            gathered_groups: None,
            gathered_employments: None,
            rows: Rows::People(Vec::new()),
            read: Read::default(),
        }
    }

    /// The next walk over rows; passes over one that looks for nothing.
    pub(crate) fn next_pass(&mut self) -> Option<Pass> {
        loop {
            let pass = self.passes.pop_front()?;
            if pass.purpose != Purpose::Under || !self.under.is_empty() {
                return Some(pass);
            }
        }
    }

    /// What was read in all.
    pub(crate) fn read(&self) -> Read {
        self.read
    }

    pub(crate) fn note_unreadable(&mut self, records: u64) {
        self.read.unreadable += records;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS
    }

    /// What there is to send; none where there is nothing.
    pub(crate) fn take_batch(&mut self) -> Option<Batch> {
        if self.rows.len() == 0 {
            return None;
        }
        let rows = std::mem::replace(&mut self.rows, Rows::People(Vec::new()));
        Some(Batch { names: self.names.take_new(), rows })
    }

    /// Gives out what was gathered, up to a batch. False: nothing is left.
    pub(crate) fn gather(&mut self, pass: &Pass) -> bool {
        match pass.purpose {
            Purpose::Stream(Stream::Groups) => {
                if let Some(groups) = self.groups.take() {
                    self.gathered_groups = Some(Box::new(groups.into_rows(&mut self.names)));
                }
                let mut rows = self.gathered_groups.take();
                for row in rows.iter_mut().flatten().take(BATCH_ROWS) {
                    push!(self, Groups, row);
                }
                self.gathered_groups = rows;
            }
            Purpose::Stream(Stream::Of(Need::Employments)) => {
                let new = || -> Gathered<Employment> { Box::new(std::mem::take(&mut self.employed).into_rows()) };
                let mut rows = self.gathered_employments.take().unwrap_or_else(new);
                for row in rows.by_ref().take(BATCH_ROWS) {
                    push!(self, Employments, row);
                }
                self.gathered_employments = Some(rows);
            }
            _ => {
                let new = || -> Gathered<Person> { Box::new(std::mem::take(&mut self.policies).into_people()) };
                let mut rows = self.gathered_people.take().unwrap_or_else(new);
                for row in rows.by_ref().take(BATCH_ROWS) {
                    push!(self, People, row);
                }
                self.gathered_people = Some(rows);
            }
        }
        self.is_full()
    }

    /// Takes a row in. `identity` is that of the record where one was found for it.
    pub(crate) fn take(
        &mut self,
        pass: &Pass,
        record: i64,
        identity: Option<i64>,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let from = pass.connection;
        match pass.purpose {
            Purpose::Target => self.take_target(pass, record, identity.unwrap_or(record), body),
            Purpose::JobChain => self.take_job_chain(pass, record, body),
            Purpose::Assignments => self.take_assignment(from, record, body),
            Purpose::Consents => self.take_consent(from, record, body),
            Purpose::StepsUnder => self.take_step_under(from, body),
            Purpose::Under => self.take_under(pass, record, body),
            Purpose::Corrected => {
                let row: shapes::Score<'_> = unpacked(body)?;
                let meant = row.adjusts.and_then(|named| self.targets.connections.meant(from, &named));
                self.corrected.extend(meant);
                self.targets.hold()
            }
            Purpose::Stream(Stream::Groups) => {
                let person = self.targets.identity(record).unwrap_or(record);
                if self.groups.as_mut().is_some_and(|groups| !groups.take(person, record, body, &mut self.names)) {
                    self.read.unreadable += 1;
                }
                Ok(())
            }
            Purpose::Stream(Stream::Of(need)) => self.take_row(need, from, record, body),
        }
    }

    fn take_row(&mut self, need: Need, from: ConnectionNo, record: i64, body: &[u8]) -> Result<(), StoreError> {
        match need {
            Need::People => Ok(()),
            Need::Applications => self.give_application(record, unpacked(body)?),
            Need::Steps => self.give_step(from, record, &unpacked(body)?),
            Need::Interviews => self.give_interview(from, record, &unpacked(body)?),
            Need::Employments => self.give_employment(from, record, &unpacked(body)?),
            Need::Reviews => self.give_review(from, record, &unpacked(body)?),
            Need::Metrics => self.give_metric(from, record, &unpacked(body)?),
            Need::Results => self.give_result(from, record, &unpacked(body)?),
            Need::Scores => self.give_score(from, record, &unpacked(body)?),
            Need::Answers => self.give_answer(from, record, &unpacked(body)?),
            Need::Offers => self.give_offer(from, record, unpacked(body)?),
        }
    }
}
