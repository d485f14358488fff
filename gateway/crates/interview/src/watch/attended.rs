//! Which interviews an order has: those that name it, and of those that name none the ones of its application, or of its
//! candidate where the interview's application was never ordered anything.
//!
//! An interview that names no order counts for one order alone, the one with the earliest deadline first, so that the first round
//! does not stand for the second.

use renmen_schema::code::{InterviewKind, OrderStatus};
use renmen_schema::entity::{Application, Interview, InterviewOrder, ProcessNode};
use renmen_store::{Parent, RecordRow};

use crate::children::Shelf;
use crate::dossier::{self, Read};
use crate::standing::{self, Standing};
use crate::steps::Steps;
use crate::{InterviewError, subject};

/// What is known of who came for an order.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    interviews: Vec<Known>,
}

/// One interview, by its own facts.
#[derive(Debug, Clone, Copy)]
struct Known {
    standing: Standing,
    began_ms: Option<i64>,
}

impl Attendance {
    /// Is there any interview, whether it was held or not?
    pub(super) fn has_interview(&self) -> bool {
        !self.interviews.is_empty()
    }

    /// Is there one that no longer waits for its candidate? What became of it was told by itself.
    pub(super) fn is_settled(&self) -> bool {
        self.interviews.iter().any(|known| known.standing != Standing::Awaited)
    }

    /// Did the candidate come by this time, as far as is known?
    pub(super) fn was_there_by(&self, ms: i64) -> bool {
        let there = self.interviews.iter().filter(|known| matches!(known.standing, Standing::Begun | Standing::Held));
        there.into_iter().any(|known| known.began_ms.is_none_or(|began_ms| began_ms <= ms))
    }
}

pub(super) async fn of(
    shelf: Shelf<'_>,
    key: &Parent,
    order: &Read<InterviewOrder>,
) -> Result<Attendance, InterviewError> {
    let own = interviews(shelf, key, key, false).await?;
    if !own.is_empty() {
        return Ok(Attendance { interviews: own });
    }
    let Some(application) = application_of(shelf, &order.row).await? else { return Ok(Attendance::default()) };
    let orders = orders(shelf, &application, key).await?;
    let mut place = None;
    let mut before = 0;
    for (_, id) in orders {
        let ordered = Parent { external_id: id, ..key.clone() };
        if ordered == *key {
            place = Some(before);
            break;
        }
        if interviews(shelf, &ordered, key, false).await?.is_empty() {
            before += 1;
        }
    }
    let mut loose = interviews(shelf, &application, key, true).await?;
    loose.extend(of_candidate(shelf, &application, key).await?);
    // Who came first came for the first.
    loose.sort_by_key(|known| (matches!(known.standing, Standing::Awaited), known.began_ms.unwrap_or(i64::MIN)));
    let interviews = place.and_then(|place| loose.get(place).copied()).into_iter().collect();
    Ok(Attendance { interviews })
}

/// The orders that an interview which names none may stand for: those of its application, or of the candidate's others where that
/// was ordered nothing.
pub(super) async fn orders_of(shelf: Shelf<'_>, interview: &Read<Interview>) -> Result<Vec<Parent>, InterviewError> {
    let connection = interview.row.connection.clone();
    let like = Parent { connection, entity: "interview_order".into(), external_id: String::new() };
    let Some(application) = application_of(shelf, &interview.row).await? else { return Ok(Vec::new()) };
    let mut found = orders(shelf, &application, &like).await?;
    if found.is_empty() {
        for other in others_of(shelf, &application, &like).await? {
            found.extend(orders(shelf, &other, &like).await?);
        }
    }
    Ok(found.into_iter().map(|(_, external_id)| Parent { external_id, ..like.clone() }).collect())
}

async fn application_of(shelf: Shelf<'_>, row: &RecordRow) -> Result<Option<Parent>, InterviewError> {
    let parents = subject::parents(shelf.store, shelf.tenant, row).await?;
    Ok(parents.into_iter().find(|parent| parent.entity == "application"))
}

/// The orders of an application that the candidate could have come for, by deadline.
async fn orders(shelf: Shelf<'_>, application: &Parent, like: &Parent) -> Result<Vec<(i64, String)>, InterviewError> {
    let mut found = Vec::new();
    let all = shelf.each(application, shelf.sources.of(like), &["interview_order"], |row| {
        found.extend(Read::<InterviewOrder>::of(row).filter(|order| order.row.connection == like.connection));
        true
    });
    whole(all.await?, shelf, like)?;
    let called_off = |order: &Read<InterviewOrder>| {
        matches!(order.body.status.code, OrderStatus::Cancelled | OrderStatus::Declined | OrderStatus::Expired)
            && order.row.external_id != like.external_id
    };
    found.retain(|order| !called_off(order));
    let by_deadline = |order: Read<InterviewOrder>| {
        (order.body.deadline.map_or(i64::MAX, renmen_schema::types::Instant::epoch_ms), order.row.external_id)
    };
    let mut found: Vec<_> = found.into_iter().map(by_deadline).collect();
    found.sort();
    Ok(found)
}

/// Interviews without an order of the candidate's other applications, where those were ordered nothing.
async fn of_candidate(shelf: Shelf<'_>, application: &Parent, like: &Parent) -> Result<Vec<Known>, InterviewError> {
    let mut found = Vec::new();
    for other in others_of(shelf, application, like).await? {
        if orders(shelf, &other, like).await?.is_empty() {
            found.extend(interviews(shelf, &other, like, true).await?);
        }
    }
    Ok(found)
}

/// The candidate's other applications.
async fn others_of(shelf: Shelf<'_>, application: &Parent, like: &Parent) -> Result<Vec<Parent>, InterviewError> {
    let Shelf { store, tenant, .. } = shelf;
    let Some(read) = dossier::find::<Application>(store, tenant, application).await? else { return Ok(Vec::new()) };
    let parents = subject::parents(store, tenant, &read.row).await?;
    let Some(candidate) = parents.into_iter().find(|parent| parent.entity == "candidate") else {
        return Ok(Vec::new());
    };
    let mut connections = shelf.sources.of(like);
    connections.push(application.connection.clone());
    let mut others = Vec::new();
    let all = shelf.each(&candidate, connections, &["application"], |row| {
        others.push(subject::key_of(&row));
        true
    });
    whole(all.await?, shelf, like)?;
    others.retain(|other| other != application);
    Ok(others)
}

/// The AI interviews of an order or an application, each as it stands: those that an order like this one may have. `loose`: only
/// those that name no order.
async fn interviews(shelf: Shelf<'_>, of: &Parent, like: &Parent, loose: bool) -> Result<Vec<Known>, InterviewError> {
    let mut read = Vec::new();
    let all = shelf.each(of, shelf.sources.of(like), &["interview"], |row| {
        let interview = Read::<Interview>::of(row).filter(|one| one.body.kind == InterviewKind::Ai);
        read.extend(interview.filter(|one| !loose || one.body.order.is_none()));
        true
    });
    whole(all.await?, shelf, of)?;
    let mut found = Vec::with_capacity(read.len());
    for interview in &read {
        let key = subject::key_of(&interview.row);
        let (mut steps, mut has_result) = (Steps::default(), false);
        let entities = ["process_node", "interview_result"];
        let all = shelf.each(&key, shelf.sources.of(&key), &entities, |row| {
            has_result |= row.entity == "interview_result";
            Read::of(row).iter().for_each(|node: &Read<ProcessNode>| steps.note(node));
            true
        });
        // A candidate who took more steps than are looked at has begun, by those that are.
        all.await?;
        let standing = Standing::of(Some(interview), &steps, has_result);
        found.push(Known { standing, began_ms: standing::began_ms(Some(interview), &steps) });
    }
    Ok(found)
}

fn whole(all: bool, shelf: Shelf<'_>, of: &Parent) -> Result<(), InterviewError> {
    if all {
        return Ok(());
    }
    let max = shelf.children_max;
    Err(InterviewError::Fault(format!(
        "what belongs to an order of connection `{}` is more than {max} records of one kind: raise `interview.children_max`",
        of.connection
    )))
}
