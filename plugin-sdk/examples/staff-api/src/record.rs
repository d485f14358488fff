//! The vendor's record, and the employee that it becomes.

use std::borrow::Cow;

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{EmploymentStatus, EmploymentType};
use renmen_plugin::schema::entity::{Email, Employee, Names, PersonDetails, Phone, WorkSummary};
use renmen_plugin::schema::types::{Coded, Decimal, Ext, ExtField, Instant, LocalDate, Ref};
use serde::Deserialize;

/// One row of `data`. Texts that never need escaping are read where they stand.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Staff<'a> {
    pub id: &'a str,
    pub employee_number: String,
    pub first_name: String,
    pub last_name: String,
    pub display_name: String,
    pub work_email: String,
    pub mobile: String,
    #[serde(borrow)]
    pub department: Department<'a>,
    pub job_title: String,
    pub manager_id: Option<String>,
    pub location: String,
    #[serde(borrow)]
    pub employment_type: Cow<'a, str>,
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    pub hire_date: &'a str,
    #[serde(borrow)]
    pub salary: Salary<'a>,
    pub created_at: &'a str,
    pub updated_at: &'a str,
}

/// The unit, embedded.
#[derive(Deserialize)]
pub struct Department<'a> {
    pub id: &'a str,
    pub name: String,
}

/// Yearly pay.
#[derive(Deserialize)]
pub struct Salary<'a> {
    pub amount: serde_json::Number,
    pub currency: &'a str,
}

impl Staff<'_> {
    /// The canonical record.
    ///
    /// # Errors
    /// A date, time or amount that is not valid: the error names the field but does not quote its value.
    pub fn employee(self) -> Result<Employee, Unfit> {
        let salary = Decimal::from_number(&self.salary.amount).map_err(|e| Unfit::field("salary/amount", e))?;
        let created = Instant::parse(self.created_at).map_err(|e| Unfit::field("createdAt", e))?;
        let person = PersonDetails {
            names: Some(Names {
                given: Some(self.first_name),
                family: Some(self.last_name),
                ..Names::formatted(self.display_name)
            }),
            emails: vec![Email::work(self.work_email.clone())],
            phones: vec![Phone { kind: Some("MOBILE".into()), ..Phone::new(self.mobile) }],
            ..PersonDetails::new()
        };
        let work = WorkSummary {
            status: Some(Coded::from_raw(&self.status, status)),
            kind: Some(Coded::from_raw(&self.employment_type, kind)),
            title: Some(self.job_title),
            org_unit: Some(Ref::external(self.department.id)),
            org_unit_name: Some(self.department.name),
            manager: self.manager_id.map(Ref::external),
            location: Some(self.location),
            hire_date: Some(LocalDate::parse(self.hire_date).map_err(|e| Unfit::field("hireDate", e))?),
            work_email: Some(self.work_email),
            ..WorkSummary::new()
        };
        let ext = Ext::default()
            .with("staff_api", "salary_amount", ExtField::decimal(salary))
            .with("staff_api", "salary_currency", ExtField::code(self.salary.currency))
            .with("staff_api", "created_at", ExtField::instant(created));
        Ok(Employee { number: Some(self.employee_number), work: Some(work), ext: Some(ext), ..Employee::new(person) })
    }
}

fn status(raw: &str) -> Option<EmploymentStatus> {
    match raw {
        "active" => Some(EmploymentStatus::Active),
        "terminated" => Some(EmploymentStatus::Terminated),
        _ => None,
    }
}

fn kind(raw: &str) -> Option<EmploymentType> {
    match raw {
        "full_time" => Some(EmploymentType::FullTime),
        "contract" => Some(EmploymentType::Contractor),
        _ => None,
    }
}
