//! Approvals as steps of a process. The vendor's form has no place for what an approval is about, so a text field of
//! the form carries our [`Reference`]; an approval without one was started by people for something else and does not
//! become a record.

use std::fmt;

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::NodeCode;
use renmen_plugin::schema::entity::{ProcessNode, Subject};
use renmen_plugin::schema::id::{ConnectionName, RecordId};
use renmen_plugin::schema::types::{Coded, ExternalId, Instant, Ref};

use crate::api::Instance;

/// What an approval is about, and the mark of the action that started it: `application/018f3c1e-…#7KX0M3QW2A`, or
/// `offer/hire:4711#7KX0M3QW2A` for the id 4711 in the system behind the connection `hire`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `application`, `interview`, `answer`, `offer` or `migration`.
    pub kind: String,
    /// A record's id, or connection and external id.
    pub id: String,
    /// Of the action.
    pub mark: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.kind, self.id, self.mark)
    }
}

impl Reference {
    /// Reads what [`Reference`] writes; none for any other text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.trim().split_once('/')?;
        let (id, mark) = rest.rsplit_once('#')?;
        let reference = Self { kind: kind.into(), id: id.into(), mark: mark.into() };
        reference.subject().is_some().then_some(reference)
    }

    /// What it is about; none for a kind that is not known or an id that is not valid.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
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
/// [`Unfit`] for a time that is not valid.
pub fn approval_started(from: &Instance, about: &Reference) -> Result<ProcessNode, Unfit> {
    Ok(ProcessNode {
        actor: from.originator_user_id.clone(),
        status: Some("RUNNING".into()),
        ..node(about, Coded::with_raw(NodeCode::Other, "APPROVAL_STARTED"), &from.create_time, "createTime")?
    })
}

/// The step with which it ended; none while it runs.
///
/// # Errors
/// [`Unfit`] for an end that is not known here or has no time.
pub fn approval_ended(from: &Instance, about: &Reference) -> Result<Option<ProcessNode>, Unfit> {
    let (code, status) = match (from.status.as_str(), from.result.as_deref()) {
        // A status that may come, and may be missing, between start and end.
        ("RUNNING" | "NEW", _) => return Ok(None),
        ("COMPLETED", Some("agree")) => (NodeCode::Reviewed, "APPROVED"),
        ("COMPLETED", Some("refuse")) => (NodeCode::Reviewed, "REFUSED"),
        // The approval was taken back, not what it is about.
        ("TERMINATED" | "CANCELED", _) => {
            let code = Coded::with_raw(NodeCode::Other, "APPROVAL_WITHDRAWN");
            return Ok(Some(after(node(about, code, ended_at(from)?, "finishTime")?, "TERMINATED")));
        }
        _ => return Err(Unfit::field("status", "an end that is not known here")),
    };
    let raw = from.result.as_deref().filter(|raw| !raw.is_empty()).unwrap_or(&from.status);
    Ok(Some(after(node(about, Coded::with_raw(code, raw), ended_at(from)?, "finishTime")?, status)))
}

fn ended_at(from: &Instance) -> Result<&str, Unfit> {
    from.finish_time.as_deref().ok_or_else(|| Unfit::field("finishTime", "absent although it ended"))
}

fn after(ended: ProcessNode, status: &str) -> ProcessNode {
    ProcessNode { previous_status: Some("RUNNING".into()), status: Some(status.into()), ..ended }
}

fn node(about: &Reference, code: Coded<NodeCode>, at: &str, field: &str) -> Result<ProcessNode, Unfit> {
    let subject = about.subject().ok_or_else(|| Unfit::field("formComponentValues", "a reference to nothing"))?;
    Ok(ProcessNode::new(subject, code, Instant::parse(at).map_err(|e| Unfit::field(field, e))?))
}
