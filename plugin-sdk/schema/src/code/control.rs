//! Words of control: instructions, notifications, consent, erasure, migration, deletion.

use crate::shape::codes;

codes! {
    /// Where an adjust instruction stands.
    pub closed enum AdjustmentStatus {
        Proposed "PROPOSED", Approved "APPROVED", Sent "SENT", Accepted "ACCEPTED", Rejected "REJECTED", Applied "APPLIED",
        Reverting "REVERTING", Reverted "REVERTED",
    }
}
codes! {
    /// What may be said of an instruction's effect. NOT_JUDGED: too few people on one side. NO_CHANGE: the difference may be chance.
    pub closed enum AdjustmentVerdict {
        NotJudged "NOT_JUDGED", Better "BETTER", Worse "WORSE", NoChange "NO_CHANGE",
    }
}
codes! {
    /// What an audit compares: who was selected, or who scored above the median of all.
    pub closed enum AuditMeasure { Selection "SELECTION", Scoring "SCORING", }
}
codes! {
    /// By which way a notification goes.
    pub open enum NotificationChannel {
        Sms "SMS", Email "EMAIL", AppPush "APP_PUSH", ImDingtalk "IM_DINGTALK", ImFeishu "IM_FEISHU", Webhook "WEBHOOK",
    }
}
codes! {
    /// Where a notification stands.
    pub open enum NotificationStatus {
        Scheduled "SCHEDULED", Sent "SENT", Delivered "DELIVERED", Opened "OPENED", Failed "FAILED", Skipped "SKIPPED",
    }
}
codes! {
    /// On what ground data are processed.
    pub open enum LegalBasis {
        Consent "CONSENT", Contract "CONTRACT", LegalObligation "LEGAL_OBLIGATION", VitalInterest "VITAL_INTEREST",
        PublicTask "PUBLIC_TASK", LegitimateInterest "LEGITIMATE_INTEREST", HrManagement "HR_MANAGEMENT",
    }
}
codes! {
    /// Where a consent stands.
    pub closed enum ConsentStatus { Given "GIVEN", Refused "REFUSED", Withdrawn "WITHDRAWN", Expired "EXPIRED", }
}
codes! {
    /// Where an erasure stands, as a whole or at one connection.
    pub closed enum ErasureStatus {
        Requested "REQUESTED", Verified "VERIFIED", InProgress "IN_PROGRESS", Done "DONE", Refused "REFUSED", Failed "FAILED",
    }
}
codes! {
    /// The stage of a migration.
    pub closed enum MigrationStage { Cleanse "CLEANSE", MapTest "MAP_TEST", Incremental "INCREMENTAL", Cutover "CUTOVER", }
}
codes! {
    /// How it was learnt that a record is gone. FULL_DIFF only from a run that completed every page.
    pub closed enum DeletionCause {
        SourceEvent "SOURCE_EVENT", SourceFlag "SOURCE_FLAG", FullDiff "FULL_DIFF", Manual "MANUAL", Retention "RETENTION",
        Erasure "ERASURE", ScopeRemoved "SCOPE_REMOVED",
    }
}
