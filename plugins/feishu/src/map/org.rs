//! Departments.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::OrgUnitKind;
use renmen_plugin::schema::entity::OrgUnit;
use renmen_plugin::schema::types::{Coded, Ref, Validity};

use super::day;
use crate::api::corehr::Department;
use crate::api::loose::filled;
use crate::api::text;

/// A department. The root is the company.
///
/// # Errors
/// [`Unfit`] for one without a name or with a day that is not valid.
pub(crate) fn org_unit(from: &Department) -> Result<OrgUnit, Unfit> {
    let name = text::of_list(&from.department_name)
        .ok_or_else(|| Unfit::field("department_name", "no text in any language"))?;
    let validity = day("effective_date", from.effective_date.as_ref())?;
    let order = filled(from.tree_order.as_ref()).and_then(|order| order.parse().ok());
    Ok(OrgUnit {
        code: filled(from.code.as_ref()).map(str::to_owned),
        parent: filled(from.parent_department_id.as_ref()).map(Ref::external),
        manager: filled(from.manager.as_ref()).map(Ref::external),
        position: order,
        validity: validity.map(Validity::new),
        confidential: from.is_confidential,
        ..OrgUnit::new(name, kind_of(from))
    })
}

fn kind_of(from: &Department) -> Coded<OrgUnitKind> {
    if from.is_root == Some(true) {
        return OrgUnitKind::Company.into();
    }
    let word = from.sub_type.as_ref().and_then(|kind| filled(kind.enum_name.as_ref()));
    word.map_or_else(
        || OrgUnitKind::Department.into(),
        |word| {
            Coded::from_raw(word, |word| match word {
                "division" => Some(OrgUnitKind::Division),
                "department" => Some(OrgUnitKind::Department),
                "group" => Some(OrgUnitKind::Team),
                _ => None,
            })
        },
    )
}
