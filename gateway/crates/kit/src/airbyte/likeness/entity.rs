//! Names of streams, and the entity that each is like.

use renmen_schema::EntityKind;

use super::words;

/// What a stream is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::airbyte) struct Alike {
    pub(in crate::airbyte) entity: EntityKind,
    /// The code of `/kind`, where the entity has one and the name says it.
    pub(in crate::airbyte) kind: Option<&'static str>,
}

/// Words in the singular, the entity, its kind.
const NAMES: &[(&str, EntityKind, Option<&str>)] = &[
    ("department", EntityKind::OrgUnit, Some("DEPARTMENT")),
    ("team", EntityKind::OrgUnit, Some("TEAM")),
    ("division", EntityKind::OrgUnit, Some("DIVISION")),
    ("business_unit", EntityKind::OrgUnit, Some("BUSINESS_UNIT")),
    ("company", EntityKind::OrgUnit, Some("COMPANY")),
    ("organisation", EntityKind::OrgUnit, Some("COMPANY")),
    ("organization", EntityKind::OrgUnit, Some("COMPANY")),
    ("legal_entity", EntityKind::OrgUnit, Some("LEGAL_ENTITY")),
    ("cost_center", EntityKind::OrgUnit, Some("COST_CENTER")),
    ("cost_centre", EntityKind::OrgUnit, Some("COST_CENTER")),
    ("location", EntityKind::OrgUnit, Some("LOCATION")),
    ("office", EntityKind::OrgUnit, Some("LOCATION")),
    ("employee", EntityKind::Employee, None),
    ("worker", EntityKind::Employee, None),
    ("staff", EntityKind::Employee, None),
    ("staff_member", EntityKind::Employee, None),
    ("person", EntityKind::Employee, None),
    ("people", EntityKind::Employee, None),
    ("user", EntityKind::Employee, None),
    ("profile", EntityKind::Employee, None),
    ("candidate", EntityKind::Candidate, None),
    ("applicant", EntityKind::Candidate, None),
    ("talent", EntityKind::Candidate, None),
    ("job", EntityKind::Job, Some("JOB")),
    ("vacancy", EntityKind::Job, Some("JOB")),
    ("requisition", EntityKind::Job, Some("REQUISITION")),
    ("job_requisition", EntityKind::Job, Some("REQUISITION")),
    ("position", EntityKind::Job, Some("POSITION")),
    ("posting", EntityKind::Job, Some("POSTING")),
    ("job_posting", EntityKind::Job, Some("POSTING")),
    ("job_post", EntityKind::Job, Some("POSTING")),
    ("application", EntityKind::Application, None),
    ("job_application", EntityKind::Application, None),
    ("interview", EntityKind::Interview, None),
    ("scheduled_interview", EntityKind::Interview, None),
    ("interview_schedule", EntityKind::Interview, None),
    ("offer", EntityKind::Offer, None),
    ("job_offer", EntityKind::Offer, None),
    ("employment", EntityKind::Employment, None),
];

/// Words that say nothing of what is in a list.
const EMPTY: &[&str] =
    &["stream", "list", "all", "active", "full", "directory", "download", "export", "report", "get", "search", "api"];

/// What a name is like; none where that is not sure.
pub(in crate::airbyte) fn entity(name: &str) -> Option<Alike> {
    let words = words(name);
    let kept: Vec<&str> = words.split('_').filter(|word| !EMPTY.contains(word)).collect();
    let kept = kept.join("_");
    let one = singular(&kept);
    let found = NAMES.iter().find(|(name, ..)| *name == one || *name == kept);
    found.map(|&(_, entity, kind)| Alike { entity, kind })
}

/// What was said to be in a stream.
pub(in crate::airbyte) fn named(entity: EntityKind, name: &str) -> Alike {
    let kind = self::entity(name).filter(|alike| alike.entity == entity).and_then(|alike| alike.kind);
    let usual = match entity {
        EntityKind::OrgUnit => Some("DEPARTMENT"),
        EntityKind::Job => Some("JOB"),
        _ => None,
    };
    Alike { entity, kind: kind.or(usual) }
}

fn singular(words: &str) -> String {
    match words {
        words if words.ends_with("ies") => format!("{}y", &words[..words.len() - 3]),
        words if words.ends_with("ss") => words.to_owned(),
        words => words.strip_suffix('s').unwrap_or(words).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_sure_are_taken_and_no_others() {
        for (name, wanted) in [
            ("employees", EntityKind::Employee),
            ("employees_directory_stream", EntityKind::Employee),
            ("Active Worker Download", EntityKind::Employee),
            ("people", EntityKind::Employee),
            ("companies", EntityKind::OrgUnit),
            ("job-applications", EntityKind::Application),
            ("jobPostings", EntityKind::Job),
            ("vacancies", EntityKind::Job),
            ("staff", EntityKind::Employee),
        ] {
            assert_eq!(entity(name).map(|alike| alike.entity), Some(wanted), "{name}");
        }
        for name in
            ["custom_fields", "employee_certifications", "data", "job_stages", "user_roles", "offers_archive", ""]
        {
            assert_eq!(entity(name), None, "{name}");
        }
        assert_eq!(named(EntityKind::OrgUnit, "teams").kind, Some("TEAM"));
        assert_eq!(named(EntityKind::OrgUnit, "areas").kind, Some("DEPARTMENT"));
    }
}
