//! Payroll runs and payslips.

use super::{Employee, OrgUnit};
use crate::check::Walk;
use crate::code::{BorneBy, PayLineCode, PayLineKind, PayrollRunKind, PayrollRunState};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, DateSpan, Decimal, LocalDate, Localized, Money, Ref};

entity! {
    /// One calculation of pay for a period.
    pub struct PayrollRun {
        /// The period paid.
        pub period: DateSpan,
        /// When it is paid.
        pub pay_date: Option<LocalDate>,
        /// Why it was made.
        pub kind: Coded<PayrollRunKind>,
        /// Status.
        pub state: Coded<PayrollRunState>,
        /// For which group of employees.
        pub pay_group: Option<String>,
        /// The company.
        pub legal_entity: Option<Ref<OrgUnit>>,
        /// What it comes to, one for each currency.
        pub totals: Vec<Money> => SENSITIVE,
    }
}

entity! {
    /// A payslip. That gross less deductions and taxes is net is verified and a difference reported; it is never corrected.
    pub struct PayrollRecord {
        /// The payroll run.
        pub run: Ref<PayrollRun>,
        /// The employee paid.
        pub employee: Ref<Employee>,
        /// Of which days, where it is not the run's.
        pub period: Option<DateSpan>,
        /// Before deductions and taxes.
        pub gross: Money => SENSITIVE,
        /// What is paid out.
        pub net: Money => SENSITIVE,
        /// Lines of the payslip.
        pub lines: Vec<PayLine> => SENSITIVE,
        /// What the source itself says about the calculation.
        pub note: Option<String> => SENSITIVE,
    }
}

shape! {
    /// One line of a payslip.
    pub struct PayLine {
        /// What the line does to pay.
        pub kind: PayLineKind,
        /// What it is for.
        pub code: Coded<PayLineCode>,
        /// As the payslip names it.
        pub name: Localized,
        /// The amount.
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
            text!(
                "EMPLOYEE on a contribution of the employer; expected EMPLOYER or nothing",
                "雇主缴费却为 EMPLOYEE；应为 EMPLOYER 或省略"
            ),
        );
    }
}

impl PayrollRecord {
    /// Gross, less what lines of kind DEDUCTION and TAX take from the employee, less net: zero when the payslip adds up. None when
    /// there are no such lines to verify by, when there is more than one currency, or when the sum does not fit.
    ///
    /// Sources differ in two things, and the reading that comes closest counts. Many sources write a deduction with a
    /// minus sign; next to lines of the other sign, a minus may also mark money given back, such as a tax refund. What
    /// lines of kind REIMBURSEMENT pay may be included in gross or paid on top of it.
    #[must_use]
    pub fn difference(&self) -> Option<Decimal> {
        let taken: Vec<rust_decimal::Decimal> = self.amounts(|line| {
            matches!(line.kind, PayLineKind::Deduction | PayLineKind::Tax) && line.borne_by != Some(BorneBy::Employer)
        })?;
        let paid_back = self.amounts(|line| line.kind == PayLineKind::Reimbursement)?;
        if taken.is_empty() || self.net.currency != self.gross.currency {
            return None;
        }
        let sum = |amounts: Vec<rust_decimal::Decimal>| {
            amounts.into_iter().try_fold(rust_decimal::Decimal::ZERO, rust_decimal::Decimal::checked_add)
        };
        let of_both_signs = taken.iter().any(rust_decimal::Decimal::is_sign_negative)
            && taken.iter().any(rust_decimal::Decimal::is_sign_positive);
        let mut readings = vec![sum(taken.iter().map(rust_decimal::Decimal::abs).collect())?];
        if of_both_signs {
            let signed = sum(taken)?;
            readings.extend([signed, -signed]);
        }
        let beside = sum(paid_back)?;
        let (gross, net) = (self.gross.amount.value(), self.net.amount.value());
        let rests = readings.into_iter().flat_map(|taken| {
            let rest = gross.checked_sub(taken).and_then(|rest| rest.checked_sub(net));
            [rest, rest.and_then(|rest| rest.checked_add(beside))]
        });
        Decimal::try_from(rests.flatten().min_by_key(rust_decimal::Decimal::abs)?).ok()
    }

    /// The amounts of lines; none if one of them is of another currency than gross.
    fn amounts(&self, wanted: impl Fn(&PayLine) -> bool) -> Option<Vec<rust_decimal::Decimal>> {
        let lines = self.lines.iter().filter(|line| wanted(line));
        lines.map(|line| (line.amount.currency == self.gross.currency).then(|| line.amount.amount.value())).collect()
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
    fn a_refund_of_tax_and_what_is_paid_back_beside_gross_add_up_either_way() {
        let kept = line(PayLineKind::Deduction, PayLineCode::Pension, "1000");
        let refund = line(PayLineKind::Tax, PayLineCode::IndividualIncomeTax, "-200");
        let travel = line(PayLineKind::Reimbursement, PayLineCode::Reimbursement, "300");
        for (net, lines) in [
            ("11200", vec![kept.clone(), refund.clone()]),
            ("10800", vec![kept.clone(), refund.clone()]),
            ("11300", vec![kept.clone(), travel.clone()]),
            ("11000", vec![kept.clone(), travel.clone()]),
            ("11500", vec![kept.clone(), refund.clone(), travel.clone()]),
        ] {
            assert_eq!(slip(net, lines).difference(), Some(Decimal::ZERO), "{net}");
        }
        assert_eq!(
            slip("13000", vec![kept.clone()]).difference(),
            Decimal::parse("-2000").ok(),
            "nothing is given back"
        );
        let minus = line(PayLineKind::Deduction, PayLineCode::Pension, "-1000");
        assert_eq!(slip("13000", vec![minus]).difference(), Decimal::parse("-2000").ok());
        assert_eq!(slip("11301", vec![kept, travel]).difference(), Decimal::parse("-1").ok());
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
