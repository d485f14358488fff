//! `[identity]`: who is one person.

use super::ValueKind::{Count, Duration, Flag, Map, Named, OneOf, Table, Text, TextOrTexts, Texts};
use super::{KeySpec, SectionSpec, key, section};

const KEYS: [KeySpec; 15] = [
    key("enabled", Flag, "true", "false", "Finds out which records are one person or unit."),
    key("tenants_off", Texts, "[]", "[\"acme\"]", "Tenants for which it does not."),
    key("link_at", Count, "100", "120", "Records with this score or more are linked, unless something contradicts it."),
    key("propose_at", Count, "60", "50", "Records with this score or more are proposed to a person."),
    key(
        "component_max",
        Count,
        "200",
        "100",
        "More records than this that hold together by rules are linked by none of them; health tells of them.",
    ),
    key(
        "holders_max",
        Count,
        "64",
        "100",
        "A value on more records than this does not count; health tells how many there are.",
    ),
    key("values_max", Count, "48", "20", "Values of one record that count."),
    key(
        "one_each",
        Map(&Texts),
        "{}",
        "{ hr = [\"employee\"] }",
        "Connections with one record for each person at a time: two of them are never linked by rules.",
    ),
    key(
        "unknown_birth_dates",
        Texts,
        "[\"1900-01-01\", \"1970-01-01\"]",
        "[\"1900-01-01\"]",
        "Dates that stand for an unknown date of birth.",
    ),
    key(
        "short_names",
        Map(&Text),
        "{}",
        "{ xiaoming = \"ming\" }",
        "Short forms of given names, with the full form, in addition to those that are known.",
    ),
    key("history", Duration, "\"366d\"", "\"90d\"", "How long links that ended are kept, and shown with a person."),
    key(
        "takeover_after",
        Duration,
        "\"15s\"",
        "\"30s\"",
        "Time without a sign of life after which another gateway goes on with this work.",
    ),
    key("names", Table("identity.names"), "", "{ different = 80 }", "What names add to the score of two records."),
    key(
        "prefer",
        Map(&TextOrTexts),
        "{}",
        "{ default = \"latest\", \"person.names\" = [\"hr\"] }",
        "Which source's value of a field is preferred: `latest`, `most_agreed`, or connections in their order; `default` is for all other fields.",
    ),
    key(
        "rules",
        Named("identity.rules.NAME"),
        "",
        "{ mobile = { weight = 50 } }",
        "Rules by name. One with the name of a built-in rule changes what it says of it; any other is added.",
    ),
];

const NAMES: [KeySpec; 4] = [
    key("same", Count, "40", "50", "The same name."),
    key("near", Count, "40", "30", "The same name by a usual short form."),
    key("partly", Count, "0", "10", "A part of the name is the same."),
    key("different", Count, "60", "100", "Nothing is the same: so much is taken off."),
];

const RULE: [KeySpec; 6] = [
    key(
        "scheme",
        OneOf(&[
            "staff_number",
            "national_id",
            "work_mail",
            "mail",
            "mobile",
            "application",
            "birth_date",
            "name_and_birth_date",
            "unit_code",
            "unit_name",
        ]),
        "(that of the built-in rule of this name)",
        "\"staff_number\"",
        "What it compares.",
    )
    .needs("enabled = false"),
    key("enabled", Flag, "(true)", "false", "A rule that is not enabled does not count.").needs("scheme = \"mobile\""),
    key("weight", Count, "(as the built-in rule)", "80", "What it adds to the score of two records.").needs(SCHEME_APART),
    key(
        "counts",
        OneOf(&["alone", "with_name", "suggests", "supports"]),
        "(as the built-in rule)",
        "\"suggests\"",
        "`alone`: may link by itself. `with_name`: only together with the name. `suggests`: a person decides. `supports`: adds to other rules.",
    )
    .needs(SCHEME_APART),
    key(
        "names_max",
        Count,
        "(as the built-in rule)",
        "5",
        "A value that records of one connection have under more names than this does not count.",
    )
    .needs(SCHEME_APART),
    key(
        "among",
        Texts,
        "[]",
        "[\"hr-north\", \"payroll-north\"]",
        "Only values of these connections mean the same: staff numbers of two companies are apart.",
    )
    .needs(SCHEME_APART),
];

/// A built-in rule compares the same for all connections already: that one is taken out in the examples.
const SCHEME_APART: &str = "scheme = \"mobile\"\n[identity.rules.mobile]\nenabled = false";

pub(super) fn sections() -> Vec<SectionSpec> {
    vec![
        section(
            "identity",
            "identity",
            "",
            "Which records, of all connections, are one person or one organisational unit.",
            &KEYS,
        ),
        section("identity.names", "identity.names", "identity", "What names add to the score of two records.", &NAMES),
        section(
            "identity.rules.NAME",
            "identity.rules.NAME",
            "identity",
            "A rule: a kind of value that two records of one person have in common.",
            &RULE,
        ),
    ]
}
