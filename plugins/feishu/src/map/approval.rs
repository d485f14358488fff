//! Approvals as steps of a process. The vendor's form has no place for what an approval is about, so a text field of the form carries
//! our [`Reference`]; an approval without one was started by people for something else and does not become a record.

use std::fmt;

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::NodeCode;
use renmen_plugin::schema::entity::{ProcessNode, Subject};
use renmen_plugin::schema::id::{ConnectionName, RecordId};
use renmen_plugin::schema::types::{Coded, ExternalId, Instant, Ref};

use crate::api::approval::Instance;

/// What an approval is about: `application/018f3c1e-…`, or `offer/hire:4711` for the id 4711 in the system behind the connection
/// `hire`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// `application`, `interview`, `answer`, `offer` or `migration`.
    pub(crate) kind: String,
    /// A record's id, or connection and external id.
    pub(crate) id: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

impl Reference {
    /// Reads what [`Reference`] writes; none for any other text.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (kind, id) = text.trim().split_once('/')?;
        let reference = Self { kind: kind.into(), id: id.into() };
        reference.subject().is_some().then_some(reference)
    }

    /// What it is about; none for a kind that is not known or an id that is not valid.
    pub(crate) fn subject(&self) -> Option<Subject> {
        fn to<E>(id: &str) -> Option<Ref<E>> {
            if let Ok(record) = id.parse::<RecordId>() {
                return Some(Ref::to(record));
            }
            let (connection, value) = id.split_once(':')?;
            let connection = ConnectionName::new(connection).ok()?;
            (!value.is_empty()).then(|| Ref::by(ExternalId { connection: Some(connection), ..ExternalId::of(value) }))
        }
        let mut subject = Subject::new();
        match self.kind.as_str() {
            "application" => subject.application = Some(to(&self.id)?),
            "interview" => subject.interview = Some(to(&self.id)?),
            "answer" => subject.answer = Some(to(&self.id)?),
            "offer" => subject.offer = Some(to(&self.id)?),
            "migration" => subject.migration = Some(to(&self.id)?),
            _ => return None,
        }
        Some(subject)
    }
}

/// The step with which an approval began.
///
/// # Errors
/// [`Unfit`] for a time that is absent or not valid.
pub(crate) fn started(from: &Instance, about: &Reference) -> Result<ProcessNode, Unfit> {
    let code = Coded::with_raw(NodeCode::Other, "APPROVAL_STARTED");
    Ok(ProcessNode {
        actor: from.open_id.clone().filter(|id| !id.is_empty()),
        status: Some("RUNNING".into()),
        ..node(about, code, from.start_time, "start_time")?
    })
}

/// The step with which it ended; none while it runs.
///
/// # Errors
/// [`Unfit`] for an end that is not known here or has no time.
pub(crate) fn ended(from: &Instance, about: &Reference) -> Result<Option<ProcessNode>, Unfit> {
    let withdrawn = |raw: &str| (Coded::with_raw(NodeCode::Other, raw.to_owned()), "TERMINATED");
    let (code, status) = match (from.status.as_str(), from.reverted) {
        ("PENDING", _) => return Ok(None),
        // Granted, and taken back by its originator afterwards.
        ("APPROVED", Some(true)) => withdrawn("APPROVAL_REVERTED"),
        ("APPROVED", _) => (Coded::with_raw(NodeCode::Reviewed, "APPROVED"), "APPROVED"),
        ("REJECTED", _) => (Coded::with_raw(NodeCode::Reviewed, "REJECTED"), "REFUSED"),
        ("CANCELED" | "DELETED", _) => withdrawn("APPROVAL_WITHDRAWN"),
        _ => return Err(Unfit::field("status", "an end that is not known here")),
    };
    let ended = node(about, code, from.end_time, "end_time")?;
    Ok(Some(ProcessNode { previous_status: Some("RUNNING".into()), status: Some(status.into()), ..ended }))
}

fn node(about: &Reference, code: Coded<NodeCode>, at: Option<i64>, field: &str) -> Result<ProcessNode, Unfit> {
    let subject = about.subject().ok_or_else(|| Unfit::field("form", "a reference to nothing"))?;
    let at = at.filter(|ms| *ms > 0).ok_or_else(|| Unfit::field(field, "absent"))?;
    Ok(ProcessNode::new(subject, code, Instant::from_epoch_ms(at).map_err(|e| Unfit::field(field, e))?))
}
