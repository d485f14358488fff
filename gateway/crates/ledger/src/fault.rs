//! What a run is not posted for. A fault names pay items, units, payslips and sums: they are for those who may read payroll.

use std::fmt;

use renmen_schema::Text;
use serde::Serialize;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For programs.
    pub code: FaultCode,
    /// For people, with what to do.
    pub message: Text,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The run stands where it may not be posted.
    State,
    /// The run is of a connection that the table does not name.
    Connection,
    /// The run lacks the day on which it is to be posted.
    Date,
    /// The run has no payslips.
    NoPayslips,
    /// Payslips of the run's connection wait in quarantine, so the run may be incomplete.
    Quarantined,
    /// A pay item has no account.
    NoAccount,
    /// A dimension has no code for an employee.
    NoDimension,
    /// An amount has more digits than its currency.
    Fraction,
    /// Debit and credit differ.
    Unbalanced,
    /// The payslips come to another sum than the run says.
    Total,
    /// More lines than a journal may have.
    Lines,
    /// The destination would not recognise a repeat.
    MayRepeat,
    /// The destination does not take it.
    Input,
}

impl FaultCode {
    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Connection => "connection",
            Self::Date => "date",
            Self::NoPayslips => "no_payslips",
            Self::Quarantined => "quarantined",
            Self::NoAccount => "no_account",
            Self::NoDimension => "no_dimension",
            Self::Fraction => "fraction",
            Self::Unbalanced => "unbalanced",
            Self::Total => "total",
            Self::Lines => "lines",
            Self::MayRepeat => "may_repeat",
            Self::Input => "input",
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Fault {
    pub(crate) fn new(code: FaultCode, message: Text) -> Self {
        Self { code, message }
    }
}
