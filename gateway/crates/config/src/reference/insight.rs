//! `[insight]`: questions over many records.

use super::ValueKind::{Count, Duration, Flag, Map, Name, Named, Number, OneOf, SomeOf, Text, Texts};
use super::{KeySpec, SectionSpec, key, section};
use crate::insight::PLAN_QUESTIONS;

const BASES: &[&str] = &[
    "CONSENT",
    "CONTRACT",
    "LEGAL_OBLIGATION",
    "VITAL_INTEREST",
    "PUBLIC_TASK",
    "LEGITIMATE_INTEREST",
    "HR_MANAGEMENT",
];

const KEYS: [KeySpec; 32] = [
    key(
        "purpose",
        Text,
        "\"interview_performance_analysis\"",
        "\"hiring_quality\"",
        "Purpose for which interviews and performance are joined, as consents and data policies name it.",
    ),
    key(
        "without_consent",
        SomeOf(BASES),
        "[]",
        "[\"HR_MANAGEMENT\"]",
        "Legal bases on which a record that names the purpose needs no consent.",
    ),
    key("audit_purpose", Text, "\"bias_audit\"", "\"equal_treatment\"", "Purpose for which groups are compared."),
    key(
        "audit_without_consent",
        SomeOf(BASES),
        "[\"LEGAL_OBLIGATION\"]",
        "[]",
        "Legal bases on which a record that names the purpose of audits needs no consent.",
    ),
    key("utc_offset", Text, "\"+08:00\"", "\"+00:00\"", "Where a day begins."),
    key("window", Duration, "\"365d\"", "\"90d\"", "Period of a question that states none: so many days up to today."),
    key("review_window", Duration, "\"90d\"", "\"60d\"", "Days on each side of a change of a model that are compared."),
    key("slow", Duration, "\"2m\"", "\"1m\"", "A wait of this length or more is slow."),
    key("sample_min", Count, "30", "50", "With fewer people nothing is judged."),
    key(
        "few",
        Count,
        "10",
        "20",
        "A distribution of fewer figures is not shown; from fewer people no profile is drafted, and no pay band is flagged.",
    ),
    key("confidence", Number, "0.95", "0.99", "Confidence of intervals."),
    key("alpha", Number, "0.05", "0.01", "A corrected p value below this does not count as chance."),
    key("relevant", Number, "0.3", "0.2", "From here on a correlation matters."),
    key("top", Number, "0.1", "0.2", "Part of the people with the best scores that an alert looks at."),
    key("flag_below", Number, "0.8", "0.9", "A group whose impact ratio is lower is flagged."),
    key("small_below", Number, "0.02", "0.05", "Groups with a smaller share of the people are shown apart."),
    key(
        "audit_attributes",
        Texts,
        "[\"gender\"]",
        "[\"gender\", \"ethnicity\", \"gender+ethnicity\"]",
        "By what groups are compared; `+` joins attributes.",
    ),
    key(
        "refusals_above",
        Number,
        "0.2",
        "0.3",
        "A pay band is flagged when certainly more than this share refuses for pay.",
    ),
    key("step_percent", Number, "10", "5", "Furthest that a weight moves at a time, in percent of the whole."),
    key("levels", Texts, "[]", "[\"junior\", \"middle\", \"senior\"]", "Levels from the lowest to the highest."),
    key("use_prior_pay", Flag, "true", "false", "False where the law forbids asking what someone earned."),
    key("raise", Number, "0.15", "0.1", "How much more than before a change of job pays."),
    key("match_low", Number, "0.7", "0.6", "A match from here down stands at the lower end of the band."),
    key("pay_round_to", Count, "100", "500", "Suggested amounts are multiples of this."),
    key("ask_within", Duration, "\"30s\"", "\"1m\"", "Longest time that one question may read."),
    key("asks_at_once", Count, "2", "4", "Questions answered at once; the next one is answered with 503."),
    key(
        "entries_max",
        Count,
        "2000000",
        "500000",
        "People, applications and interviews, each, that one question may hold: 40 to 200 bytes an entry.",
    ),
    key(
        "cells_max",
        Count,
        "20000000",
        "5000000",
        "Scores and outcomes that one question may hold: 8 to 64 bytes each.",
    ),
    key("names_max", Count, "20000", "5000", "Different dimensions, questions, metrics and groups of one question."),
    key("ids_max", Count, "20", "50", "Ids that a figure names of the records behind it; the others are counted."),
    key(
        "default_plans",
        Flag,
        "true",
        "false",
        "Ask by default: `review` and `alert` each week, `fairness` each quarter. A plan of the same name takes the place of one.",
    ),
    key(
        "plans",
        Named("insight.plans.NAME"),
        "",
        "{ funnel = { question = \"funnel\", every = \"7d\" } }",
        "Questions that are asked by themselves, by name.",
    ),
];

const PLAN: [KeySpec; 6] = [
    key("question", OneOf(&PLAN_QUESTIONS), "", "\"funnel\"", "Question to ask.").required(),
    key("every", Text, "", "\"7d\"", "How often: `quarter`, `month`, or whole days such as `7d`.").required(),
    key(
        "window",
        Duration,
        "(as long as it is until the next time)",
        "\"90d\"",
        "Period that is asked over. It ends with the last whole day.",
    ),
    key("tenant", Name, "(every tenant)", "\"acme\"", "Tenant whose records are asked."),
    key(
        "parameters",
        Map(&Text),
        "{}",
        "{ outcome = \"probation_passed\" }",
        "Parameters of the question, as `GET /v1/insights` lists them.",
    ),
    key("enabled", Flag, "true", "false", "False: it is not asked."),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    vec![
        section(
            "insight",
            "insight",
            "",
            "Questions over many records: how they are judged, and what is asked by itself.",
            &KEYS,
        ),
        section("insight.plans.NAME", "insight.plans.NAME", "insight", "A question that is asked by itself.", &PLAN),
    ]
}
