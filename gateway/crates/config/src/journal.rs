//! `[journals.NAME]`: which accounts and dimensions pay items go to, and where their journal is posted. Whether it makes sense (both
//! sides where a kind needs both, no line for two items, a destination that takes journals) is seen where journals are made; what is
//! found wrong there comes back here to be told with line and column.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use renmen_schema::code::{PayLineCode, PayLineKind, PayrollRunState};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};

use crate::error::ConfigError;
use crate::limits::within_range;
use crate::places::{LateProblem, Places};
use crate::section::{Node, Section};

/// Journals in one file.
pub const JOURNALS_MAX: usize = 200;
/// Lines of one journal.
pub const JOURNAL_LINES_MAX: u32 = 10_000;

/// A table from pay items to accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// `enabled`
    pub enabled: bool,
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// `connection`: where it is posted.
    pub connection: ConnectionName,
    /// `runs`: connections whose payroll runs; none: any.
    pub runs: Vec<ConnectionName>,
    /// `states`: of runs that may be posted.
    pub states: Vec<PayrollRunState>,
    /// `ledger`: the account book.
    pub ledger: String,
    /// `document_type`
    pub document_type: Option<String>,
    /// `date`
    pub date: JournalDate,
    /// `text`: what the journal's text begins with.
    pub text: String,
    /// `header`: what only this ledger needs.
    pub header: BTreeMap<String, String>,
    /// `net`: where net pay is owed.
    pub net: JournalNet,
    /// `total`: what the run's own total is the sum of.
    pub total: Option<JournalTotal>,
    /// `lines_max`
    pub lines_max: u32,
    /// `items`, by name.
    pub items: BTreeMap<ConnectionName, JournalItem>,
    /// `dimensions`, by name.
    pub dimensions: BTreeMap<ConnectionName, JournalDimension>,
    places: Places,
}

/// Which day a journal is posted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalDate {
    /// `period_end`
    PeriodEnd,
    /// `pay_date`
    PayDate,
}

/// What a run's total counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalTotal {
    /// `net`
    Net,
    /// `gross`
    Gross,
}

/// Where net pay is owed until it is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalNet {
    /// `account`
    pub account: String,
    /// `dimensions`: names.
    pub dimensions: Vec<String>,
    /// `text`: of its lines.
    pub text: String,
}

/// Accounts of a pay item.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalItem {
    /// `kind`
    pub kind: PayLineKind,
    /// `codes`; none: any.
    pub codes: Vec<PayLineCode>,
    /// `words`: the payroll system's own.
    pub words: Vec<String>,
    /// `debit`: the account.
    pub debit: Option<String>,
    /// `credit`: the account.
    pub credit: Option<String>,
    /// `debit_dimensions`: names.
    pub debit_dimensions: Vec<String>,
    /// `credit_dimensions`: names.
    pub credit_dimensions: Vec<String>,
    /// `text`: of its lines; by default the item's name.
    pub text: Option<String>,
}

/// How a dimension is found.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalDimension {
    /// `of`
    pub of: String,
    /// `name`: what the ledger calls it; by default its name here.
    pub name: Option<String>,
    /// `map`: to the ledger's code.
    pub map: BTreeMap<String, String>,
    /// `default`: where the map has nothing.
    pub default: Option<String>,
}

/// What a dimension can follow.
pub const DIMENSIONS_OF: [&str; 5] = ["org_unit", "cost_center", "employee", "legal_entity", "pay_group"];

impl Journal {
    pub(crate) fn read_all(
        section: Option<Section<'_>>,
        tenant: &TenantId,
        text: &Arc<str>,
    ) -> BTreeMap<ConnectionName, Self> {
        let mut journals = BTreeMap::new();
        for (name, node) in section.map(Section::named::<ConnectionName>).unwrap_or_default() {
            if journals.len() == JOURNALS_MAX {
                node.problem(
                    text!("more than {JOURNALS_MAX} journals", "凭证表超过 {JOURNALS_MAX} 个"),
                    text!("give the others to a second gateway", "请把其余的放到另一个网关"),
                );
                break;
            }
            if let Some(journal) = Self::read(&node, tenant, text) {
                journals.insert(name, journal);
            }
        }
        journals
    }

    fn read(node: &Node<'_>, tenant: &TenantId, file: &Arc<str>) -> Option<Self> {
        let mut section = node.section()?;
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        let connection = section
            .require("connection", text!("name the connection that posts it", "请写明负责入账的连接"))
            .and_then(|node| node.named());
        let runs = section.get("runs").map(|node| names(&node)).unwrap_or_default();
        let states = section.get("states").map(|node| codes(&node, PayrollRunState::ALL, PayrollRunState::as_str));
        let ledger =
            section.require("ledger", text!("name the account book", "请写明账簿")).and_then(|node| node.filled());
        let document_type = filled(&mut section, "document_type");
        let date = match section.get("date") {
            None => Some(JournalDate::PeriodEnd),
            Some(node) => word(&node, &[("period_end", JournalDate::PeriodEnd), ("pay_date", JournalDate::PayDate)]),
        };
        let text = filled(&mut section, "text").unwrap_or_else(|| "Payroll".to_owned());
        let header = map(&mut section, "header");
        let net =
            section.require("net", text!("write `net = {{ account = \"…\" }}`", "请写 `net = {{ account = \"…\" }}`"));
        let net = net.and_then(|node| node.section()).and_then(JournalNet::read);
        let total = section
            .get("total")
            .and_then(|node| word(&node, &[("net", JournalTotal::Net), ("gross", JournalTotal::Gross)]));
        let lines_max = section.get("lines_max").and_then(|node| within_range::count(&node, 2_u32, JOURNAL_LINES_MAX));
        let items = named(section.table("items"), JournalItem::read);
        let dimensions = named(section.table("dimensions"), JournalDimension::read);
        section.finish();
        Some(Self {
            enabled,
            tenant: tenant?,
            connection: connection?,
            runs,
            states: states
                .unwrap_or_else(|| vec![PayrollRunState::Approved, PayrollRunState::Paid, PayrollRunState::Closed]),
            ledger: ledger?.value,
            document_type,
            date: date?,
            text,
            header,
            net: net?,
            total,
            lines_max: lines_max.unwrap_or(999),
            items,
            dimensions,
            places: Places::of(node, file),
        })
    }

    /// The error of a table that cannot be used, with the place of each problem in the file.
    #[must_use]
    pub fn refuse(&self, path: &Path, problems: &[LateProblem]) -> ConfigError {
        self.places.refuse(path, problems, |_| None)
    }
}

impl JournalNet {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let account = section
            .require("account", text!("name the account of net pay", "请写明实发工资的科目"))
            .and_then(|node| node.filled());
        let dimensions = texts(&mut section, "dimensions");
        let text = filled(&mut section, "text").unwrap_or_else(|| "Net pay".to_owned());
        section.finish();
        Some(Self { account: account?.value, dimensions, text })
    }
}

impl JournalItem {
    fn read(node: &Node<'_>) -> Option<Self> {
        let mut section = node.section()?;
        let kinds: Vec<(&str, PayLineKind)> = PayLineKind::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect();
        let kind = section
            .require("kind", text!("say what its lines do, such as \"EARNING\"", "请写明各行的种类，例如 \"EARNING\""))
            .and_then(|node| word(&node, &kinds));
        let codes = section.get("codes").map(|node| codes(&node, PayLineCode::ALL, PayLineCode::as_str));
        let item = Self {
            kind: PayLineKind::Earning,
            codes: codes.unwrap_or_default(),
            words: texts(&mut section, "words"),
            debit: filled(&mut section, "debit"),
            credit: filled(&mut section, "credit"),
            debit_dimensions: texts(&mut section, "debit_dimensions"),
            credit_dimensions: texts(&mut section, "credit_dimensions"),
            text: filled(&mut section, "text"),
        };
        section.finish();
        Some(Self { kind: kind?, ..item })
    }
}

impl JournalDimension {
    fn read(node: &Node<'_>) -> Option<Self> {
        let mut section = node.section()?;
        let known: Vec<(&str, &str)> = DIMENSIONS_OF.iter().map(|of| (*of, *of)).collect();
        let of = section
            .require("of", text!("say what it follows, such as \"org_unit\"", "请写明依据，例如 \"org_unit\""))
            .and_then(|node| word(&node, &known));
        let name = filled(&mut section, "name");
        let map = map(&mut section, "map");
        let default = filled(&mut section, "default");
        section.finish();
        Some(Self { of: of?.to_owned(), name, map, default })
    }
}

fn named<T>(section: Option<Section<'_>>, read: impl Fn(&Node<'_>) -> Option<T>) -> BTreeMap<ConnectionName, T> {
    let all = section.map(Section::named::<ConnectionName>).unwrap_or_default();
    all.into_iter().filter_map(|(name, node)| Some((name, read(&node)?))).collect()
}

fn filled(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    section.get(key)?.filled().map(|text| text.value)
}

fn texts(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let items = section.get(key).and_then(|node| node.list()).unwrap_or_default();
    items.iter().filter_map(|item| item.filled().map(|text| text.value)).collect()
}

fn map(section: &mut Section<'_>, key: &'static str) -> BTreeMap<String, String> {
    let Some(table) = section.table(key) else { return BTreeMap::new() };
    table.nodes().filter_map(|(name, node)| Some((name.to_owned(), node.filled()?.value))).collect()
}

/// One name or a list of them.
fn names(node: &Node<'_>) -> Vec<ConnectionName> {
    match node.is_string() {
        true => node.named().into_iter().collect(),
        false => node.list().unwrap_or_default().iter().filter_map(Node::named).collect(),
    }
}

fn word<T: Copy>(node: &Node<'_>, known: &[(&str, T)]) -> Option<T> {
    let words = known.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let find = |text: &str| -> Result<T, Text> {
        let found = known.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| text!("is not one of the words known here", "不在可用的词之中"))
    };
    node.parsed(find, text!("use one of {words}", "请使用其中之一：{words}"))
}

fn codes<T: Copy>(node: &Node<'_>, all: &[T], name: impl Fn(T) -> &'static str) -> Vec<T> {
    let known: Vec<(&str, T)> = all.iter().map(|one| (name(*one), *one)).collect();
    node.list().unwrap_or_default().iter().filter_map(|item| word(item, &known)).collect()
}
