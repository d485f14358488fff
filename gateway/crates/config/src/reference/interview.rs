//! `[interview]`: what the gateway itself does about interviews.

use super::ValueKind::{Count, Duration, Flag, Map, Named, Number, Numbers, Path, Text, Texts, Variable};
use super::{KeySpec, SectionSpec, key, section};

const KEYS: [KeySpec; 24] = [
    key(
        "vendors",
        Texts,
        "(the one connection that may write interviews)",
        "[\"interview\"]",
        "Connections that conduct AI interviews: the vendor's, not HR systems that keep copies.",
    ),
    key(
        "sources",
        Map(&Texts),
        "{}",
        "{ interview = [\"proctoring\"] }",
        "Further connections whose records count for the interviews of a connection.",
    ),
    key(
        "pay_bands",
        Texts,
        "(the one connection that may write pay bands)",
        "[\"payroll\"]",
        "Connections whose pay bands are used.",
    ),
    key("remind_before", Duration, "\"5m\"", "\"1h\"", "A reminder is due this long before the start."),
    key("no_show_after", Duration, "\"10m\"", "\"15m\"", "A no-show is recorded this long after the start."),
    key(
        "dropped_after",
        Duration,
        "\"15m\"",
        "\"30m\"",
        "An interview without any event for this long counts as dropped.",
    ),
    key(
        "feedback_within",
        Duration,
        "\"10m\"",
        "\"1h\"",
        "The candidate's feedback is due within this time after the end.",
    ),
    key("catch_up", Duration, "\"7d\"", "\"1d\"", "Ignore timers that are overdue by more than this."),
    key(
        "decide_within",
        Duration,
        "\"2d\"",
        "\"24h\"",
        "An interview still undecided this long after its end is reported.",
    ),
    key(
        "adjust_wait",
        Duration,
        "\"3d\"",
        "\"24h\"",
        "An adjust instruction that has waited this long is listed in `GET /v1/health`.",
    ),
    key(
        "adjust_self_approval",
        Flag,
        "false",
        "true",
        "Allows the person who proposed an adjust instruction to approve it.",
    ),
    key(
        "takeover_after",
        Duration,
        "\"15s\"",
        "\"30s\"",
        "Time without a sign of life after which another gateway takes over the interview loop.",
    ),
    key(
        "screen_token_life",
        Duration,
        "\"2h\"",
        "\"4h\"",
        "Lifetime of a token with which a candidate's screen follows its interview.",
    ),
    key("decision_link_life", Duration, "\"3d\"", "\"24h\"", "Lifetime of a decision link."),
    key(
        "decision_link_key_env",
        Variable,
        "",
        "\"RENMEN_LINK_KEY\"",
        "Environment variable with the key that seals decision links, 32 bytes in base64. Gateways that share a database need the same key.",
    ),
    key(
        "decision_link_key_file",
        Path,
        "(`decision-links.key` in `gateway.data_dir`)",
        "\"/etc/renmen/links.key\"",
        "File with that key; instead of `decision_link_key_env`.",
    ),
    key("match_asks_per_minute", Count, "600", "60", "Pay-band questions per API key and minute."),
    key(
        "match_amounts_per_interview",
        Count,
        "3",
        "2",
        "Different amounts that one interview may ask about within `match_window`.",
    ),
    key(
        "match_asks_per_candidate",
        Count,
        "6",
        "10",
        "Pay-band questions about one candidate within `match_window`, across all interviews and connections.",
    ),
    key("match_asks_per_band", Count, "1000", "200", "Pay-band questions per connection, band and day."),
    key(
        "match_window",
        Duration,
        "\"30d\"",
        "\"7d\"",
        "Time over which questions of an interview and of a candidate are counted.",
    ),
    key(
        "match_digits",
        Count,
        "2",
        "3",
        "Significant digits to which answers distinguish amounts; more digits reveal more of the band.",
    ),
    key("children_max", Count, "10000", "20000", "Records of one kind considered per interview."),
    key("rules", Named("interview.rules.NAME"), "", "{ default = { pass = 80 } }", "Pass lines by name."),
];

const RULE: [KeySpec; 4] = [
    key("pass", Number, "", "80", "Pass line, in percent of the result's scale.").required(),
    key(
        "border",
        Numbers,
        "",
        "[75, 80]",
        "Scores from the first up to, but not including, the second are decided by a person.",
    ),
    key(
        "position",
        Text,
        "(every position without a rule of its own)",
        "\"7001\"",
        "Id of the job in its source system that the rule is for.",
    ),
    key("profile_version", Count, "", "3", "Only for this version of the position's profile."),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    vec![
        section("interview", "interview", "", "What the gateway itself does about interviews.", &KEYS),
        section("interview.rules.NAME", "interview.rules.NAME", "interview", "A rule that decides on results.", &RULE),
    ]
}
