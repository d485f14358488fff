//! What an event means: the vendor tells which record changed and hardly ever how, so most of them are a reason to read just
//! that record. What is not known here is taken, answered and left to the gateway to keep.
//!
//! Types and their members are those of lark-oapi 1.7.5: `P2Corehr…` in `corehr/v1` and `corehr/v2`, `P2Hire…` in `hire/v1`. The
//! spellings in `_v1` of job changes and leavers' applications are events of version 2.0 too, which apps of before still subscribe to.

use renmen_plugin::page::Origin;
use renmen_plugin::schema::entity::{Application, Assignment, Candidate, Employee, Employment};
use renmen_plugin::{Outcome, Page, Refresh, log, word};
use serde::Deserialize;

use super::open::Event;
use crate::streams::employees;

/// The ids that events name. Each event has a few of them.
#[derive(Debug, Default, Deserialize)]
struct About {
    application_id: Option<String>,
    #[serde(default)]
    application_ids: Vec<String>,
    talent_id: Option<String>,
    offer_id: Option<String>,
    employment_id: Option<String>,
    person_id: Option<String>,
    instance_code: Option<String>,
}

pub(super) fn of(event: &Event) -> Outcome {
    let Ok(about) = serde_json::from_str::<About>(&event.about) else {
        let message = format!("an event of type {} has another shape than documented; it is kept", word(&event.kind));
        log::write(log::Level::Warn, &message);
        return Outcome::default();
    };
    let mut page = Page::new();
    let refresh = match event.kind.as_str() {
        "hire.application.stage_changed_v1"
        | "hire.ehr_import_task.imported_v1"
        | "hire.ehr_import_task_for_internship_offer.imported_v1" => one("applications", about.application_id),
        "hire.talent.tag_subscription_v1" => {
            one("applications", about.application_id).into_iter().chain(one("candidates", about.talent_id)).collect()
        }
        // Of version 1.0, and sent for the forms that the app has subscribed to.
        "approval_instance" => one("approvals", about.instance_code),
        "hire.offer.status_changed_v1" => one("offers", about.offer_id),
        "hire.application.deleted_v1" => {
            for (index, id) in about.application_ids.iter().enumerate() {
                let pointer = format!("/event/application_ids/{index}");
                page.push_deleted::<Application>(origin(&pointer), id, event.created_ms);
            }
            Vec::new()
        }
        "hire.talent.deleted_v1" => {
            if let Some(id) = about.talent_id {
                page.push_deleted::<Candidate>(origin("/event/talent_id"), id, event.created_ms);
            }
            Vec::new()
        }
        "corehr.employment.deleted_v1" => {
            if let Some(id) = about.employment_id {
                let origin = origin("/event/employment_id");
                page.push_deleted::<Assignment>(origin, id.as_str(), event.created_ms);
                page.push_deleted::<Employment>(origin, id.as_str(), event.created_ms);
                page.push_deleted::<Employee>(origin, id, event.created_ms);
            }
            Vec::new()
        }
        "corehr.employment.created_v1"
        | "corehr.employment.updated_v1"
        | "corehr.employment.converted_v1"
        | "corehr.employment.resigned_v1"
        | "corehr.employee.domain_event_v2"
        | "corehr.job_data.employed_v1"
        | "corehr.job_data.changed_v1"
        | "corehr.job_change.updated_v1"
        | "corehr.job_change.updated_v2"
        | "corehr.job_change.status_updated_v2"
        | "corehr.probation.updated_v2"
        | "corehr.offboarding.updated_v1"
        | "corehr.offboarding.updated_v2"
        | "corehr.offboarding.status_updated_v2" => one("employees", about.employment_id),
        // Name and phone belong to the person, and the event names only the person: all employments of that person are
        // read.
        "corehr.person.updated_v1" => {
            let person = about.person_id.as_deref().filter(|id| !id.is_empty());
            one("employees", person.map(employees::of_person))
        }
        // These name departments by another kind of id than the one that they are read by.
        "corehr.department.created_v1"
        | "corehr.department.created_v2"
        | "corehr.department.updated_v1"
        | "corehr.department.updated_v2"
        | "corehr.department.deleted_v1" => vec![Refresh { stream: "departments".into(), only: Vec::new() }],
        _ => Vec::new(),
    };
    Outcome { refresh, ..Outcome::default().with_page(page) }
}

/// One record of a stream. An event that should name it and does not is a reason to read nothing.
fn one(stream: &str, id: Option<String>) -> Vec<Refresh> {
    let id = id.filter(|id| !id.is_empty());
    id.map(|id| Refresh { stream: stream.to_owned(), only: vec![id] }).into_iter().collect()
}

/// A delivery is not one of our own exchanges: the pointer leads into its decrypted text.
fn origin(pointer: &str) -> Origin<'_> {
    Origin { exchange: 0, pointer }
}
