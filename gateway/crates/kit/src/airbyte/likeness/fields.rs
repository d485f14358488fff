//! Names of members, and the canonical field that each is like.

use std::collections::BTreeMap;

use renmen_schema::EntityKind;
use serde_json::{Map, Value, json};

use super::property::{Origin, Property};

/// The fields of a record, as far as names tell.
#[derive(Debug, Default)]
pub(in crate::airbyte) struct Mapped {
    /// Canonical pointer to where the value comes from.
    pub(in crate::airbyte) fields: BTreeMap<String, Value>,
    /// Constants.
    pub(in crate::airbyte) set: BTreeMap<String, Value>,
    /// What is alike and not sure: proposed, with the reason.
    pub(in crate::airbyte) perhaps: BTreeMap<String, (Value, &'static str)>,
}

/// What a value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Localized,
    Ref,
    Code,
    Date,
    Instant,
    Zoned,
    Bool,
    /// A list of texts.
    Texts,
}

/// A canonical field, the names that are like it (the first that is there counts), what the value has to be.
type Rule = (&'static str, &'static [&'static str], Form);

const PERSON: &[Rule] = &[
    ("/person/names/formatted", &["full_name", "display_name", "name", "formatted_name"], Form::Text),
    ("/person/names/given", &["first_name", "given_name", "firstname"], Form::Text),
    ("/person/names/family", &["last_name", "family_name", "surname", "lastname"], Form::Text),
    ("/person/names/preferred", &["preferred_name", "known_as", "nickname"], Form::Text),
    ("/person/birth_date", &["date_of_birth", "birth_date", "birthday", "birthdate"], Form::Date),
    ("/person/gender", &["gender"], Form::Code),
    ("/person/marital_status", &["marital_status"], Form::Text),
];

const EMPLOYEE: &[Rule] = &[
    ("/number", &["employee_number", "employee_no", "staff_number", "personnel_number", "worker_number"], Form::Text),
    ("/work/title", &["job_title", "position_title"], Form::Text),
    ("/work/status", &["employment_status", "status"], Form::Code),
    ("/work/kind", &["employment_type"], Form::Code),
    ("/work/org_unit", &["department_id", "org_unit_id"], Form::Ref),
    ("/work/org_unit_name", &["department_name", "department"], Form::Text),
    ("/work/manager", &["manager_id", "primary_manager", "manager", "supervisor_id", "line_manager_id"], Form::Ref),
    ("/work/location", &["work_location", "location", "office"], Form::Text),
    ("/work/cost_center", &["cost_center_code", "cost_center", "cost_centre"], Form::Text),
    ("/work/hire_date", &["hire_date", "date_of_hire", "hired_on"], Form::Date),
    ("/work/start_date", &["start_date", "employment_start_date"], Form::Date),
    ("/work/end_date", &["termination_date", "end_date"], Form::Date),
    ("/work/work_email", &["work_email", "company_email", "worker_email"], Form::Text),
    ("/work/work_phone", &["work_phone", "company_mobile"], Form::Text),
];

const CANDIDATE: &[Rule] = &[
    ("/headline", &["headline"], Form::Text),
    ("/current_employer", &["current_company", "current_employer", "company"], Form::Text),
    ("/current_title", &["current_title", "job_title", "title"], Form::Text),
    ("/locations/0", &["location"], Form::Text),
    ("/tags", &["tags"], Form::Texts),
    ("/can_contact", &["can_contact", "can_email"], Form::Bool),
];

const JOB: &[Rule] = &[
    ("/title", &["title", "job_title", "name", "text"], Form::Localized),
    (
        "/code",
        &["requisition_code", "custom_requisition_id", "requisition_id", "req_code", "shortcode", "code"],
        Form::Text,
    ),
    ("/status", &["status", "state"], Form::Code),
    ("/org_units/0", &["department_id"], Form::Ref),
    ("/locations/0", &["location_name", "location"], Form::Text),
    ("/employment_type", &["employment_type"], Form::Code),
    ("/opened_at", &["opened_at", "published_at", "first_published_at"], Form::Instant),
    ("/closed_at", &["closed_at"], Form::Instant),
];

const APPLICATION: &[Rule] = &[
    ("/candidate", &["candidate_id", "applicant_id", "candidate", "applicant"], Form::Ref),
    ("/job", &["job_id", "position_id", "vacancy_id", "posting_id", "posting", "job", "jobs"], Form::Ref),
    ("/status", &["status", "state"], Form::Code),
    ("/applied_at", &["applied_at", "submitted_at", "created_at"], Form::Instant),
    ("/ended_at", &["rejected_at"], Form::Instant),
];

const INTERVIEW: &[Rule] = &[
    ("/application", &["application_id", "application"], Form::Ref),
    ("/job", &["job_id"], Form::Ref),
    ("/status", &["status", "state"], Form::Code),
    ("/start", &["start_time", "starts_at", "start"], Form::Zoned),
    ("/end", &["end_time", "ends_at", "end"], Form::Zoned),
    ("/meeting_url", &["meeting_url", "video_conferencing_url", "meeting_link"], Form::Text),
];

const OFFER: &[Rule] = &[
    ("/application", &["application_id", "application"], Form::Ref),
    ("/status", &["status", "acceptance_status", "state"], Form::Code),
    ("/start_date", &["start_date", "starts_on", "starts_at"], Form::Date),
];

const ORG_UNIT: &[Rule] = &[
    ("/name", &["name", "title", "label", "legal_name"], Form::Localized),
    ("/code", &["code", "external_id"], Form::Text),
    ("/parent", &["parent_id"], Form::Ref),
];

const EMPLOYMENT: &[Rule] = &[
    ("/employee", &["employee_id", "person_id", "worker_id", "employee", "person"], Form::Ref),
    ("/kind", &["employment_type"], Form::Code),
    ("/status", &["employment_status", "status"], Form::Code),
    ("/hire_date", &["hire_date"], Form::Date),
    ("/start_date", &["start_date"], Form::Date),
    ("/end_date", &["termination_date", "end_date"], Form::Date),
];

/// Names of addresses, and what kind each is.
const EMAILS: &[(&str, Option<&str>)] = &[
    ("email", None),
    ("email_address", None),
    ("primary_email_address", None),
    ("primary_email", None),
    ("work_email", Some("WORK")),
    ("company_email", Some("WORK")),
    ("worker_email", Some("WORK")),
    ("personal_email", Some("PRIVATE")),
    ("private_email", Some("PRIVATE")),
];

const PHONES: &[(&str, Option<&str>)] = &[
    ("phone", None),
    ("phone_number", None),
    ("mobile", None),
    ("mobile_phone", None),
    ("work_phone", Some("WORK")),
    ("company_mobile", Some("WORK")),
    ("personal_phone", Some("PRIVATE")),
    ("personal_mobile_number", Some("PRIVATE")),
];

/// Maps members by their names.
pub(in crate::airbyte) fn fields(entity: EntityKind, kind: Option<&str>, known: &BTreeMap<String, Property>) -> Mapped {
    let mut mapped = Mapped::default();
    let members = by_name(known);
    let own: &[Rule] = match entity {
        EntityKind::Employee => EMPLOYEE,
        EntityKind::Candidate => CANDIDATE,
        EntityKind::Job => JOB,
        EntityKind::Application => APPLICATION,
        EntityKind::Interview => INTERVIEW,
        EntityKind::Offer => OFFER,
        EntityKind::OrgUnit => ORG_UNIT,
        EntityKind::Employment => EMPLOYMENT,
        _ => &[],
    };
    if matches!(entity, EntityKind::Employee | EntityKind::Candidate) {
        PERSON.iter().for_each(|rule| mapped.rule(rule, &members));
        mapped.whole_name(&members);
        mapped.addresses("/person/emails", "/address", EMAILS, &members);
        mapped.addresses("/person/phones", "/number", PHONES, &members);
    }
    own.iter().for_each(|rule| mapped.rule(rule, &members));
    match (entity, kind) {
        (EntityKind::Interview, _) => drop(mapped.set.insert("/kind".to_owned(), "HUMAN".into())),
        (_, Some(kind)) => drop(mapped.set.insert("/kind".to_owned(), json!({ "code": kind }))),
        _ => {}
    }
    mapped
}

/// Members by their words. Where an item keeps what it says under `attributes`, those are there too.
fn by_name(known: &BTreeMap<String, Property>) -> BTreeMap<&str, &Property> {
    let attributes = known.get("attributes").map(|attributes| attributes.members.as_slice()).unwrap_or_default();
    let inner = attributes.iter().map(|(_, property)| (property.name.as_str(), property));
    inner.chain(known.values().map(|property| (property.name.as_str(), property))).collect()
}

impl Mapped {
    fn rule(&mut self, (to, names, form): &Rule, members: &BTreeMap<&str, &Property>) {
        let mut doubts = None;
        for property in names.iter().filter_map(|name| members.get(name)) {
            match source(property, *form) {
                Ok(value) => return drop(self.fields.insert((*to).to_owned(), value)),
                Err(Some(doubt)) => {
                    doubts.get_or_insert(doubt);
                }
                Err(None) => {}
            }
        }
        self.perhaps.extend(doubts.map(|doubt| ((*to).to_owned(), doubt)));
    }

    /// A whole name of its two halves, where there is none.
    fn whole_name(&mut self, members: &BTreeMap<&str, &Property>) {
        const WHOLE: &str = "/person/names/formatted";
        let halves =
            [&["first_name", "given_name", "firstname"][..], &["last_name", "family_name", "surname", "lastname"]];
        let halves = halves.map(|names| names.iter().find_map(|name| members.get(name)?.pointer().map(str::to_owned)));
        if self.fields.contains_key(WHOLE) {
            return;
        }
        if let [Some(first), Some(last)] = halves {
            let whole = json!([{ "text": format!("{{{first}}} {{{last}}}") }, first, last]);
            self.fields.insert(WHOLE.to_owned(), whole);
        }
    }

    fn addresses(
        &mut self,
        to: &str,
        inner: &str,
        names: &[(&str, Option<&str>)],
        members: &BTreeMap<&str, &Property>,
    ) {
        let lists = ["emails", "email_addresses", "phones", "phone_numbers"];
        let plural =
            lists.iter().filter(|name| name.starts_with(if to.ends_with("emails") { "email" } else { "phone" }));
        if let Some(list) = plural.filter_map(|name| members.get(name)).find_map(|property| listed(property, inner)) {
            self.fields.insert(to.to_owned(), list);
            return;
        }
        let found = names.iter().filter_map(|(name, kind)| {
            let property = members.get(name).filter(|property| property.is("string") && property.is_scalar())?;
            Some((property.pointer()?.to_owned(), *kind))
        });
        for (number, (from, kind)) in found.enumerate() {
            self.fields.insert(format!("{to}/{number}{inner}"), from.into());
            self.set.extend(kind.map(|kind| (format!("{to}/{number}/kind"), kind.into())));
        }
    }
}

/// A list of addresses, where its schema says what an entry is.
fn listed(property: &Property, inner: &str) -> Option<Value> {
    let (at, items) = (property.pointer()?, property.items.as_ref().filter(|_| property.is("array"))?);
    if items.is("string") && items.is_scalar() {
        return Some(json!({ "each": at, "fields": { inner: "" } }));
    }
    let value = ["value", "email", "address", "number", "phone"].iter().find_map(|name| items.member(name))?;
    let mut fields = Map::from_iter([(inner.to_owned(), value.pointer()?.into())]);
    fields.extend(items.member("type").and_then(Property::pointer).map(|at| ("/kind".to_owned(), at.into())));
    Some(json!({ "each": at, "fields": fields }))
}

/// Where a value comes from; an error where that is not sure, with what it would be and why it is not.
fn source(property: &Property, form: Form) -> Result<Value, Option<(Value, &'static str)>> {
    let from = |property: &Property, more: Value| -> Value {
        let mut table = match &property.from {
            Origin::Pointer(at) => Map::from_iter([("from".to_owned(), at.as_str().into())]),
            Origin::Text(text) => Map::from_iter([("text".to_owned(), text.as_str().into())]),
        };
        table.extend(more.as_object().cloned().unwrap_or_default());
        match table.get("from") {
            Some(at) if table.len() == 1 => at.clone(),
            _ => Value::Object(table),
        }
    };
    let is_text = property.is("string") && property.is_scalar();
    let format = property.format.as_deref().unwrap_or_default();
    match form {
        Form::Text if property.is_scalar() => Ok(from(property, json!({}))),
        Form::Localized if is_text => Ok(from(property, json!({ "as": "localized", "lang": "und" }))),
        Form::Code if property.is_scalar() => Ok(from(property, json!({ "as": "code", "map": {} }))),
        Form::Bool if property.types == ["boolean"] => Ok(from(property, json!({ "as": "bool" }))),
        Form::Ref => reference(property).map(|property| from(property.0, json!({ "as": "ref" }))).map_or_else(
            |()| Err(None),
            |mut value| {
                if let Some(first) = reference(property).ok().and_then(|found| found.1) {
                    value["from"] = first.into();
                }
                Ok(value)
            },
        ),
        Form::Texts => {
            let holds_texts = property.items.as_ref().is_some_and(|items| items.is("string") && items.is_scalar());
            if property.is("array") && holds_texts { Ok(from(property, json!({ "as": "json" }))) } else { Err(None) }
        }
        Form::Date if is_text && format == "date" => Ok(from(property, json!({ "as": "date" }))),
        Form::Date if is_text => {
            let doubt = "the schema does not say that it is a day: a point in time is refused as one";
            Err(Some((from(property, json!({ "as": "date" })), doubt)))
        }
        Form::Instant if is_text && format == "date-time" => Ok(from(property, json!({ "as": "instant" }))),
        Form::Zoned if is_text && format == "date-time" => Ok(from(property, json!({ "as": "zoned" }))),
        Form::Instant | Form::Zoned if property.is_scalar() => {
            let word = if form == Form::Zoned { "zoned" } else { "instant" };
            let doubt = "the schema does not say how the time is written: `unit` or `zone` may be needed";
            Err(Some((from(property, json!({ "as": word })), doubt)))
        }
        _ => Err(None),
    }
}

/// The id that a member refers by: itself, its `id`, or that of the first one of a list.
fn reference(property: &Property) -> Result<(&Property, Option<String>), ()> {
    if property.is_scalar() {
        return Ok((property, None));
    }
    if let Some(id) = property.member("id").filter(|id| id.is_scalar()) {
        return Ok((id, None));
    }
    let inner = property.items.as_ref().filter(|_| property.is("array")).and_then(|items| items.member("id"));
    let first =
        inner.filter(|id| id.is_scalar()).and_then(|id| Some(format!("{}/0{}", property.pointer()?, id.pointer()?)));
    first.map(|first| (property, Some(first))).ok_or(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::airbyte::left::Lefts;
    use crate::airbyte::likeness::properties;
    use crate::airbyte::translate::Scope;
    use crate::airbyte::yaml::read;

    fn mapped(entity: EntityKind, kind: Option<&str>, members: &str) -> Mapped {
        let schema = read(&format!("properties: {{ {members} }}")).unwrap();
        let known = properties(Some(&schema), &[], &Scope::default(), &mut Lefts::default());
        fields(entity, kind, &known)
    }

    #[test]
    fn people_are_mapped_by_the_names_of_their_members() {
        let members = "firstName: { type: string }, 'Last Name': { type: [string, 'null'] }, workEmail: { type: string }, phones: { type: array, items: { properties: { value: { type: string }, type: { type: string } } } }, hireDate: { type: string, format: date }, termination_date: { type: string }, manager: { type: object, properties: { id: { type: integer } } }, status: { type: string }, department: { type: object }";
        let mapped = mapped(EntityKind::Employee, None, members);
        assert_eq!(
            json!(mapped.fields),
            json!({
                "/person/names/formatted": [{ "text": "{/firstName} {/Last Name}" }, "/firstName", "/Last Name"],
                "/person/names/given": "/firstName", "/person/names/family": "/Last Name",
                "/person/emails/0/address": "/workEmail",
                "/person/phones": { "each": "/phones", "fields": { "/number": "/value", "/kind": "/type" } },
                "/work/hire_date": { "from": "/hireDate", "as": "date" },
                "/work/manager": { "from": "/manager/id", "as": "ref" },
                "/work/status": { "from": "/status", "as": "code", "map": {} },
                "/work/work_email": "/workEmail",
            })
        );
        assert_eq!(json!(mapped.set), json!({ "/person/emails/0/kind": "WORK" }));
        assert_eq!(mapped.perhaps.keys().collect::<Vec<_>>(), ["/work/end_date"]);
    }

    #[test]
    fn attributes_lists_of_references_and_kinds_are_found() {
        let members = "id: { type: string }, attributes: { type: object, properties: { title: { type: string }, status: { type: string }, opened-at: { type: string, format: date-time } } }";
        let job = mapped(EntityKind::Job, Some("POSTING"), members);
        assert_eq!(job.fields["/title"], json!({ "from": "/attributes/title", "as": "localized", "lang": "und" }));
        assert_eq!(job.fields["/opened_at"], json!({ "from": "/attributes/opened-at", "as": "instant" }));
        assert_eq!(json!(job.set), json!({ "/kind": { "code": "POSTING" } }));
        let application = mapped(
            EntityKind::Application,
            None,
            "candidate_id: { type: integer }, jobs: { type: array, items: { properties: { id: { type: integer } } } }",
        );
        assert_eq!(application.fields["/job"], json!({ "from": "/jobs/0/id", "as": "ref" }));
    }

    #[test]
    fn what_is_not_sure_is_not_mapped() {
        let mapped = mapped(
            EntityKind::Employee,
            None,
            "name: { type: object }, emails: { type: array }, location: { type: object }, title: { type: string }",
        );
        assert_eq!(mapped.fields, BTreeMap::new());
    }
}
