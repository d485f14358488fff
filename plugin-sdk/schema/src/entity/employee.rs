//! Employees, in three layers: who it is, on what terms, doing what.

use super::{Application, Job, OrgUnit, Person, PersonDetails};
use crate::check::Walk;
use crate::code::{EmploymentStatus, EmploymentType, EndReason, ProbationOutcome};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Decimal, LocalDate, Localized, Ref, Validity, Weight};

entity! {
    /// An employee, as one source knows them.
    pub struct Employee {
        /// The person.
        pub person: PersonDetails,
        /// The person that this record was found to be.
        pub same_person: Option<Ref<Person>>,
        /// The number at work.
        pub number: Option<String>,
        /// The company.
        pub employer: Option<Ref<OrgUnit>>,
        /// How things stand now, flat, as most sources give it. Where a source has history, employments and assignments are
        /// the truth.
        pub work: Option<WorkSummary>,
    }
}

shape! {
    /// The current state of an employee's work.
    pub struct WorkSummary {
        /// Where the employment stands.
        pub status: Option<Coded<EmploymentStatus>>,
        /// Type of employment.
        pub kind: Option<Coded<EmploymentType>>,
        /// As what.
        pub title: Option<String>,
        /// The position.
        pub job: Option<Ref<Job>>,
        /// The level.
        pub level: Option<String>,
        /// The grade.
        pub grade: Option<String>,
        /// Organizational unit.
        pub org_unit: Option<Ref<OrgUnit>>,
        /// The unit's name, where the source gives it here.
        pub org_unit_name: Option<String>,
        /// In which other units.
        pub other_org_units: Vec<Ref<OrgUnit>>,
        /// Direct manager.
        pub manager: Option<Ref<Employee>>,
        /// Work location.
        pub location: Option<String>,
        /// The cost centre.
        pub cost_center: Option<String>,
        /// The day of hiring.
        pub hire_date: Option<LocalDate>,
        /// The first day of work.
        pub start_date: Option<LocalDate>,
        /// The day on which probation ends or ended.
        pub probation_end: Option<LocalDate>,
        /// The last day of work.
        pub end_date: Option<LocalDate>,
        /// Reason for leaving.
        pub end_reason: Option<Coded<EndReason>> => PERSONAL,
        /// The address at work.
        pub work_email: Option<String> => PERSONAL,
        /// The number at work.
        pub work_phone: Option<String> => PERSONAL,
    }
}

entity! {
    /// An employment: the terms between a person and a company.
    pub struct Employment {
        /// The employee.
        pub employee: Ref<Employee>,
        /// Type of employment.
        pub kind: Option<Coded<EmploymentType>>,
        /// Status.
        pub status: Coded<EmploymentStatus>,
        /// The company.
        pub employer: Option<Ref<OrgUnit>>,
        /// The day of hiring.
        pub hire_date: Option<LocalDate>,
        /// The first day of work.
        pub start_date: Option<LocalDate>,
        /// The probation.
        pub probation: Option<Probation>,
        /// The last day.
        pub end_date: Option<LocalDate>,
        /// Reason why it ended.
        pub end_reason: Option<Coded<EndReason>> => PERSONAL,
        /// Note about the end, in free text.
        pub end_note: Option<Localized> => PERSONAL,
        /// Seniority counts from here.
        pub seniority_date: Option<LocalDate>,
        /// The end of the contract.
        pub contract_end: Option<LocalDate>,
        /// The application that it began with: what closes the loop from interview to work.
        pub source_application: Option<Ref<Application>>,
    }
    rules employment_rules
}

fn employment_rules(employment: &Employment, walk: &mut Walk<'_>) {
    let first = employment.start_date.or(employment.hire_date);
    if let (Some(first), Some(end)) = (first, employment.end_date)
        && end < first
    {
        walk.defect_in(
            "end_date",
            "bad_period",
            text!("a day before the first one; expected the same day or a later one", "早于开始日期；应为同一天或之后"),
        );
    }
}

shape! {
    /// A probation.
    pub struct Probation {
        /// The first day.
        pub start: Option<LocalDate>,
        /// The last day.
        pub end: Option<LocalDate>,
        /// Outcome of the probation.
        pub outcome: Option<Coded<ProbationOutcome>> => PERSONAL,
    }
}

entity! {
    /// The position and place of work within an employment.
    pub struct Assignment {
        /// The employment that it belongs to.
        pub employment: Option<Ref<Employment>>,
        /// The employee.
        pub employee: Ref<Employee>,
        /// The position's name.
        pub title: Option<String>,
        /// The position.
        pub position: Option<Ref<Job>>,
        /// The job.
        pub job: Option<Ref<Job>>,
        /// The family of jobs.
        pub job_family: Option<String>,
        /// The level.
        pub level: Option<String>,
        /// The grade.
        pub grade: Option<String>,
        /// Organizational unit.
        pub org_unit: Option<Ref<OrgUnit>>,
        /// The company.
        pub legal_entity: Option<Ref<OrgUnit>>,
        /// Work location.
        pub location: Option<String>,
        /// Direct manager.
        pub manager: Option<Ref<Employee>>,
        /// Dotted-line managers.
        pub dotted_managers: Vec<Ref<Employee>>,
        /// Share of a full position: 0.5 is half.
        pub fte: Option<Decimal>,
        /// Hours a week.
        pub weekly_hours: Option<Decimal>,
        /// Who bears the cost.
        pub cost_allocation: Vec<CostShare>,
        /// The shift.
        pub work_shift: Option<String>,
        /// From when to when.
        pub validity: Option<Validity>,
        /// The main one of several.
        pub primary: Option<bool>,
    }
}

shape! {
    /// A share of a cost.
    pub struct CostShare {
        /// The unit that bears it.
        pub org_unit: Ref<OrgUnit>,
        /// How much of it.
        pub weight: Weight,
    }
}
