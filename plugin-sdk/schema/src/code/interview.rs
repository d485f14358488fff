//! Words of interviews and assessments.

use crate::shape::codes;

codes! {
    /// How an interview is held.
    pub open enum InterviewMode {
        AsyncVideo "ASYNC_VIDEO", AsyncAudio "ASYNC_AUDIO", LiveVideo "LIVE_VIDEO", LiveAudio "LIVE_AUDIO", Text "TEXT", Test "TEST",
        InPerson "IN_PERSON",
    }
}
codes! {
    /// Who invites the candidate.
    pub closed enum InvitedBy { Vendor "VENDOR", Host "HOST", }
}
codes! {
    /// Where an order stands: the codes of HR Open's AssessmentStatus.
    pub open enum OrderStatus {
        Requested "REQUESTED", Acknowledged "ACKNOWLEDGED", Invited "INVITED", Scheduled "SCHEDULED", InProgress "IN_PROGRESS",
        AwaitingScore "AWAITING_SCORE", AwaitingReview "AWAITING_REVIEW", Completed "COMPLETED", Declined "DECLINED",
        Cancelled "CANCELLED", Expired "EXPIRED", Deferred "DEFERRED", Error "ERROR",
    }
}
codes! {
    /// Who asks the questions.
    pub closed enum InterviewKind { Ai "AI", Human "HUMAN", }
}
codes! {
    /// Where an interview stands.
    pub open enum InterviewStatus {
        Scheduled "SCHEDULED", Confirmed "CONFIRMED", InProgress "IN_PROGRESS", Interrupted "INTERRUPTED", Completed "COMPLETED",
        NoShow "NO_SHOW", Cancelled "CANCELLED", Expired "EXPIRED",
    }
}
codes! {
    /// Who speaks.
    pub closed enum Speaker { Candidate "CANDIDATE", Interviewer "INTERVIEWER", Ai "AI", }
}
codes! {
    /// What kind of answer a question asks for.
    pub open enum AnswerKind { Open "OPEN", Choice "CHOICE", Scenario "SCENARIO", Code "CODE", Confirm "CONFIRM", }
}
codes! {
    /// What was observed in an answer.
    pub open enum ObservationKind {
        Tone "TONE", SpeechRate "SPEECH_RATE", Pause "PAUSE", Expression "EXPRESSION", Gaze "GAZE", Gesture "GESTURE",
        Keyword "KEYWORD", StarPart "STAR_PART",
    }
}
codes! {
    /// Who scored.
    pub closed enum ScorerKind { Model "MODEL", Human "HUMAN", }
}
codes! {
    /// What the interviewer or the model recommends.
    pub open enum Recommendation {
        DefinitelyNo "DEFINITELY_NO", No "NO", NoDecision "NO_DECISION", Yes "YES", StrongYes "STRONG_YES",
    }
}
codes! {
    /// What a pass rule decided.
    pub closed enum PassDecision { Pass "PASS", Fail "FAIL", Review "REVIEW", }
}
codes! {
    /// Whether a decision stands.
    pub closed enum DecisionStatus { AwaitingPerson "AWAITING_PERSON", Decided "DECIDED", Superseded "SUPERSEDED", }
}
codes! {
    /// Who decided.
    pub closed enum DeciderKind { Rule "RULE", Person "PERSON", }
}
codes! {
    /// What happened around an interview.
    pub open enum EnvironmentKind {
        NetworkLatency "NETWORK_LATENCY", PacketLoss "PACKET_LOSS", Disconnect "DISCONNECT", PageLoad "PAGE_LOAD", Camera "CAMERA",
        Microphone "MICROPHONE", Noise "NOISE", Light "LIGHT",
    }
}
codes! {
    /// The unit of a measured value.
    pub closed enum EnvironmentUnit { Milliseconds "ms", Percent "percent", Decibel "dB", Lux "lux", }
}
codes! {
    /// How bad an incident is.
    pub closed enum Severity { Low "LOW", Medium "MEDIUM", High "HIGH", }
}
codes! {
    /// What kind of assessment.
    pub open enum AssessmentKind {
        SkillsTest "SKILLS_TEST", Behavioral "BEHAVIORAL", Personality "PERSONALITY", BackgroundCheck "BACKGROUND_CHECK",
        ReferenceCheck "REFERENCE_CHECK", WrittenTest "WRITTEN_TEST",
    }
}
