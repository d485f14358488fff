//! Words of people and hiring.

use crate::shape::codes;

codes! {
    /// What a person says about their gender. Kept for the fairness audit, never for scoring.
    pub open enum Gender { Female "FEMALE", Male "MALE", NonBinary "NON_BINARY", NotDisclosed "NOT_DISCLOSED", }
}
codes! {
    /// The kind of an identity document.
    pub open enum NationalIdKind {
        IdCard "ID_CARD", Passport "PASSPORT", ResidencePermit "RESIDENCE_PERMIT", TaxId "TAX_ID", SocialSecurity "SOCIAL_SECURITY",
        HongKongMacauPermit "HONG_KONG_MACAU_PERMIT", TaiwanPermit "TAIWAN_PERMIT", DrivingLicence "DRIVING_LICENCE",
    }
}
codes! {
    /// What kind of ability a competency is.
    pub open enum CompetencyKind { Skill "SKILL", Knowledge "KNOWLEDGE", Trait "TRAIT", Language "LANGUAGE", }
}
codes! {
    /// What gives evidence of a competency.
    pub open enum Modality {
        Speech "SPEECH", Face "FACE", Semantic "SEMANTIC", Field "FIELD", VideoTask "VIDEO_TASK", Test "TEST",
    }
}
codes! {
    /// What a job record stands for.
    pub open enum JobKind { Job "JOB", Requisition "REQUISITION", Position "POSITION", Posting "POSTING", }
}
codes! {
    /// Where a job stands.
    pub open enum JobStatus {
        Draft "DRAFT", Pending "PENDING", Open "OPEN", Frozen "FROZEN", Filled "FILLED", Closed "CLOSED", Archived "ARCHIVED",
    }
}
codes! {
    /// Where the work is done.
    pub open enum WorkMode { OnSite "ON_SITE", Hybrid "HYBRID", Remote "REMOTE", }
}
codes! {
    /// What someone does in a hiring team.
    pub open enum HiringRole {
        Recruiter "RECRUITER", HiringManager "HIRING_MANAGER", Coordinator "COORDINATOR", Interviewer "INTERVIEWER",
        Sourcer "SOURCER", Approver "APPROVER",
    }
}
codes! {
    /// Where an application stands.
    pub open enum ApplicationStatus {
        Active "ACTIVE", Hired "HIRED", Rejected "REJECTED", Withdrawn "WITHDRAWN", OnHold "ON_HOLD",
    }
}
codes! {
    /// The kind of a stage of hiring.
    pub open enum StageKind {
        Sourced "SOURCED", Applied "APPLIED", Screening "SCREENING", Test "TEST", AiInterview "AI_INTERVIEW", Interview "INTERVIEW",
        FinalInterview "FINAL_INTERVIEW", BackgroundCheck "BACKGROUND_CHECK", Offer "OFFER", Onboarding "ONBOARDING",
    }
}
codes! {
    /// Where an application came from.
    pub open enum SourceChannel {
        JobBoard "JOB_BOARD", CareerSite "CAREER_SITE", Referral "REFERRAL", Agency "AGENCY", Campus "CAMPUS", Social "SOCIAL",
        Sourced "SOURCED", TalentPool "TALENT_POOL", Internal "INTERNAL", Event "EVENT",
    }
}
codes! {
    /// Why an application or offer ended as it did.
    pub open enum OutcomeReason {
        NoShow "NO_SHOW", PayTooLow "PAY_TOO_LOW", ReturnedByDepartment "RETURNED_BY_DEPARTMENT", BelowPassLine "BELOW_PASS_LINE",
        NotQualified "NOT_QUALIFIED", OverQualified "OVER_QUALIFIED", TookOtherOffer "TOOK_OTHER_OFFER", NoLongerInterested
        "NO_LONGER_INTERESTED", Location "LOCATION", BackgroundCheck "BACKGROUND_CHECK", PositionClosed "POSITION_CLOSED",
        NoAnswer "NO_ANSWER",
    }
}
codes! {
    /// A step of a process.
    pub open enum NodeCode {
        InviteSent "INVITE_SENT", InviteOpened "INVITE_OPENED", Confirmed "CONFIRMED", Reminded "REMINDED", Started "STARTED",
        QuestionShown "QUESTION_SHOWN", AnswerSubmitted "ANSWER_SUBMITTED", PromptShown "PROMPT_SHOWN", Interrupted "INTERRUPTED",
        Resumed "RESUMED", Completed "COMPLETED", Scored "SCORED", Reviewed "REVIEWED", FeedbackSent "FEEDBACK_SENT",
        StageMoved "STAGE_MOVED", NoShow "NO_SHOW", Rescheduled "RESCHEDULED", Cancelled "CANCELLED",
        Dropped "DROPPED", FeedbackLate "FEEDBACK_LATE", BandMatched "BAND_MATCHED",
    }
}
codes! {
    /// What a tag is about.
    pub open enum TagCategory {
        JobCompetency "JOB_COMPETENCY", PayExpectation "PAY_EXPECTATION", Personality "PERSONALITY",
        ExperienceFeedback "EXPERIENCE_FEEDBACK", Source "SOURCE", Talent "TALENT",
    }
}
