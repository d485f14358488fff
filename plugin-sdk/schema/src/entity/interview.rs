//! Interviews and what happened in them.

use super::{Application, Competency, Employee, InterviewOrder, Job};
use crate::code::{
    AnswerKind, EnvironmentKind, EnvironmentUnit, InterviewKind, InterviewStatus, ObservationKind, Severity, Speaker,
};
use crate::shape::{entity, shape};
use crate::types::{Coded, Decimal, Instant, Localized, MediaRef, Ref, Score, ZonedInstant};

entity! {
    /// An interview.
    pub struct Interview {
        /// Of whom.
        pub application: Ref<Application>,
        /// What for.
        pub order: Option<Ref<InterviewOrder>>,
        /// For which job, where the source says it here.
        pub job: Option<Ref<Job>>,
        /// From 0.
        pub round: Option<u32>,
        /// Who asks.
        pub kind: InterviewKind,
        /// Where it stands.
        pub status: Coded<InterviewStatus>,
        /// When it is planned to begin.
        pub start: Option<ZonedInstant>,
        /// When it is planned to end.
        pub end: Option<ZonedInstant>,
        /// When it began.
        pub started_at: Option<ZonedInstant>,
        /// When it ended.
        pub ended_at: Option<ZonedInstant>,
        /// Who takes part for the company.
        pub interviewers: Vec<Ref<Employee>>,
        /// In which language, BCP 47.
        pub language: Option<String>,
        /// Where it is held. Whoever has it can come in.
        pub meeting_url: Option<String> => SENSITIVE,
        /// What the candidate used.
        pub device: Option<Device>,
        /// Face and voice, kept elsewhere.
        pub recording: Vec<MediaRef> => SPECIAL,
        /// What was said.
        pub transcript: Vec<Utterance> => SENSITIVE,
    }
}

shape! {
    /// What a candidate used, and whether it worked.
    pub struct Device {
        /// Does the camera work?
        pub camera: Option<bool>,
        /// Does the microphone work?
        pub mic: Option<bool>,
        /// Operating system.
        pub os: Option<String>,
        /// Browser or app.
        pub client: Option<String>,
    }
}

shape! {
    /// Something that was said.
    pub struct Utterance {
        /// When.
        pub at: Instant,
        /// By whom.
        pub speaker: Speaker,
        /// What.
        pub text: String => SENSITIVE,
    }
}

entity! {
    /// An answer to one question.
    pub struct InterviewAnswer {
        /// In which interview.
        pub interview: Ref<Interview>,
        /// To what.
        pub question: Question,
        /// In words.
        pub answer_text: Option<String> => SENSITIVE,
        /// Which choices.
        pub choice: Vec<String> => PERSONAL,
        /// Face and voice, kept elsewhere.
        pub media: Vec<MediaRef> => SPECIAL,
        /// When the question was shown.
        pub shown_at: Option<Instant>,
        /// When the candidate began. Think time is the difference.
        pub first_response_at: Option<Instant>,
        /// When the answer was sent.
        pub submitted_at: Option<Instant>,
        /// What was observed.
        pub observations: Vec<Observation> => SPECIAL,
        /// What the candidate was told meanwhile, so that a prompted answer can be told from an unprompted one.
        pub prompts: Vec<Prompt>,
        /// How well.
        pub score: Option<Score> => PERSONAL,
    }
}

shape! {
    /// A question.
    pub struct Question {
        /// Its id in the library: the external id of a `question`, of the answer's own connection or of `renmen`.
        pub id: Option<String>,
        /// What is asked.
        pub text: Localized,
        /// What kind of answer.
        pub kind: Coded<AnswerKind>,
        /// What it is meant to show.
        pub competencies: Vec<Ref<Competency>>,
        /// Seconds to prepare.
        pub prep_s: Option<u32>,
        /// Seconds to answer.
        pub max_s: Option<u32>,
        /// Which version of the profile it was chosen for.
        pub profile_version: Option<u32>,
    }
}

shape! {
    /// Something observed in an answer: a score, a code, or both.
    pub struct Observation {
        /// What was observed.
        pub kind: Coded<ObservationKind>,
        /// As a figure on a scale.
        pub score: Option<Score> => SPECIAL,
        /// As a word.
        pub code: Option<String> => SPECIAL,
        /// When.
        pub at: Option<Instant>,
        /// How sure, 0 to 1.
        pub confidence: Option<Decimal>,
    }
}

shape! {
    /// Something that the candidate was told.
    pub struct Prompt {
        /// When.
        pub at: Instant,
        /// What.
        pub text: Localized,
    }
}

entity! {
    /// Something that happened around an interview.
    pub struct EnvironmentEvent {
        /// In which.
        pub interview: Ref<Interview>,
        /// When.
        pub at: Instant,
        /// What.
        pub kind: Coded<EnvironmentKind>,
        /// How much.
        pub value: Option<Measured>,
        /// How bad.
        pub severity: Option<Severity>,
        /// What the candidate was told to do about it.
        pub remedy: Option<Localized>,
        /// Since when it is over.
        pub closed_at: Option<Instant>,
    }
}

shape! {
    /// A measured value.
    pub struct Measured {
        /// The figure.
        pub n: Decimal,
        /// Its unit.
        pub unit: EnvironmentUnit,
    }
}
