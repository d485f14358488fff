//! Jobs, requisitions, positions and postings.

use super::{Employee, OrgUnit, PayBand, PositionProfile};
use crate::check::Walk;
use crate::code::{EmploymentType, HiringRole, JobKind, JobStatus, SourceChannel, WorkMode};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Instant, LocalDate, Localized, PayRange, Ref};

entity! {
    /// A job, requisition, position or posting; `kind` says which.
    pub struct Job {
        /// Which of the four.
        pub kind: Coded<JobKind>,
        /// Name.
        pub title: Localized,
        /// The source's own code.
        pub code: Option<String>,
        /// Status.
        pub status: Option<Coded<JobStatus>>,
        /// How many people are wanted.
        pub openings: Option<u32>,
        /// No limit to the openings.
        pub openings_unlimited: Option<bool>,
        /// What it is about.
        pub description: Option<Localized>,
        /// The job that a requisition or posting is for.
        pub parent: Option<Ref<Job>>,
        /// Units that hire.
        pub org_units: Vec<Ref<OrgUnit>>,
        /// Locations of the job.
        pub locations: Vec<String>,
        /// On site or not.
        pub work_mode: Option<Coded<WorkMode>>,
        /// Type of employment offered.
        pub employment_type: Option<Coded<EmploymentType>>,
        /// The family of jobs.
        pub job_family: Option<String>,
        /// The lowest level.
        pub min_level: Option<String>,
        /// The highest level.
        pub max_level: Option<String>,
        /// The band that pay must be in.
        pub pay_band: Option<Ref<PayBand>>,
        /// What a posting tells of the pay.
        pub advertised_pay: Option<PayRange> => PUBLIC,
        /// People involved in hiring.
        pub hiring_team: Vec<HiringMember>,
        /// What is asked for.
        pub profile: Option<Ref<PositionProfile>>,
        /// Which version of it.
        pub profile_version: Option<u32>,
        /// Where it is posted.
        pub channel_posts: Vec<ChannelPost>,
        /// When it was opened.
        pub opened_at: Option<Instant>,
        /// When it was closed.
        pub closed_at: Option<Instant>,
        /// Planned start date.
        pub target_start: Option<LocalDate>,
    }
    rules job_rules
}

fn job_rules(job: &Job, walk: &mut Walk<'_>) {
    if job.openings_unlimited == Some(true) && job.openings.is_some() {
        walk.defect_in(
            "openings",
            "contradiction",
            text!(
                "a number while openings_unlimited is true; expected one of the two",
                "openings_unlimited 为 true 却写了数量；应只写其一"
            ),
        );
    }
}

shape! {
    /// A member of the hiring team.
    pub struct HiringMember {
        /// The employee.
        pub person: Ref<Employee>,
        /// Role in hiring.
        pub role: Coded<HiringRole>,
    }
}

shape! {
    /// A job at one channel.
    pub struct ChannelPost {
        /// The channel.
        pub channel: Coded<SourceChannel>,
        /// The channel's name.
        pub detail: Option<String>,
        /// Where it can be read.
        pub url: Option<String>,
        /// Since when.
        pub posted_at: Option<Instant>,
    }
}
