//! A balanced journal, and the input of the action that posts it.

use std::collections::BTreeMap;

use renmen_schema::types::{Currency, LocalDate};
use renmen_store::ContentHash;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use crate::book::Book;
use crate::draft::RunFacts;

/// Characters of the texts that are sent.
const REFERENCE_CHARS_MAX: usize = 120;
const TEXT_CHARS_MAX: usize = 200;
const LINE_TEXT_CHARS_MAX: usize = 100;

/// Which side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// Expense grows.
    Debit,
    /// Liability grows.
    Credit,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }

    /// As the action's input writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "DEBIT",
            Self::Credit => "CREDIT",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Debit or credit.
    pub side: Side,
    /// The account.
    pub account: String,
    /// By the ledger's names.
    pub dimensions: BTreeMap<String, String>,
    /// What was summed up.
    pub text: String,
    /// More than nothing, in units of the currency.
    pub amount: Decimal,
}

/// A journal of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Of all its lines.
    pub currency: Currency,
    /// Of the debit lines.
    pub debit: Decimal,
    /// Of the credit lines.
    pub credit: Decimal,
    /// Debit first.
    pub lines: Vec<JournalLine>,
}

impl Journal {
    /// An amount with the digits of the currency.
    #[must_use]
    pub fn shown(&self, amount: Decimal) -> String {
        shown(amount, self.currency)
    }

    /// The posting's identity: the same for this run, table and currency for ever, even where the store was filled again.
    #[must_use]
    pub fn id(&self, book: &Book, run: &RunFacts) -> String {
        let named = json!(["journal", book.tenant, book.name, run.connection, run.external_id, self.currency]);
        hex::encode(ContentHash::of(named.to_string().as_bytes()).0)
    }

    /// The input of the action.
    #[must_use]
    pub fn input(&self, book: &Book, run: &RunFacts, date: LocalDate) -> Value {
        let lines: Vec<Value> = self.lines.iter().enumerate().map(|(at, line)| self.line(at + 1, line)).collect();
        let day = date.civil();
        let text = format!("{} {}..{} {}", book.text, run.period.start, run.period.end, run.external_id);
        let mut input = json!({
            "id": self.id(book, run),
            "journal": book.name,
            "reference": cut(&run.external_id, REFERENCE_CHARS_MAX),
            "ledger": book.ledger,
            "date": date,
            "period": { "year": day.year(), "month": day.month() },
            "currency": self.currency,
            "text": cut(&text, TEXT_CHARS_MAX),
            "total": self.shown(self.debit),
            "header": book.header,
            "lines": lines,
        });
        if let Some(kind) = &book.document_type {
            input["document_type"] = json!(kind);
        }
        if let Some(pay_date) = run.pay_date {
            input["document_date"] = json!(pay_date);
        }
        input
    }

    fn line(&self, number: usize, line: &JournalLine) -> Value {
        let amount = self.shown(line.amount);
        let side = match line.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        json!({
            "number": number,
            "side": line.side,
            "account": line.account,
            "amount": amount,
            side: amount,
            "text": cut(&line.text, LINE_TEXT_CHARS_MAX),
            "dimensions": line.dimensions,
        })
    }
}

/// An amount with the digits of its currency, or with its own where it has more.
pub(crate) fn shown(amount: Decimal, currency: Currency) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < currency.minor_digits() {
        amount.rescale(currency.minor_digits());
    }
    amount.to_string()
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}
