//! Words of organisation and work.

use crate::shape::codes;

codes! {
    /// Where an employment stands.
    pub open enum EmploymentStatus {
        Prehire "PREHIRE", Onboarding "ONBOARDING", Active "ACTIVE", Probation "PROBATION", Leave "LEAVE", Suspended "SUSPENDED",
        Terminated "TERMINATED", Retired "RETIRED", Deceased "DECEASED",
    }
}
codes! {
    /// On what terms someone works. DISPATCHED is labour dispatch (劳务派遣).
    pub open enum EmploymentType {
        FullTime "FULL_TIME", PartTime "PART_TIME", Contractor "CONTRACTOR", Intern "INTERN", Temporary "TEMPORARY",
        Seasonal "SEASONAL", Apprentice "APPRENTICE", WorkingStudent "WORKING_STUDENT", Freelance "FREELANCE",
        Volunteer "VOLUNTEER", Dispatched "DISPATCHED", Rehired "REHIRED", Outsourced "OUTSOURCED",
    }
}
codes! {
    /// How a probation ended.
    pub open enum ProbationOutcome { Passed "PASSED", Failed "FAILED", Extended "EXTENDED", Pending "PENDING", }
}
codes! {
    /// Why an employment ended.
    pub open enum EndReason {
        Resigned "RESIGNED", Dismissed "DISMISSED", MutualAgreement "MUTUAL_AGREEMENT", ContractEnded "CONTRACT_ENDED",
        ProbationFailed "PROBATION_FAILED", Redundancy "REDUNDANCY", Retired "RETIRED", Deceased "DECEASED",
        Transferred "TRANSFERRED", Pay "PAY", Family "FAMILY", Health "HEALTH", Career "CAREER",
    }
}
codes! {
    /// What an organisational unit is.
    pub open enum OrgUnitKind {
        Company "COMPANY", LegalEntity "LEGAL_ENTITY", BusinessUnit "BUSINESS_UNIT", Division "DIVISION",
        Department "DEPARTMENT", Team "TEAM", CostCenter "COST_CENTER", Location "LOCATION", Group "GROUP",
    }
}
codes! {
    /// What a day of attendance came to.
    pub open enum AttendanceStatus {
        Normal "NORMAL", Late "LATE", Early "EARLY", Absent "ABSENT", Leave "LEAVE", MissingPunch "MISSING_PUNCH", RestDay "REST_DAY",
    }
}
codes! {
    /// What a punch means.
    pub open enum PunchKind { In "IN", Out "OUT", Break "BREAK", }
}
codes! {
    /// On what kind of day overtime was worked: each has its own rate.
    pub open enum OvertimeClass { Weekday "WEEKDAY", RestDay "REST_DAY", Holiday "HOLIDAY", }
}
codes! {
    /// Which kind of leave. PERSONAL is leave for one's own affairs (事假), COMPENSATORY the time off for overtime (调休), CARE for a
    /// family member, FAMILY_VISIT to family that lives elsewhere (探亲假).
    pub open enum LeaveKind {
        Annual "ANNUAL", Sick "SICK", Personal "PERSONAL", Compensatory "COMPENSATORY", Marriage "MARRIAGE", Maternity "MATERNITY",
        Paternity "PATERNITY", Parental "PARENTAL", Prenatal "PRENATAL", Nursing "NURSING", Bereavement "BEREAVEMENT",
        WorkInjury "WORK_INJURY", Care "CARE", FamilyVisit "FAMILY_VISIT", Study "STUDY", Unpaid "UNPAID",
    }
}
codes! {
    /// Where a leave stands. WITHDRAWN is taken back before the decision, CANCELLED after it.
    pub open enum LeaveStatus {
        Draft "DRAFT", Requested "REQUESTED", Approved "APPROVED", Rejected "REJECTED", Withdrawn "WITHDRAWN", Cancelled "CANCELLED",
    }
}
codes! {
    /// In what leave is counted. A DAY is a working day of the employee's.
    pub closed enum LeaveUnit { Day "DAY", Hour "HOUR", Minute "MINUTE", }
}
codes! {
    /// Half of a day.
    pub closed enum HalfDay { Morning "MORNING", Afternoon "AFTERNOON", }
}
codes! {
    /// What a review covers. PROBATION is a period of its own.
    pub open enum ReviewCycleKind { Probation "PROBATION", Annual "ANNUAL", HalfYear "HALF_YEAR", Quarter "QUARTER", Month "MONTH", Project "PROJECT", }
}
codes! {
    /// How the reviewer stands to the reviewed.
    pub open enum Relation {
        Own "SELF", Manager "MANAGER", DirectReport "DIRECT_REPORT", Peer "PEER", SkipLevel "SKIP_LEVEL", CrossTeam "CROSS_TEAM",
        ProjectLead "PROJECT_LEAD", Customer "CUSTOMER",
    }
}
codes! {
    /// Which way a metric is better.
    pub closed enum Direction { Higher "HIGHER", Lower "LOWER", }
}
codes! {
    /// What customers said.
    pub open enum CustomerFeedbackKind { Complaint "COMPLAINT", Praise "PRAISE", Survey "SURVEY", }
}
