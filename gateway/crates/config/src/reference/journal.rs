//! `[journals.NAME]`: payroll to the ledger. What a table means is checked where journals are made.

use renmen_schema::code::{PayLineCode, PayLineKind, PayrollRunState};

use super::ValueKind::{Count, Flag, Map, Name, Named, OneOf, SomeOf, Table, Text, TextOrTexts, Texts};
use super::{KeySpec, SectionSpec, key, section};
use crate::journal::DIMENSIONS_OF;

const STATES: [&str; PayrollRunState::ALL.len()] = {
    let mut words = [""; PayrollRunState::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = PayrollRunState::ALL[at].as_str();
        at += 1;
    }
    words
};

const KINDS: [&str; PayLineKind::ALL.len()] = {
    let mut words = [""; PayLineKind::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = PayLineKind::ALL[at].as_str();
        at += 1;
    }
    words
};

const CODES: [&str; PayLineCode::ALL.len()] = {
    let mut words = [""; PayLineCode::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = PayLineCode::ALL[at].as_str();
        at += 1;
    }
    words
};

const JOURNAL: [KeySpec; 15] = [
    key("connection", Name, "", "\"finance\"", "Connection that posts it, by its action `journal.post`.").required(),
    key("ledger", Text, "", "\"001\"", "Account book, company code or ledger, as the ledger's system names it.")
        .required(),
    key(
        "net",
        Table("journals.NAME.net"),
        "",
        "{ account = \"2211.01\" }",
        "Account on which net pay is owed until it is paid.",
    )
    .required(),
    key(
        "items",
        Named("journals.NAME.items.NAME"),
        "",
        "{ wages = { kind = \"EARNING\", debit = \"6602.01\" } }",
        "Accounts of pay items, by names of your choice.",
    ),
    key(
        "dimensions",
        Named("journals.NAME.dimensions.NAME"),
        "",
        "{ cost_center = { of = \"org_unit\" } }",
        "Dimensions that lines can carry, by names of your choice.",
    ),
    key("enabled", Flag, "true", "false", "`false` keeps it in the file without using it."),
    key("tenant", Name, "(that of `[gateway]`)", "\"acme\"", "Tenant whose payroll it is."),
    key("runs", TextOrTexts, "(any)", "\"payroll\"", "Connections whose payroll runs may be posted."),
    key(
        "states",
        SomeOf(&STATES),
        "[\"APPROVED\", \"PAID\", \"CLOSED\"]",
        "[\"APPROVED\"]",
        "States in which a run may be posted.",
    ),
    key("document_type", Text, "", "\"PR\"", "Kind of voucher, as the ledger's system names it."),
    key("date", OneOf(&["period_end", "pay_date"]), "\"period_end\"", "\"pay_date\"", "Day on which it is posted."),
    key("text", Text, "\"Payroll\"", "\"Wages\"", "Beginning of the journal's text."),
    key(
        "header",
        Map(&Text),
        "{}",
        "{ maker_email = \"finance@example.com\" }",
        "Constants that only this ledger needs. The connector's README names them.",
    ),
    key(
        "total",
        OneOf(&["net", "gross"]),
        "",
        "\"net\"",
        "What the run's own totals are the sum of. A run whose payslips come to another sum is refused.",
    ),
    key("lines_max", Count, "999", "5000", "Lines of one journal, 2 to 10000; a longer one is refused."),
];

const NET: [KeySpec; 3] = [
    key("account", Text, "", "\"2211.01\"", "Account, credited.").required(),
    key("dimensions", Texts, "[]", "[\"cost_center\"]", "Names of dimensions that its lines carry."),
    key("text", Text, "\"Net pay\"", "\"Wages payable\"", "Text of its lines."),
];

const ITEM: [KeySpec; 8] = [
    key("kind", OneOf(&KINDS), "", "\"EARNING\"", "What the lines do to pay.").required(),
    key(
        "codes",
        SomeOf(&CODES),
        "[]",
        "[\"BASE\", \"ALLOWANCE\"]",
        "Codes of the lines; without `codes` and `words` all that no other item has.",
    ),
    key(
        "words",
        Texts,
        "[]",
        "[\"1001\"]",
        "The payroll system's own words for the lines (`raw` of the code). They count before codes.",
    ),
    key("debit", Text, "", "\"6602.01\"", "Account that is debited: for every kind but DEDUCTION and TAX."),
    key("credit", Text, "", "\"2241.01\"", "Account that is credited: for every kind but EARNING and REIMBURSEMENT."),
    key("debit_dimensions", Texts, "[]", "[\"cost_center\"]", "Names of dimensions of the debit lines."),
    key("credit_dimensions", Texts, "[]", "[\"cost_center\"]", "Names of dimensions of the credit lines."),
    key(
        "text",
        Text,
        "(the item's name)",
        "\"Wages\"",
        "Text of its lines. Lines of one account, text and dimensions are one.",
    ),
];

const DIMENSION: [KeySpec; 4] = [
    key(
        "of",
        OneOf(&DIMENSIONS_OF),
        "",
        "\"org_unit\"",
        "What it follows: the employee's unit, cost centre or number, or the run's company or group.",
    )
    .required(),
    key("name", Text, "(its name here)", "\"FFLEX5\"", "What the ledger calls it."),
    key(
        "map",
        Map(&Text),
        "{}",
        "{ D-10 = \"CC10\" }",
        "From what it follows to the ledger's code. A unit that is not there has the code of the nearest unit above it. Empty: what it follows is the code.",
    ),
    key("default", Text, "", "\"CC00\"", "Code where nothing is found; without it the run is refused."),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    vec![
        section(
            "journals.NAME",
            "journals.NAME",
            "",
            "Payroll to the ledger: which accounts pay items go to. [journals.md](journals.md) explains it.",
            &JOURNAL,
        ),
        section(
            "journals.NAME.net",
            "journals.NAME.net",
            "journals.NAME",
            "Where net pay is owed until it is paid.",
            &NET,
        ),
        section(
            "journals.NAME.items.NAME",
            "journals.NAME.items.NAME",
            "journals.NAME",
            "Accounts of a pay item.",
            &ITEM,
        ),
        section(
            "journals.NAME.dimensions.NAME",
            "journals.NAME.dimensions.NAME",
            "journals.NAME",
            "A dimension of lines, such as a cost centre.",
            &DIMENSION,
        ),
    ]
}
