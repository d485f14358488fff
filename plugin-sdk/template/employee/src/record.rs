//! The vendor's row, and the employee that it becomes. This is the file to change first.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::EmploymentStatus;
use renmen_plugin::schema::entity::{Email, Employee, Names, PersonDetails, Phone, WorkSummary};
use renmen_plugin::schema::types::{Coded, LocalDate, Ref};
use serde::Deserialize;

/// One row of `data`. What may be missing is an `Option`; fields that are not named here are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub id: String,
    pub display_name: String,
    pub employee_number: Option<String>,
    pub work_email: Option<String>,
    pub mobile: Option<String>,
    pub department: Option<Department>,
    pub job_title: Option<String>,
    pub manager_id: Option<String>,
    pub status: String,
    pub hire_date: Option<String>,
    pub updated_at: String,
}

/// The unit, embedded in the row.
#[derive(Deserialize)]
pub struct Department {
    pub id: String,
    pub name: String,
}

impl Row {
    /// The canonical record.
    ///
    /// # Errors
    /// A date that does not exist: the field is named, its value is not.
    pub fn employee(self) -> Result<Employee, Unfit> {
        let hire_date = self.hire_date.as_deref().map(LocalDate::parse).transpose();
        let person = PersonDetails {
            names: Some(Names::formatted(self.display_name)),
            emails: self.work_email.iter().cloned().map(Email::work).collect(),
            phones: self.mobile.map(Phone::new).into_iter().collect(),
            ..PersonDetails::new()
        };
        let (unit, unit_name) = self.department.map(|unit| (unit.id, unit.name)).unzip();
        let work = WorkSummary {
            status: Some(Coded::from_raw(&self.status, status)),
            title: self.job_title,
            org_unit: unit.map(Ref::external),
            org_unit_name: unit_name,
            manager: self.manager_id.map(Ref::external),
            hire_date: hire_date.map_err(|e| Unfit::field("hireDate", e))?,
            work_email: self.work_email,
            ..WorkSummary::new()
        };
        Ok(Employee { number: self.employee_number, work: Some(work), ..Employee::new(person) })
    }
}

/// A word that is not known here is kept as it is, under the code OTHER.
fn status(raw: &str) -> Option<EmploymentStatus> {
    match raw {
        "active" => Some(EmploymentStatus::Active),
        "terminated" => Some(EmploymentStatus::Terminated),
        _ => None,
    }
}
