//! Words of pay.

use crate::shape::codes;

codes! {
    /// Where a pay band stands.
    pub closed enum BandStatus { Draft "DRAFT", Active "ACTIVE", Retired "RETIRED", }
}
codes! {
    /// Who may learn of a pay band. VENDOR_MATCH_ONLY: a vendor may ask "in or out" and never sees the amounts.
    pub closed enum BandVisibility { Internal "INTERNAL", VendorMatchOnly "VENDOR_MATCH_ONLY", Candidate "CANDIDATE", }
}
codes! {
    /// What a part of pay is.
    pub open enum PayComponent {
        Base "BASE", Allowance "ALLOWANCE", BonusTarget "BONUS_TARGET", Commission "COMMISSION", Equity "EQUITY",
        PerformancePay "PERFORMANCE_PAY", Overtime "OVERTIME",
    }
}
codes! {
    /// Why a payroll run was made.
    pub open enum PayrollRunKind {
        Regular "REGULAR", OffCycle "OFF_CYCLE", Correction "CORRECTION", Termination "TERMINATION",
        SignOnBonus "SIGN_ON_BONUS", Bonus "BONUS",
    }
}
codes! {
    /// Where a payroll run stands.
    pub open enum PayrollRunState {
        Draft "DRAFT", Calculated "CALCULATED", Approved "APPROVED", Paid "PAID", Closed "CLOSED", Failed "FAILED",
    }
}
codes! {
    /// What a line of a payslip does. Gross less DEDUCTION and TAX that the employee bears is net.
    pub closed enum PayLineKind {
        Earning "EARNING", Deduction "DEDUCTION", Tax "TAX", EmployerContribution "EMPLOYER_CONTRIBUTION", Reimbursement "REIMBURSEMENT",
    }
}
codes! {
    /// What a line of a payslip is for, with the Chinese social insurances, housing fund and taxes.
    pub open enum PayLineCode {
        Base "BASE", Allowance "ALLOWANCE", Overtime "OVERTIME", Bonus "BONUS", Commission "COMMISSION", PerformancePay
        "PERFORMANCE_PAY", LeavePay "LEAVE_PAY", Severance "SEVERANCE", Reimbursement "REIMBURSEMENT", AbsenceDeduction
        "ABSENCE_DEDUCTION", Pension "PENSION", Medical "MEDICAL", Unemployment "UNEMPLOYMENT", WorkInjury "WORK_INJURY",
        Maternity "MATERNITY", HousingFund "HOUSING_FUND", IndividualIncomeTax "INDIVIDUAL_INCOME_TAX", AnnualBonusTax
        "ANNUAL_BONUS_TAX", UnionDues "UNION_DUES", Loan "LOAN", Garnishment "GARNISHMENT",
    }
}
codes! {
    /// Who pays a line.
    pub closed enum BorneBy { Employee "EMPLOYEE", Employer "EMPLOYER", }
}
codes! {
    /// Where an offer stands.
    pub open enum OfferStatus {
        Draft "DRAFT", InApproval "IN_APPROVAL", Approved "APPROVED", Sent "SENT", Opened "OPENED", Accepted "ACCEPTED",
        Declined "DECLINED", Expired "EXPIRED", Withdrawn "WITHDRAWN",
    }
}
codes! {
    /// What a pay suggestion was made from.
    pub closed enum PaySuggestionInput {
        Band "BAND", Level "LEVEL", PriorPay "PRIOR_PAY", Market "MARKET", Match "MATCH",
    }
}
codes! {
    /// What an input did to a pay suggestion: which band is meant (SELECTS_BAND), from what to what may be paid (LIMITS_RANGE), where
    /// in the band the range lies (PLACES_RANGE), what the exact amount leans on (ANCHORS_POINT), the level shown that took the place of
    /// the one hired for (RAISES_LEVEL), the level that it is compared with (COMPARES_LEVEL).
    pub closed enum PayInputReason {
        SelectsBand "SELECTS_BAND", LimitsRange "LIMITS_RANGE", PlacesRange "PLACES_RANGE", AnchorsPoint "ANCHORS_POINT",
        RaisesLevel "RAISES_LEVEL", ComparesLevel "COMPARES_LEVEL",
    }
}
