//! What happened with a person, out of the records that name one of theirs: applications, employments, interviews and offers.

use std::collections::BTreeMap;

use renmen_identity::{Day, Event, MemberId, Step, timeline};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::{LinkedQuery, Parent, RecordRow, Store, StoreError};
use serde_json::Value;

use crate::PeopleError;
use crate::person::{Happened, Source};

/// Interviews and offers of one application.
const OF_APPLICATION: u32 = 200;

/// The days of one person, gathered.
#[derive(Default)]
struct Days {
    events: Vec<Event>,
    /// The engine knows records by number: each gets one here.
    ids: BTreeMap<u64, RecordId>,
}

impl Days {
    fn number(&mut self, id: RecordId) -> u64 {
        let known = self.ids.iter().find(|(_, known)| **known == id).map(|(number, _)| *number);
        known.unwrap_or_else(|| {
            let number = self.ids.len() as u64;
            self.ids.insert(number, id);
            number
        })
    }

    fn add(&mut self, (member, record): (RecordId, RecordId), step: Step, day: Option<Day>, about: Option<&str>) {
        let Some(day) = day else { return };
        let (member, record) = (MemberId(self.number(member)), self.number(record));
        self.events.push(Event { day, step, member, record, about: about.map(str::to_owned) });
    }
}

/// Of the records of one person.
pub(crate) async fn of(store: &dyn Store, tenant: &TenantId, sources: &[Source]) -> Result<Vec<Happened>, PeopleError> {
    let mut days = Days::default();
    for source in sources {
        let own = &source.record;
        works(&mut days, own, own);
        let name = (own.connection.to_string(), own.entity.clone(), own.external_id.clone());
        let rows: Vec<i64> =
            store.applications(tenant, &[], &[name]).await?.into_iter().map(|told| told.record).collect();
        for found in store.record_ids(tenant, &rows).await? {
            let Some(record) = live(store, tenant, found.id).await? else { continue };
            match record.entity.as_str() {
                "application" => applied(store, tenant, &mut days, own, &record).await?,
                _ => works(&mut days, own, &record),
            }
        }
    }
    let id = |number: u64| days.ids.get(&number).copied();
    let happened = |moment: renmen_identity::Moment| {
        let told_by = moment.told_by.iter().filter_map(|(member, record)| id(member.0).zip(id(*record))).collect();
        Happened { day: moment.day, step: moment.step, about: moment.about, told_by }
    };
    Ok(timeline(days.events.clone()).into_iter().map(happened).collect())
}

async fn live(store: &dyn Store, tenant: &TenantId, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
    Ok(store.record(tenant, id).await?.filter(|record| record.deleted.is_none()))
}

fn body(record: &RecordRow) -> Value {
    serde_json::from_slice(&record.body).unwrap_or_default()
}

/// The day of a date, or of a moment in UTC.
fn day(value: &Value) -> Option<Day> {
    let text = value.as_str().or_else(|| value["utc"].as_str())?;
    Day::parse(text.get(..10)?)
}

/// The first and the last day of an employee, or of an employment.
fn works(days: &mut Days, member: &RecordRow, record: &RecordRow) {
    let body = body(record);
    let work = if record.entity == "employee" { &body["work"] } else { &body };
    if record.entity != "employee" && record.entity != "employment" {
        return;
    }
    let told = (member.id, record.id);
    let first = day(&work["start_date"]).or_else(|| day(&work["hire_date"]));
    days.add(told, Step::Joined, first, work["title"].as_str());
    days.add(told, Step::Left, day(&work["end_date"]), work["end_reason"]["code"].as_str());
}

async fn applied(
    store: &dyn Store,
    tenant: &TenantId,
    days: &mut Days,
    member: &RecordRow,
    application: &RecordRow,
) -> Result<(), PeopleError> {
    let said = body(application);
    days.add((member.id, application.id), Step::Applied, day(&said["applied_at"]), said["status"]["code"].as_str());
    let query = LinkedQuery {
        parent: Parent {
            connection: application.connection.clone(),
            entity: application.entity.clone(),
            external_id: application.external_id.clone(),
        },
        connections: connections(store, tenant).await?,
        entities: vec!["interview".to_owned(), "offer".to_owned()],
        after: None,
        limit: OF_APPLICATION,
    };
    for record in store.linked(tenant, &query).await? {
        let (said, told) = (body(&record), (member.id, record.id));
        if record.entity == "interview" {
            let held = ["started_at", "start"].iter().find_map(|name| day(&said[*name]));
            days.add(told, Step::Interviewed, held, said["status"]["code"].as_str());
        } else {
            days.add(told, Step::Offered, day(&said["sent_at"]), said["status"]["code"].as_str());
        }
    }
    Ok(())
}

/// Those that have interviews or offers.
async fn connections(store: &dyn Store, tenant: &TenantId) -> Result<Vec<ConnectionName>, StoreError> {
    let counts = store.counts(tenant).await?;
    let wanted = counts.into_iter().filter(|count| ["interview", "offer"].contains(&count.entity.as_str()));
    let mut names: Vec<ConnectionName> = wanted.map(|count| count.connection).collect();
    names.sort();
    names.dedup();
    Ok(names)
}
