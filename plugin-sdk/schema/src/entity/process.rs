//! Steps of a process, and tags.

use super::{Application, Interview, InterviewAnswer, MigrationRun, Offer};
use crate::check::Walk;
use crate::code::{NodeCode, TagCategory};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Instant, Ref};

entity! {
    /// One step that was taken. Only ever added.
    pub struct ProcessNode {
        /// The subject of the process.
        pub subject: Subject,
        /// The step.
        pub node: Coded<NodeCode>,
        /// By the source's clock.
        pub at: Instant,
        /// When we learnt of it.
        pub received_at: Option<Instant>,
        /// The source's own order.
        pub seq: Option<u64>,
        /// Who did it: CANDIDATE, SYSTEM, or a person.
        pub actor: Option<String> => PERSONAL,
        /// Figures of the step.
        pub attrs: Option<NodeAttributes>,
        /// The status before.
        pub previous_status: Option<String>,
        /// The status after.
        pub status: Option<String>,
    }
}

shape! {
    /// What a step or tag belongs to: exactly one of these.
    pub struct Subject {
        /// An application.
        pub application: Option<Ref<Application>>,
        /// An interview.
        pub interview: Option<Ref<Interview>>,
        /// An answer.
        pub answer: Option<Ref<InterviewAnswer>>,
        /// An offer.
        pub offer: Option<Ref<Offer>>,
        /// A migration.
        pub migration: Option<Ref<MigrationRun>>,
    }
    rules subject_rules
}

fn subject_rules(subject: &Subject, walk: &mut Walk<'_>) {
    let named = [
        subject.application.is_some(),
        subject.interview.is_some(),
        subject.answer.is_some(),
        subject.offer.is_some(),
        subject.migration.is_some(),
    ];
    let count = named.into_iter().filter(|there| *there).count();
    if count != 1 {
        walk.defect("bad_subject", text!("{count} subjects; expected exactly one", "有 {count} 个主体；应恰有一个"));
    }
}

shape! {
    /// Figures of a step.
    pub struct NodeAttributes {
        /// How many clicks it took.
        pub clicks: Option<u32>,
        /// How long it waited, in milliseconds.
        pub wait_ms: Option<u64>,
        /// The channel used.
        pub channel: Option<String>,
        /// The question that was shown or answered.
        pub question: Option<String>,
        /// How much is done: 2 of 5.
        pub done: Option<u32>,
        /// Total number.
        pub of: Option<u32>,
    }
}

entity! {
    /// A label on something.
    pub struct Tag {
        /// What it is about.
        pub category: Coded<TagCategory>,
        /// The label.
        pub value: String => PERSONAL,
        /// The record labelled.
        pub on: Subject,
        /// Who set it.
        pub set_by: Option<String> => PERSONAL,
        /// When it was set.
        pub at: Option<Instant>,
    }
}
