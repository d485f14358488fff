//! Departments and members.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::OrgUnitKind;
use renmen_plugin::schema::entity::{Email, Employee, OrgUnit, PersonDetails, Phone, WorkSummary};
use renmen_plugin::schema::types::{Localized, Ref};

use super::{china_day, filled};
use crate::api::{Department, User};

/// The vendor's id of the whole company.
const COMPANY: i64 = 1;

/// A department. The root is the company; a parent of 0 means that it has no parent.
///
/// # Errors
/// [`Unfit`] for a department without a name.
pub fn org_unit(from: &Department) -> Result<OrgUnit, Unfit> {
    let name = filled(Some(&from.name)).ok_or_else(|| Unfit::field("name", "an empty text"))?;
    let kind = if from.dept_id == COMPANY { OrgUnitKind::Company } else { OrgUnitKind::Department };
    Ok(OrgUnit {
        parent: from.parent_id.filter(|&id| id > 0).map(|id| Ref::external(id.to_string())),
        ..OrgUnit::new(Localized::zh_cn(name), kind.into())
    })
}

/// A member. Whether a person is hired is not said here: `active` is 是否激活了钉钉, whether they ever opened DingTalk, and a
/// person employed for years may not have. The roster says it. What the app may not read is absent and stays unknown:
/// it is not a cleared value.
///
/// # Errors
/// [`Unfit`] for a day that is not valid.
pub fn employee(from: &User) -> Result<Employee, Unfit> {
    let mut mails: Vec<Email> = Vec::new();
    for address in [&from.org_email, &from.email].into_iter().filter_map(|mail| filled(mail.as_ref())) {
        if !mails.iter().any(|mail| mail.address == address) {
            mails.push(Email::work(address));
        }
    }
    let mobile = filled(from.mobile.as_ref());
    let person = PersonDetails {
        phones: mobile.iter().map(|number| phone(from, number)).collect(),
        emails: mails,
        ..PersonDetails::named(from.name.clone())
    };
    // A parent or teacher is also in the home-school contacts (家校通讯录), which are not part of the company.
    let mut units = from.dept_id_list.iter().filter(|&&id| id > 0).map(|id| Ref::external(id.to_string()));
    let work = WorkSummary {
        title: filled(from.title.as_ref()),
        org_unit: units.next(),
        other_org_units: units.collect(),
        location: filled(from.work_place.as_ref()),
        hire_date: china_day("hired_date", from.hired_date)?,
        ..WorkSummary::new()
    };
    Ok(Employee { number: filled(from.job_number.as_ref()), work: Some(work), ..Employee::new(person) })
}

fn phone(from: &User, number: &str) -> Phone {
    let mobile = match &from.state_code {
        Some(code) => Phone::with_calling_code(code, number),
        None => Phone::new(number.to_owned()),
    };
    Phone { kind: Some("MOBILE".into()), ..mobile }
}
