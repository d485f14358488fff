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
        /// The application.
        pub application: Ref<Application>,
        /// The order that it fulfils.
        pub order: Option<Ref<InterviewOrder>>,
        /// For which job, where the source says it here.
        pub job: Option<Ref<Job>>,
        /// Round, from 0.
        pub round: Option<u32>,
        /// Who asks the questions.
        pub kind: InterviewKind,
        /// Status.
        pub status: Coded<InterviewStatus>,
        /// When it is planned to begin.
        pub start: Option<ZonedInstant>,
        /// When it is planned to end.
        pub end: Option<ZonedInstant>,
        /// When it started.
        pub started_at: Option<ZonedInstant>,
        /// When it ended.
        pub ended_at: Option<ZonedInstant>,
        /// Who takes part for the company.
        pub interviewers: Vec<Ref<Employee>>,
        /// In which language, BCP 47.
        pub language: Option<String>,
        /// The link to the meeting. Anyone who has it can join.
        pub meeting_url: Option<String> => SENSITIVE,
        /// What the candidate used.
        pub device: Option<Device>,
        /// Face and voice, kept elsewhere.
        pub recording: Vec<MediaRef> => SPECIAL,
        /// Transcript.
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
        /// When it was said.
        pub at: Instant,
        /// The speaker.
        pub speaker: Speaker,
        /// What was said.
        pub text: String => SENSITIVE,
    }
}

entity! {
    /// An answer to one question.
    pub struct InterviewAnswer {
        /// The interview.
        pub interview: Ref<Interview>,
        /// The question answered.
        pub question: Question,
        /// The answer as text.
        pub answer_text: Option<String> => SENSITIVE,
        /// Choices selected.
        pub choice: Vec<String> => PERSONAL,
        /// Face and voice, kept elsewhere.
        pub media: Vec<MediaRef> => SPECIAL,
        /// When the question was shown.
        pub shown_at: Option<Instant>,
        /// When the candidate began. Think time is the difference.
        pub first_response_at: Option<Instant>,
        /// When the answer was sent.
        pub submitted_at: Option<Instant>,
        /// Observations made during the answer.
        pub observations: Vec<Observation> => SPECIAL,
        /// What the candidate was told meanwhile, so that a prompted answer can be told from an unprompted one.
        pub prompts: Vec<Prompt>,
        /// The score.
        pub score: Option<Score> => PERSONAL,
    }
}

shape! {
    /// A question.
    pub struct Question {
        /// Its id in the library: the external id of a `question`, of the answer's own connection or of `renmen`.
        pub id: Option<String>,
        /// The question's text.
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
        /// Kind of observation.
        pub kind: Coded<ObservationKind>,
        /// As a figure on a scale.
        pub score: Option<Score> => SPECIAL,
        /// As a word.
        pub code: Option<String> => SPECIAL,
        /// When it was observed.
        pub at: Option<Instant>,
        /// How sure, 0 to 1.
        pub confidence: Option<Decimal>,
    }
}

shape! {
    /// Something that the candidate was told.
    pub struct Prompt {
        /// When it was given.
        pub at: Instant,
        /// The prompt's text.
        pub text: Localized,
    }
}

entity! {
    /// Something that happened around an interview.
    pub struct EnvironmentEvent {
        /// The interview.
        pub interview: Ref<Interview>,
        /// When it happened.
        pub at: Instant,
        /// What happened.
        pub kind: Coded<EnvironmentKind>,
        /// Measured value.
        pub value: Option<Measured>,
        /// Severity.
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
        /// Unit of the value.
        pub unit: EnvironmentUnit,
    }
}
