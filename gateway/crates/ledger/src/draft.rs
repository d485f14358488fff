//! The sums of a run: payslip by payslip, with what is wrong kept in counts and a bounded number of examples.

use std::collections::BTreeMap;

use renmen_schema::code::{PayLineCode, PayLineKind};
use renmen_schema::entity::{PayLine, PayrollRun};
use renmen_schema::id::ConnectionName;
use renmen_schema::text;
use renmen_schema::types::{Currency, DateSpan, LocalDate, Money};
use renmen_store::RecordRow;
use rust_decimal::Decimal;

use crate::book::{Account, Book, TotalOf};
use crate::fault::{Fault, FaultCode};
use crate::journal::{Journal, JournalLine, Side, shown};
use crate::slip::Slip;
use crate::standing::Standing;

/// Payslips, items and units that one reason names; the others are counted.
const NAMED_MAX: usize = 10;
/// Sums that are held: a dimension with a code for every employee of a large company would be without end.
const SUMS_MAX: usize = 50_000;

/// What a journal says of its run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// The connection that brought the run.
    pub connection: ConnectionName,
    /// The payroll system's id of it.
    pub external_id: String,
    /// Which days it pays.
    pub period: DateSpan,
    /// When it is paid.
    pub pay_date: Option<LocalDate>,
    /// What it says it comes to.
    pub totals: Vec<Money>,
}

impl RunFacts {
    /// Of a run's record.
    #[must_use]
    pub fn of(row: &RecordRow, run: &PayrollRun) -> Self {
        Self {
            connection: row.connection.clone(),
            external_id: row.external_id.clone(),
            period: run.period.clone(),
            pay_date: run.pay_date,
            totals: run.totals.clone(),
        }
    }
}

/// What amounts are summed by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SumKey {
    currency: Currency,
    side: Side,
    account: String,
    dimensions: BTreeMap<String, String>,
    text: String,
}

/// Lines of payslips without an account.
#[derive(Debug, Default)]
struct Unknown {
    lines: u64,
    sums: BTreeMap<Currency, Decimal>,
    label: String,
}

/// The sums of a run under way.
#[derive(Debug)]
pub struct Draft<'b> {
    book: &'b Book,
    sums: BTreeMap<SumKey, Decimal>,
    full: bool,
    slips: u64,
    gross: BTreeMap<Currency, Decimal>,
    net: BTreeMap<Currency, Decimal>,
    /// By kind, code and the source's own word.
    unknown: BTreeMap<(PayLineKind, PayLineCode, String), Unknown>,
    /// By dimension and what it was found by: how many payslips, and one of them.
    missing: BTreeMap<(String, String), (u64, String)>,
    fractions: Counted,
    differences: Vec<(String, Currency, Decimal)>,
    differing: u64,
}

/// Some names, and how many there are.
#[derive(Debug, Default)]
struct Counted {
    count: u64,
    named: Vec<String>,
}

impl Counted {
    fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(name());
        }
    }
}

impl<'b> Draft<'b> {
    /// Without a payslip yet.
    #[must_use]
    pub fn new(book: &'b Book) -> Self {
        Self {
            book,
            sums: BTreeMap::new(),
            full: false,
            slips: 0,
            gross: BTreeMap::new(),
            net: BTreeMap::new(),
            unknown: BTreeMap::new(),
            missing: BTreeMap::new(),
            fractions: Counted::default(),
            differences: Vec::new(),
            differing: 0,
        }
    }

    /// How many payslips were taken.
    #[must_use]
    pub fn slips(&self) -> u64 {
        self.slips
    }

    /// Takes a payslip.
    pub fn take(&mut self, slip: &Slip<'_>, standing: &Standing) {
        self.slips += 1;
        let (gross, net) = (slip.body.gross, slip.body.net);
        *self.gross.entry(gross.currency).or_default() += gross.amount.value();
        *self.net.entry(net.currency).or_default() += net.amount.value();
        for moved in slip.moved() {
            self.line(slip, standing, (moved.kind, moved.line), moved.amount);
        }
        self.fits(slip, "net", net);
        let pay = self.book;
        self.add((Side::Credit, &pay.net), net.currency, net.amount.value(), (slip, standing));
        let mut differs = false;
        for (currency, rest) in slip.differences().into_iter().filter(|(_, rest)| !rest.is_zero()) {
            differs = true;
            if self.differences.len() < NAMED_MAX {
                self.differences.push((slip.external_id.to_owned(), currency, rest));
            }
        }
        self.differing += u64::from(differs);
    }

    fn line(&mut self, slip: &Slip<'_>, standing: &Standing, (kind, line): (PayLineKind, &PayLine), amount: Decimal) {
        let book = self.book;
        let currency = line.amount.currency;
        self.fits(slip, line.code.code.as_str(), line.amount);
        let Some(item) = book.item(kind, &line.code) else {
            let word = line.code.raw.clone().unwrap_or_default();
            let unknown = self.unknown.entry((kind, line.code.code, word)).or_default();
            unknown.lines += 1;
            *unknown.sums.entry(currency).or_default() += amount;
            if unknown.label.is_empty() {
                unknown.label = line.name.best("en").unwrap_or_default().to_owned();
            }
            return;
        };
        for (side, account) in [(Side::Debit, &item.debit), (Side::Credit, &item.credit)] {
            if let Some(account) = account {
                self.add((side, account), currency, amount, (slip, standing));
            }
        }
    }

    /// Adds to the sum of an account.
    fn add(
        &mut self,
        (side, account): (Side, &Account),
        currency: Currency,
        amount: Decimal,
        (slip, standing): (&Slip<'_>, &Standing),
    ) {
        if amount.is_zero() {
            return;
        }
        let mut dimensions = BTreeMap::new();
        for name in &account.dimensions {
            let Some(dimension) = self.book.dimensions.get(name) else { continue };
            match dimension.code(standing) {
                Ok(code) => {
                    dimensions.insert(dimension.name.clone(), code);
                }
                Err(found) => {
                    let place = self.missing.entry((name.clone(), found));
                    let (count, _) = place.or_insert_with(|| (0, slip.external_id.to_owned()));
                    *count += 1;
                }
            }
        }
        let key = SumKey { currency, side, account: account.code.clone(), dimensions, text: account.text.clone() };
        if self.sums.len() >= SUMS_MAX && !self.sums.contains_key(&key) {
            self.full = true;
            return;
        }
        *self.sums.entry(key).or_default() += amount;
    }

    /// Has an amount no more digits than its currency?
    fn fits(&mut self, slip: &Slip<'_>, what: &str, money: Money) {
        if money.amount.value().normalize().scale() > money.currency.minor_digits() {
            let amount = money.amount;
            self.fractions.add(|| format!("{} {what} {amount} {}", slip.external_id, money.currency.as_str()));
        }
    }

    /// The journals, and all reasons for which the run is not posted: none, and each journal balances.
    #[must_use]
    pub fn finish(self, run: &RunFacts) -> (Vec<Journal>, Vec<Fault>) {
        let journals = self.journals();
        let mut faults = Vec::new();
        if self.slips == 0 {
            faults.push(no_payslips(run));
        }
        faults.extend(self.unknown.iter().map(|((kind, code, word), unknown)| no_account(*kind, *code, word, unknown)));
        let missing = self.missing.iter().map(|((dimension, found), counted)| self.no_code(dimension, found, counted));
        faults.extend(missing.collect::<Vec<_>>());
        if self.fractions.count > 0 {
            faults.push(fractions(&self.fractions));
        }
        // Where an item has no account the sides differ for that alone.
        if self.unknown.is_empty() {
            faults.extend(journals.iter().filter_map(|journal| self.unbalanced(journal)));
        }
        faults.extend(self.totals(run));
        let most = self.book.lines_max;
        for journal in journals.iter().filter(|journal| self.full || journal.lines.len() > most) {
            let (lines, currency) = (journal.lines.len(), journal.currency.as_str());
            let more = if self.full { "+" } else { "" };
            faults.push(Fault::new(
                FaultCode::Lines,
                text!(
                    "the journal in {currency} has {lines}{more} lines; `lines_max` is {most}: use fewer dimensions, or raise `lines_max` as \
                     far as the ledger takes it",
                    "{currency} 凭证有 {lines}{more} 行；`lines_max` 为 {most}：请减少维度，或在账务系统允许的范围内提高 `lines_max`"
                ),
            ));
        }
        (journals, faults)
    }

    /// Sums as lines: one below nothing stands on the other side.
    fn journals(&self) -> Vec<Journal> {
        let mut journals: BTreeMap<Currency, Vec<JournalLine>> = BTreeMap::new();
        for (key, sum) in self.sums.iter().filter(|(_, sum)| !sum.is_zero()) {
            let side = if sum.is_sign_negative() { key.side.other() } else { key.side };
            journals.entry(key.currency).or_default().push(JournalLine {
                side,
                account: key.account.clone(),
                dimensions: key.dimensions.clone(),
                text: key.text.clone(),
                amount: sum.abs(),
            });
        }
        let journal = |(currency, mut lines): (Currency, Vec<JournalLine>)| {
            lines.sort_by(|a, b| {
                (a.side, &a.account, &a.dimensions, &a.text).cmp(&(b.side, &b.account, &b.dimensions, &b.text))
            });
            let sum = |side| -> Decimal { lines.iter().filter(|line| line.side == side).map(|line| line.amount).sum() };
            let (debit, credit) = (sum(Side::Debit), sum(Side::Credit));
            Journal { currency, debit, credit, lines }
        };
        journals.into_iter().map(journal).collect()
    }

    fn no_code(&self, name: &str, found: &str, (count, slip): &(u64, String)) -> Fault {
        let of = self.book.dimensions.get(name).map_or("", |dimension| dimension.of.as_str());
        let book = &self.book.name;
        let message = if found.is_empty() {
            text!(
                "{count} payslips such as `{slip}` have no {of} for the dimension `{name}`: complete the employee, or give \
                 `journals.{book}.dimensions.{name}` a `default`",
                "{count} 张工资单（如 `{slip}`）没有维度 `{name}` 所需的 {of}：请补全员工信息，或为 `journals.{book}.dimensions.{name}` 设置 `default`"
            )
        } else {
            text!(
                "{of} `{found}` has no code for the dimension `{name}` ({count} payslips such as `{slip}`): add it to \
                 `journals.{book}.dimensions.{name}.map`, or give that a `default`",
                "{of} `{found}` 没有维度 `{name}` 的代码（{count} 张工资单，如 `{slip}`）：请加入 `journals.{book}.dimensions.{name}.map`，或设置 `default`"
            )
        };
        Fault::new(FaultCode::NoDimension, message)
    }

    fn unbalanced(&self, journal: &Journal) -> Option<Fault> {
        let difference = journal.debit - journal.credit;
        if difference.is_zero() {
            return None;
        }
        let currency = journal.currency;
        let (debit, credit) = (journal.shown(journal.debit), journal.shown(journal.credit));
        let difference = journal.shown(difference);
        let named = self.differences.iter().filter(|(_, other, _)| *other == currency);
        let named: Vec<String> = named.map(|(slip, _, rest)| format!("{slip} {}", shown(*rest, currency))).collect();
        let (named, count, currency) = (named.join(", "), self.differing, currency.as_str());
        Some(Fault::new(
            FaultCode::Unbalanced,
            text!(
                "debit {debit} {currency} and credit {credit} {currency} differ by {difference}: {count} payslips do not add up \
                 ({named}). Correct them, or the mapping of their lines, in the payroll system",
                "借方 {debit} {currency} 与贷方 {credit} {currency} 相差 {difference}：{count} 张工资单不平（{named}）。请在薪酬系统中更正，或更正其各行的映射"
            ),
        ))
    }

    fn totals(&self, run: &RunFacts) -> Vec<Fault> {
        let Some(of) = self.book.total else { return Vec::new() };
        let (sums, what) = match of {
            TotalOf::Gross => (&self.gross, "gross"),
            TotalOf::Net => (&self.net, "net"),
        };
        let mut said: BTreeMap<Currency, Decimal> = BTreeMap::new();
        for total in &run.totals {
            *said.entry(total.currency).or_default() += total.amount.value();
        }
        let mut currencies: Vec<Currency> = sums.keys().chain(said.keys()).copied().collect();
        currencies.sort_unstable();
        currencies.dedup();
        let differs = |currency: &Currency| {
            said.get(currency).copied().unwrap_or_default() != sums.get(currency).copied().unwrap_or_default()
        };
        let fault = |currency: Currency| {
            let sum = shown(sums.get(&currency).copied().unwrap_or_default(), currency);
            let total = said.get(&currency).map_or_else(|| "-".to_owned(), |total| shown(*total, currency));
            let (slips, currency) = (self.slips, currency.as_str());
            Fault::new(
                FaultCode::Total,
                text!(
                    "{what} of the {slips} payslips is {sum} {currency} and the run's total {total}: wait until all payslips are there, or \
                     correct `total` of the journal",
                    "{slips} 张工资单的 {what} 合计为 {sum} {currency}，而批次总额为 {total}：请等待全部工资单到齐，或更正凭证的 `total`"
                ),
            )
        };
        currencies.into_iter().filter(differs).map(fault).collect()
    }
}

fn no_payslips(run: &RunFacts) -> Fault {
    let (connection, id) = (&run.connection, &run.external_id);
    Fault::new(
        FaultCode::NoPayslips,
        text!(
            "connection `{connection}` has no payslips of run `{id}`: pull them first",
            "连接 `{connection}` 没有批次 `{id}` 的工资单：请先拉取"
        ),
    )
}

fn no_account(kind: PayLineKind, code: PayLineCode, word: &str, unknown: &Unknown) -> Fault {
    let sums: Vec<String> = unknown
        .sums
        .iter()
        .map(|(currency, sum)| format!("{} {}", shown(*sum, *currency), currency.as_str()))
        .collect();
    let (sums, lines) = (sums.join(", "), unknown.lines);
    let word = if word.is_empty() { String::new() } else { format!(" `{word}`") };
    let label = if unknown.label.is_empty() { String::new() } else { format!(" ({})", unknown.label) };
    Fault::new(
        FaultCode::NoAccount,
        text!(
            "pay item {kind} {code}{word}{label} has no account: {lines} lines, {sums}. Add an item for it",
            "薪资项目 {kind} {code}{word}{label} 没有科目：{lines} 行，{sums}。请为其添加 item"
        ),
    )
}

fn fractions(found: &Counted) -> Fault {
    let (count, named) = (found.count, found.named.join(", "));
    Fault::new(
        FaultCode::Fraction,
        text!(
            "{count} amounts have more digits than their currency: {named}. Round them in the payroll system, or in the mapping (`round`)",
            "{count} 个金额的小数位多于币种：{named}。请在薪酬系统中取整，或在映射中使用 `round`"
        ),
    )
}
