//! `[journals]` as tables that journals are made by: what the reader could not see is checked here, with the place in the file.

use std::sync::Arc;

use renmen_config::{Config, Journal, JournalDate, JournalItem, JournalTotal, LateProblem};
use renmen_flow::FlowEngine;
use renmen_ledger::{ACTION, Account, Book, Dimension, DimensionOf, Item, Ledger, PostingDate, TotalOf};
use renmen_schema::code::PayLineKind;
use renmen_schema::id::ConnectionName;
use renmen_schema::{Text, text};

use super::Running;

/// Makes and posts journals.
pub(crate) fn open_ledger(running: &Running) -> anyhow::Result<Arc<Ledger>> {
    let current = running.current();
    let books = books(&current.deployment.config)?;
    Ok(Ledger::new(Arc::clone(&running.store), Arc::clone(&running.flows), books))
}

/// Refuses tables that cannot be used.
pub(super) fn check(config: &Config) -> anyhow::Result<()> {
    books(config).map(|_| ())
}

/// Refuses a table that posts to where no journals are taken. A connection that is off waits.
pub(super) fn check_destinations(config: &Config, flows: &FlowEngine) -> anyhow::Result<()> {
    for journal in config.journals.values().filter(|journal| journal.enabled) {
        let catalogue = flows.catalogue(&journal.tenant);
        let connection = &journal.connection;
        if catalogue.able(ACTION).any(|able| able == connection) || catalogue.off(connection).is_some() {
            continue;
        }
        let able: Vec<String> = catalogue.able(ACTION).map(|name| format!("`{name}`")).collect();
        let able = if able.is_empty() { "-".to_owned() } else { able.join(", ") };
        let problem = LateProblem {
            key: "connection".to_owned(),
            at: None,
            message: text!(
                "connection `{connection}` has no action `{ACTION}`",
                "连接 `{connection}` 没有动作 `{ACTION}`"
            ),
            help: text!("these have it: {able}", "具有该动作的连接：{able}"),
        };
        return Err(journal.refuse(&config.path, &[problem]).into());
    }
    Ok(())
}

fn books(config: &Config) -> anyhow::Result<Vec<Book>> {
    let mut books = Vec::new();
    for (name, journal) in config.journals.iter().filter(|(_, journal)| journal.enabled) {
        let problems = problems(config, journal);
        if !problems.is_empty() {
            return Err(journal.refuse(&config.path, &problems).into());
        }
        books.push(book(name, journal));
    }
    Ok(books)
}

fn book(name: &ConnectionName, journal: &Journal) -> Book {
    let net = &journal.net;
    Book {
        name: name.to_string(),
        tenant: journal.tenant.clone(),
        connection: journal.connection.clone(),
        runs: journal.runs.clone(),
        states: journal.states.clone(),
        ledger: journal.ledger.clone(),
        document_type: journal.document_type.clone(),
        date: match journal.date {
            JournalDate::PeriodEnd => PostingDate::PeriodEnd,
            JournalDate::PayDate => PostingDate::PayDate,
        },
        text: journal.text.clone(),
        header: journal.header.clone(),
        net: Account { code: net.account.clone(), dimensions: net.dimensions.clone(), text: net.text.clone() },
        items: journal.items.iter().map(|(name, item)| item_of(name, item)).collect(),
        dimensions: journal
            .dimensions
            .iter()
            .filter_map(|(name, said)| {
                let dimension = Dimension {
                    name: said.name.clone().unwrap_or_else(|| name.to_string()),
                    of: of(&said.of)?,
                    map: said.map.clone(),
                    default: said.default.clone(),
                };
                Some((name.to_string(), dimension))
            })
            .collect(),
        total: journal.total.map(|total| match total {
            JournalTotal::Net => TotalOf::Net,
            JournalTotal::Gross => TotalOf::Gross,
        }),
        lines_max: journal.lines_max as usize,
    }
}

fn of(word: &str) -> Option<DimensionOf> {
    use DimensionOf::{CostCenter, Employee, LegalEntity, OrgUnit, PayGroup};
    [OrgUnit, CostCenter, Employee, LegalEntity, PayGroup].into_iter().find(|of| of.as_str() == word)
}

fn item_of(name: &ConnectionName, item: &JournalItem) -> Item {
    let text = item.text.clone().unwrap_or_else(|| name.to_string());
    let account = |code: &Option<String>, dimensions: &[String]| {
        code.clone().map(|code| Account { code, dimensions: dimensions.to_vec(), text: text.clone() })
    };
    Item {
        name: name.to_string(),
        kind: item.kind,
        codes: item.codes.clone(),
        words: item.words.clone(),
        debit: account(&item.debit, &item.debit_dimensions),
        credit: account(&item.credit, &item.credit_dimensions),
    }
}

/// What makes no sense, each with its key.
fn problems(config: &Config, journal: &Journal) -> Vec<LateProblem> {
    let mut found = Vec::new();
    let mut problem = |key: String, message: Text, help: Text| found.push(LateProblem { key, at: None, message, help });
    if journal.items.is_empty() {
        problem(
            "items".to_owned(),
            text!("there is no item, so no pay item has an account", "没有 item，任何薪资项目都没有科目"),
            text!("write `[journals.NAME.items.wages]`", "请写 `[journals.NAME.items.wages]`"),
        );
    }
    for (at, run) in journal.runs.iter().enumerate().filter(|(_, run)| !config.connections.contains_key(*run)) {
        problem(
            format!("runs[{at}]"),
            text!("there is no connection `{run}`", "没有连接 `{run}`"),
            text!("name a connection that brings payroll runs", "请写明提供薪酬批次的连接"),
        );
    }
    for (name, item) in &journal.items {
        let (debit, credit) = sides(item.kind);
        for (side, wanted, there) in [("debit", debit, item.debit.is_some()), ("credit", credit, item.credit.is_some())]
        {
            let kind = item.kind;
            if wanted && !there {
                problem(
                    format!("items.{name}"),
                    text!("an item of {kind} needs `{side}`", "{kind} 项目需要 `{side}`"),
                    text!("name the account", "请写明科目"),
                );
            } else if there && !wanted {
                problem(
                    format!("items.{name}.{side}"),
                    text!(
                        "an item of {kind} has no `{side}`: its other side is net pay",
                        "{kind} 项目没有 `{side}`：其对方是实发工资"
                    ),
                    text!("take it out", "请删除"),
                );
            }
        }
        for (key, names) in
            [("debit_dimensions", &item.debit_dimensions), ("credit_dimensions", &item.credit_dimensions)]
        {
            unknown_dimensions(journal, &format!("items.{name}.{key}"), names, &mut problem);
        }
    }
    unknown_dimensions(journal, "net.dimensions", &journal.net.dimensions, &mut problem);
    for (one, other, what) in overlaps(journal) {
        problem(
            format!("items.{one}"),
            text!("both `{one}` and `{other}` are for {what}", "`{one}` 与 `{other}` 都针对 {what}"),
            text!("leave it to one of them", "请只保留其中之一"),
        );
    }
    found
}

/// Which sides an item of a kind has.
fn sides(kind: PayLineKind) -> (bool, bool) {
    match kind {
        PayLineKind::Earning | PayLineKind::Reimbursement => (true, false),
        PayLineKind::Deduction | PayLineKind::Tax => (false, true),
        PayLineKind::EmployerContribution => (true, true),
    }
}

fn unknown_dimensions(journal: &Journal, key: &str, names: &[String], problem: &mut impl FnMut(String, Text, Text)) {
    for (at, name) in names.iter().enumerate() {
        if !journal.dimensions.keys().any(|known| known.as_str() == name) {
            let known = journal.dimensions.keys().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
            problem(
                format!("{key}[{at}]"),
                text!("there is no dimension `{name}`", "没有维度 `{name}`"),
                text!("use one of: {known}", "请使用其中之一：{known}"),
            );
        }
    }
}

/// Items for the same lines.
fn overlaps(journal: &Journal) -> Vec<(&ConnectionName, &ConnectionName, String)> {
    let mut found = Vec::new();
    let items: Vec<_> = journal.items.iter().collect();
    for (at, (one, a)) in items.iter().enumerate() {
        for (other, b) in &items[..at] {
            if a.kind != b.kind {
                continue;
            }
            let kind = a.kind;
            let code = a.codes.iter().find(|code| b.codes.contains(code)).map(|code| format!("{kind} {code}"));
            let word = a.words.iter().find(|word| b.words.contains(word)).map(|word| format!("{kind} `{word}`"));
            let all = |item: &JournalItem| item.codes.is_empty() && item.words.is_empty();
            let rest = (all(a) && all(b)).then(|| kind.to_string());
            if let Some(what) = code.or(word).or(rest) {
                found.push((*one, *other, what));
            }
        }
    }
    found
}
