//! Records of control: notifications, consents, erasures, migrations.

use super::{Application, Candidate, Employee, Interview, InterviewOrder, Person, ProcessNode};
use crate::check::Walk;
use crate::code::{
    ConsentStatus, ErasureStatus, LegalBasis, MigrationStage, NodeCode, NotificationChannel, NotificationStatus,
};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Instant, Localized, Ref};

entity! {
    /// A message to a person, due at a time that a process step sets.
    pub struct Notification {
        /// Name of the text template.
        pub template: String,
        /// The recipient: a candidate,
        pub candidate: Option<Ref<Candidate>>,
        /// or to an employee.
        pub employee: Option<Ref<Employee>>,
        /// About which application.
        pub application: Option<Ref<Application>>,
        /// About which order.
        pub order: Option<Ref<InterviewOrder>>,
        /// About which interview.
        pub interview: Option<Ref<Interview>>,
        /// The channel it is sent through.
        pub channel: Coded<NotificationChannel>,
        /// In which language, BCP 47.
        pub locale: Option<String>,
        /// When it is due.
        pub due: Option<NotificationDue>,
        /// When it is too late.
        pub deadline: Option<Instant>,
        /// Status.
        pub status: Coded<NotificationStatus>,
        /// Delivery attempts so far.
        pub attempts: Vec<NotificationAttempt>,
    }
}

shape! {
    /// A time that a step sets.
    pub struct NotificationDue {
        /// The step that was taken,
        pub node: Option<Ref<ProcessNode>>,
        /// or the kind of step that is waited for.
        pub relative_to: Option<Coded<NodeCode>>,
        /// Seconds after it; below zero before it.
        pub offset_s: i64,
    }
}

shape! {
    /// One attempt to deliver.
    pub struct NotificationAttempt {
        /// When it was attempted.
        pub at: Instant,
        /// With which end.
        pub status: Coded<NotificationStatus>,
        /// The channel's id of it.
        pub reference: Option<String>,
        /// What went wrong, without the address.
        pub error: Option<String>,
    }
}

entity! {
    /// A person's consent.
    pub struct Consent {
        /// The person who consented.
        pub person: Ref<Person>,
        /// Purposes covered.
        pub purpose: Vec<String>,
        /// Legal basis.
        pub legal_basis: Coded<LegalBasis>,
        /// Given or not.
        pub status: ConsentStatus,
        /// Since when.
        pub given_at: Option<Instant>,
        /// Until when.
        pub expires_at: Option<Instant>,
        /// Taken back when.
        pub withdrawn_at: Option<Instant>,
        /// The text that was agreed to, and its version.
        pub text_version: Option<String>,
        /// What else was told.
        pub note: Option<Localized> => PERSONAL,
    }
}

entity! {
    /// A request to erase, carried to every connection.
    pub struct ErasureRequest {
        /// The person whose data is to be erased.
        pub person: Ref<Person>,
        /// When it was asked.
        pub requested_at: Instant,
        /// Until when it must be done.
        pub deadline: Option<Instant>,
        /// Status.
        pub status: ErasureStatus,
        /// Why it was refused.
        pub refusal: Option<String> => PERSONAL,
        /// Connection by connection.
        pub steps: Vec<ErasureStep>,
    }
}

shape! {
    /// An erasure at one connection.
    pub struct ErasureStep {
        /// The connection.
        pub connection: String,
        /// Status.
        pub status: ErasureStatus,
        /// When it was done.
        pub done_at: Option<Instant>,
        /// Keyed hash of what was erased.
        pub proof: Option<String>,
    }
}

entity! {
    /// A migration from one system to another.
    pub struct MigrationRun {
        /// The connection migrated from.
        pub from_connection: String,
        /// The connection migrated to.
        pub to_connection: String,
        /// Current stage.
        pub stage: MigrationStage,
        /// Where it goes on.
        pub checkpoint: Option<String>,
        /// Figures.
        pub counts: Option<MigrationCounts>,
        /// Both sides compared.
        pub verify: Option<MigrationVerify>,
        /// Who signed, at most three rounds.
        pub sign_offs: Vec<SignOff>,
        /// The log is kept until then.
        pub log_retain_until: Option<Instant>,
    }
    rules migration_rules
}

fn migration_rules(run: &MigrationRun, walk: &mut Walk<'_>) {
    if run.sign_offs.len() > 3 {
        walk.defect_in(
            "sign_offs",
            "too_many",
            text!("{} rounds; expected at most three", "{} 轮；最多三轮", run.sign_offs.len()),
        );
    }
}

shape! {
    /// Figures of a migration, in records.
    pub struct MigrationCounts {
        /// Read.
        pub read: u64,
        /// Good.
        pub ok: u64,
        /// Put aside.
        pub quarantined: u64,
        /// Written.
        pub written: u64,
        /// Compared and found equal.
        pub verified: u64,
    }
}

shape! {
    /// Both sides of a migration compared.
    pub struct MigrationVerify {
        /// Hash over the source's records.
        pub left_hash: String,
        /// Hash over the target's.
        pub right_hash: String,
        /// External ids of records that differ.
        pub mismatches: Vec<String>,
    }
}

shape! {
    /// A signature under a migration.
    pub struct SignOff {
        /// The person who signed off.
        pub by: String => PERSONAL,
        /// When they signed off.
        pub at: Instant,
        /// In which round, from 1.
        pub round: u32,
    }
}
