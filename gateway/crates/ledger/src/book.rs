//! What the operator declared: pay items to accounts, employees to dimensions. It was checked when it was read.

use std::collections::BTreeMap;

use renmen_schema::code::{PayLineCode, PayLineKind, PayrollRunState};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::types::Coded;

use crate::standing::Standing;

/// One table from pay items to accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// Its name in the configuration.
    pub name: String,
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// Where journals are posted.
    pub connection: ConnectionName,
    /// Connections whose payroll runs may be posted; none: any.
    pub runs: Vec<ConnectionName>,
    /// States in which a run may be posted.
    pub states: Vec<PayrollRunState>,
    /// The account book, as the ledger names it.
    pub ledger: String,
    /// The kind of voucher, as the ledger names it.
    pub document_type: Option<String>,
    /// Which day it is posted on.
    pub date: PostingDate,
    /// What the journal's text begins with.
    pub text: String,
    /// What only this ledger needs, by name.
    pub header: BTreeMap<String, String>,
    /// Where net pay is owed until it is paid.
    pub net: Account,
    /// Which accounts pay items go to.
    pub items: Vec<Item>,
    /// How dimensions are found, by the name that `Account::dimensions` uses.
    pub dimensions: BTreeMap<String, Dimension>,
    /// What the run's own total is the sum of; none: it is not compared.
    pub total: Option<TotalOf>,
    /// Lines of one journal.
    pub lines_max: usize,
}

/// Which day a journal is posted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingDate {
    /// The last day of the period.
    PeriodEnd,
    /// The day of payment.
    PayDate,
}

/// What a run's own total counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalOf {
    /// Gross pay.
    Gross,
    /// Net pay.
    Net,
}

/// One side of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// As the ledger names it.
    pub code: String,
    /// Names of the dimensions that its lines carry.
    pub dimensions: Vec<String>,
    /// Text of its lines.
    pub text: String,
}

/// Where lines of payslips go.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name in the configuration.
    pub name: String,
    /// Lines of this kind,
    pub kind: PayLineKind,
    /// with one of these codes; none: any,
    pub codes: Vec<PayLineCode>,
    /// or with one of these words of the payroll system's own.
    pub words: Vec<String>,
    /// Expense: there unless the kind is DEDUCTION or TAX.
    pub debit: Option<Account>,
    /// Liability: there unless the kind is EARNING or REIMBURSEMENT.
    pub credit: Option<Account>,
}

/// How a dimension is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// What the ledger calls it.
    pub name: String,
    /// What of the employee or of the run it follows.
    pub of: DimensionOf,
    /// From what is found to the ledger's code; empty: what is found is the code.
    pub map: BTreeMap<String, String>,
    /// Where nothing is found.
    pub default: Option<String>,
}

/// What a dimension follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DimensionOf {
    /// The employee's unit, or the nearest unit above it that the map has.
    OrgUnit,
    /// The employee's cost centre.
    CostCenter,
    /// The employee's number.
    Employee,
    /// The company of the run.
    LegalEntity,
    /// The run's group of employees.
    PayGroup,
}

impl Book {
    /// The item that a line belongs to: the source's own word counts before the code, and that before the kind alone.
    #[must_use]
    pub fn item(&self, kind: PayLineKind, code: &Coded<PayLineCode>) -> Option<&Item> {
        let of_kind = || self.items.iter().filter(move |item| item.kind == kind);
        let by_word = code.raw.as_ref().and_then(|raw| of_kind().find(|item| item.words.contains(raw)));
        let by_code = || of_kind().find(|item| item.codes.contains(&code.code));
        let by_kind = || of_kind().find(|item| item.codes.is_empty() && item.words.is_empty());
        by_word.or_else(by_code).or_else(by_kind)
    }

    /// Does a line of this book ask where an employee works?
    #[must_use]
    pub fn asks_for_employees(&self) -> bool {
        let of_item = |item: &Item| [item.debit.clone(), item.credit.clone()].into_iter().flatten();
        let accounts = self.items.iter().flat_map(of_item).chain([self.net.clone()]);
        let names: Vec<String> = accounts.flat_map(|account| account.dimensions).collect();
        let of_employees = |dimension: &Dimension| {
            matches!(dimension.of, DimensionOf::OrgUnit | DimensionOf::CostCenter | DimensionOf::Employee)
        };
        names.iter().any(|name| self.dimensions.get(name).is_some_and(of_employees))
    }
}

impl DimensionOf {
    /// As the configuration writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrgUnit => "org_unit",
            Self::CostCenter => "cost_center",
            Self::Employee => "employee",
            Self::LegalEntity => "legal_entity",
            Self::PayGroup => "pay_group",
        }
    }
}

impl Dimension {
    /// The ledger's code for an employee.
    ///
    /// # Errors
    /// What it was found by, where the table has no code for it; empty where nothing was found.
    pub fn code(&self, standing: &Standing) -> Result<String, String> {
        let found: Vec<&[String]> = match self.of {
            DimensionOf::OrgUnit => standing.org_units.iter().map(Vec::as_slice).collect(),
            DimensionOf::LegalEntity => standing.legal_entity.iter().map(Vec::as_slice).collect(),
            DimensionOf::CostCenter => standing.cost_center.iter().map(std::slice::from_ref).collect(),
            DimensionOf::Employee => standing.number.iter().map(std::slice::from_ref).collect(),
            DimensionOf::PayGroup => standing.pay_group.iter().map(std::slice::from_ref).collect(),
        };
        let own = found.first().and_then(|names| names.first());
        let code = match self.map.is_empty() {
            true => own,
            // A unit without a line of its own has that of the nearest unit above it.
            false => found.iter().find_map(|names| names.iter().find_map(|name| self.map.get(name))),
        };
        code.or(self.default.as_ref()).cloned().ok_or_else(|| own.cloned().unwrap_or_default())
    }
}
