//! Candidates.

use super::{Competency, Person, PersonDetails};
use crate::shape::{entity, shape};
use crate::types::{DateSpan, ExternalId, LocalDate, Localized, MediaRef, PayRange, PayRate, Ref};

entity! {
    /// A candidate, as one source knows them.
    pub struct Candidate {
        /// The person.
        pub person: PersonDetails,
        /// The person that this record was found to be.
        pub same_person: Option<Ref<Person>>,
        /// The line under the name.
        pub headline: Option<String> => PERSONAL,
        /// Where they work now.
        pub current_employer: Option<String> => PERSONAL,
        /// What they are there.
        pub current_title: Option<String> => PERSONAL,
        /// Where they live or wish to work.
        pub locations: Vec<String> => PERSONAL,
        /// Schools.
        pub educations: Vec<Education> => PERSONAL,
        /// Work and projects.
        pub experiences: Vec<Experience> => PERSONAL,
        /// What they can do.
        pub skills: Vec<Ref<Competency>>,
        /// The same in the source's own words.
        pub skill_names: Vec<String>,
        /// What they wish to earn.
        pub expected_pay: Option<PayRange> => SENSITIVE,
        /// Previous pay.
        pub prior_pay: Option<PayRate> => SENSITIVE,
        /// When they can begin.
        pub availability: Option<Availability>,
        /// Résumé and other files.
        pub documents: Vec<MediaRef> => PERSONAL,
        /// The source's own labels.
        pub tags: Vec<String>,
        /// May they be written to?
        pub can_contact: Option<bool>,
        /// An agency is owed a fee until this day.
        pub in_agency_protection_until: Option<LocalDate>,
        /// Ids of this candidate that mean nothing to us yet.
        pub source_ids: Vec<ExternalId>,
    }
}

shape! {
    /// A school.
    pub struct Education {
        /// Name.
        pub school: String => PERSONAL,
        /// Degree awarded.
        pub degree: Option<String> => PERSONAL,
        /// Field of study.
        pub field: Option<String> => PERSONAL,
        /// From when to when.
        pub period: Option<DateSpan> => PERSONAL,
        /// Addressable by a vendor that asks about it.
        pub fact_id: Option<String>,
    }
}

shape! {
    /// Work or a project.
    pub struct Experience {
        /// The employer.
        pub employer: Option<String> => PERSONAL,
        /// As what.
        pub title: Option<String> => PERSONAL,
        /// The project, where it is one.
        pub project: Option<String> => PERSONAL,
        /// First day.
        pub start: Option<LocalDate> => PERSONAL,
        /// To this day; none while it lasts.
        pub end: Option<LocalDate> => PERSONAL,
        /// What the person did.
        pub description: Option<Localized> => PERSONAL,
        /// Addressable by a vendor that asks about it.
        pub fact_id: Option<String>,
    }
}

shape! {
    /// When a candidate can start.
    pub struct Availability {
        /// First possible day.
        pub from: Option<LocalDate>,
        /// Days of notice.
        pub notice_days: Option<u32>,
        /// Shifts that they take.
        pub shifts: Vec<String>,
    }
}
