//! Payroll runs and payslips.

use super::{Employee, OrgUnit};
use crate::check::Walk;
use crate::code::{BorneBy, PayLineCode, PayLineKind, PayrollRunKind, PayrollRunState};
use crate::shape::{entity, shape};
use crate::types::{Coded, DateSpan, Decimal, LocalDate, Localized, Money, Ref};

entity! {
    /// One calculation of pay for a period.
    pub struct PayrollRun {
        /// Of which days.
        pub period: DateSpan,
        /// When it is paid.
        pub pay_date: Option<LocalDate>,
        /// Why it was made.
        pub kind: Coded<PayrollRunKind>,
        /// Where it stands.
        pub state: Coded<PayrollRunState>,
        /// For which group of employees.
        pub pay_group: Option<String>,
        /// In which company.
        pub legal_entity: Option<Ref<OrgUnit>>,
        /// What it comes to, one for each currency.
        pub totals: Vec<Money> => SENSITIVE,
    }
}

entity! {
    /// A payslip. That gross less deductions and taxes is net is verified and a difference reported; it is never corrected.
    pub struct PayrollRecord {
        /// Of which run.
        pub run: Ref<PayrollRun>,
        /// Whose.
        pub employee: Ref<Employee>,
        /// Of which days, where it is not the run's.
        pub period: Option<DateSpan>,
        /// Before deductions and taxes.
        pub gross: Money => SENSITIVE,
        /// What is paid out.
        pub net: Money => SENSITIVE,
        /// In parts.
        pub lines: Vec<PayLine> => SENSITIVE,
        /// What the source itself says about the calculation.
        pub note: Option<String> => SENSITIVE,
    }
}

shape! {
    /// One line of a payslip.
    pub struct PayLine {
        /// What it does.
        pub kind: PayLineKind,
        /// What it is for.
        pub code: Coded<PayLineCode>,
        /// As the payslip names it.
        pub name: Localized,
        /// How much.
        pub amount: Money => SENSITIVE,
        /// Hours that it pays.
        pub hours: Option<Decimal> => SENSITIVE,
        /// Before tax?
        pub pre_tax: Option<bool>,
        /// Who pays; absent: what the kind says (EMPLOYER_CONTRIBUTION the employer, all else the employee).
        pub borne_by: Option<BorneBy>,
        /// The part of the period that it is for.
        pub segment: Option<DateSpan>,
    }
    rules line_rules
}

fn line_rules(line: &PayLine, walk: &mut Walk<'_>) {
    if line.kind == PayLineKind::EmployerContribution && line.borne_by == Some(BorneBy::Employee) {
        walk.defect_in(
            "borne_by",
            "contradiction",
            "EMPLOYEE on a contribution of the employer; expected EMPLOYER or nothing",
        );
    }
}

impl PayrollRecord {
    /// Gross, less what lines of kind DEDUCTION and TAX take from the employee, less net: zero when the payslip adds up. An amount
    /// with a minus sign on such a line is taken as a deduction all the same, because sources differ in the sign. None when there
    /// are no such lines to verify by, when there is more than one currency, or when the sum does not fit.
    #[must_use]
    pub fn difference(&self) -> Option<Decimal> {
        let currency = self.gross.currency;
        let mut rest = self.gross.amount;
        let mut verifiable = false;
        for line in &self.lines {
            let deducts = matches!(line.kind, PayLineKind::Deduction | PayLineKind::Tax)
                && line.borne_by != Some(BorneBy::Employer);
            if !deducts {
                continue;
            }
            if line.amount.currency != currency {
                return None;
            }
            let taken = Decimal::try_from(line.amount.amount.value().abs()).ok()?;
            rest = rest.checked_sub(taken)?;
            verifiable = true;
        }
        if !verifiable || self.net.currency != currency {
            return None;
        }
        rest.checked_sub(self.net.amount)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{PayLine, PayrollRecord};
    use crate::check::Walk;
    use crate::code::{BorneBy, PayLineCode, PayLineKind};
    use crate::types::{Decimal, Localized, Money, Ref};

    fn cny(amount: &str) -> Money {
        Money::new(amount, "CNY").unwrap()
    }

    fn line(kind: PayLineKind, code: PayLineCode, amount: &str) -> PayLine {
        PayLine::new(kind, code.into(), Localized::zh_cn("项目"), cny(amount))
    }

    fn slip(net: &str, lines: Vec<PayLine>) -> PayrollRecord {
        let record = PayrollRecord::new(Ref::external("2025-03"), Ref::external("e1"), cny("12000.00"), cny(net));
        PayrollRecord { lines, ..record }
    }

    #[test]
    fn a_payslip_that_adds_up_has_no_difference() {
        let lines = vec![
            line(PayLineKind::Earning, PayLineCode::Base, "12000"),
            line(PayLineKind::Deduction, PayLineCode::Pension, "960.00"),
            line(PayLineKind::Deduction, PayLineCode::HousingFund, "-840.00"),
            line(PayLineKind::Tax, PayLineCode::IndividualIncomeTax, "156.35"),
            line(PayLineKind::EmployerContribution, PayLineCode::Pension, "1920"),
        ];
        assert_eq!(slip("10043.65", lines.clone()).difference(), Some(Decimal::ZERO));
        assert_eq!(slip("10043.66", lines).difference().unwrap().to_string(), "-0.01");
    }

    #[test]
    fn what_the_employer_bears_is_not_taken_from_the_employee() {
        let borne =
            PayLine { borne_by: Some(BorneBy::Employer), ..line(PayLineKind::Deduction, PayLineCode::Medical, "500") };
        let own = line(PayLineKind::Tax, PayLineCode::IndividualIncomeTax, "100");
        assert_eq!(slip("11900", vec![borne, own]).difference(), Some(Decimal::ZERO));
    }

    #[test]
    fn a_difference_is_a_report_and_no_refusal() {
        let record = slip("1", vec![line(PayLineKind::Tax, PayLineCode::IndividualIncomeTax, "100")]);
        assert!(record.difference().is_some_and(|d| d != Decimal::ZERO));
        assert!(Walk::over(&record).is_empty());
    }

    #[test]
    fn nothing_is_said_where_nothing_can_be_verified() {
        assert_eq!(slip("12000", vec![]).difference(), None);
        let dollars =
            PayLine { amount: Money::new("1", "USD").unwrap(), ..line(PayLineKind::Tax, PayLineCode::Base, "1") };
        assert_eq!(slip("12000", vec![dollars]).difference(), None);
    }
}
