//! What one payslip moves: which of its lines take from the employee and with which sign, and by how much it fails to add up.

use std::collections::BTreeMap;

use renmen_schema::code::{BorneBy, PayLineKind};
use renmen_schema::entity::{PayLine, PayrollRecord};
use renmen_schema::types::Currency;
use rust_decimal::Decimal;

/// A payslip of a run.
#[derive(Debug)]
pub struct Slip<'b> {
    /// The payroll system's id of it.
    pub external_id: &'b str,
    /// What it says.
    pub body: &'b PayrollRecord,
}

/// How a source writes what is taken from pay. One reading holds for a whole payslip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// 960 is taken, -200 is given back.
    AsWritten,
    /// -960 is taken, 200 is given back.
    Negated,
    /// Each is taken, with either sign.
    Sizes,
}

impl Reading {
    fn taken(self, amount: Decimal) -> Decimal {
        match self {
            Self::AsWritten => amount,
            Self::Negated => -amount,
            Self::Sizes => amount.abs(),
        }
    }
}

/// A line as it moves money.
pub(crate) struct Moved<'b> {
    /// The kind that counts: what the employer bears is the employer's contribution.
    pub(crate) kind: PayLineKind,
    pub(crate) line: &'b PayLine,
    pub(crate) amount: Decimal,
}

/// Who bears it decides, where the payslip says so.
fn kind_of(line: &PayLine) -> PayLineKind {
    let taken = matches!(line.kind, PayLineKind::Deduction | PayLineKind::Tax);
    if taken && line.borne_by == Some(BorneBy::Employer) { PayLineKind::EmployerContribution } else { line.kind }
}

impl<'b> Slip<'b> {
    /// Its lines as they move money.
    pub(crate) fn moved(&self) -> impl Iterator<Item = Moved<'b>> + use<'b> {
        let reading = self.reading();
        self.body.lines.iter().map(move |line| {
            let (kind, amount) = (kind_of(line), line.amount.amount.value());
            let taken = matches!(kind, PayLineKind::Deduction | PayLineKind::Tax);
            Moved { kind, line, amount: if taken { reading.taken(amount) } else { amount } }
        })
    }

    /// What is paid out and not explained by its lines, or the other way round: nothing for a payslip that adds up. By currency.
    pub(crate) fn differences(&self) -> BTreeMap<Currency, Decimal> {
        self.differences_by(self.reading())
    }

    fn differences_by(&self, reading: Reading) -> BTreeMap<Currency, Decimal> {
        let mut rests = BTreeMap::from([(self.body.net.currency, -self.body.net.amount.value())]);
        for line in &self.body.lines {
            let amount = line.amount.amount.value();
            let amount = match kind_of(line) {
                PayLineKind::Earning | PayLineKind::Reimbursement => amount,
                PayLineKind::Deduction | PayLineKind::Tax => -reading.taken(amount),
                PayLineKind::EmployerContribution => continue,
            };
            *rests.entry(line.amount.currency).or_default() += amount;
        }
        rests
    }

    /// The reading by which the payslip comes closest to adding up; as it is written where two come equally close.
    fn reading(&self) -> Reading {
        let rest = |reading: &Reading| -> Decimal { self.differences_by(*reading).values().map(Decimal::abs).sum() };
        let all = [Reading::AsWritten, Reading::Negated, Reading::Sizes];
        all.into_iter().min_by_key(rest).unwrap_or(Reading::AsWritten)
    }
}
