//! `[flows.NAME]`: what is sent because a record changed. What a flow means is checked where flows run.

use super::ValueKind::{Any, Count, Duration, Flag, Name, OneOf, Table, Text, TextOrTexts};
use super::{KeySpec, SectionSpec, key, section};

const FLOW: [KeySpec; 15] = [
    key(
        "when",
        Table("flows.NAME.when"),
        "",
        "{ entity = \"decision\", connection = \"renmen\" }",
        "Which changes trigger the flow.",
    )
    .required(),
    key("to", Any, "", "{ connection = \"mail\", action = \"message.send\" }", "Destination and action.").required(),
    key(
        "map",
        Any,
        "",
        "{ text = \"'A decision was made'\" }",
        "The action's input: an expression, or a table whose texts are expressions.",
    )
    .required(),
    key(
        "fields",
        TextOrTexts,
        "[]",
        "[\"/interview\", \"/overall\"]",
        "Fields of the record that may leave: JSON Pointers, `*` for any item; `\"*\"` is everything.",
    ),
    key(
        "with",
        Any,
        "{}",
        "{ candidate = { ref = \"/candidate\", fields = [\"/person/names\"] } }",
        "Related records that `map` can use.",
    ),
    key("tenant", Name, "(that of `[gateway]`)", "\"acme\"", "Tenant of the flow."),
    key("enabled", Flag, "true", "false", "`false` ignores changes."),
    key(
        "start",
        OneOf(&["now", "beginning"]),
        "\"now\"",
        "\"beginning\"",
        "Whether a new flow starts with the next change or with the first one in the feed.",
    ),
    key(
        "sequence",
        Text,
        "(each record on its own)",
        "\"/interview\"",
        "Field whose value orders deliveries across records.",
    ),
    key(
        "delay",
        Any,
        "",
        "\"10m\"",
        "Delay, or `{ field = \"/start\", offset = \"-5m\" }` relative to a time in the record.",
    ),
    key("deadline", Duration, "", "\"1d\"", "No attempt is made later than this after the delivery was due."),
    key("attempts", Count, "20", "5", "Failed attempts after which a delivery is dead."),
    key(
        "backoff",
        Any,
        "{ base = \"5s\", max = \"15m\" }",
        "{ base = \"10s\", max = \"1h\" }",
        "Waits between attempts: doubled from `base` to `max`, with jitter.",
    ),
    key(
        "patience",
        Duration,
        "\"3d\"",
        "\"1d\"",
        "How long a destination may be unavailable before a delivery is abandoned.",
    ),
    key(
        "on_failure",
        Any,
        "\"dead-letter\"",
        "{ connection = \"mail\", action = \"message.send\" }",
        "What happens to a failed delivery: only kept, or also reported to this action.",
    ),
];

const WHEN: [KeySpec; 4] = [
    key("entity", Text, "", "\"interview_result\"", "Entity of the record.").required(),
    key("connection", TextOrTexts, "(any)", "\"interview\"", "Connections whose records trigger the flow."),
    key("change", TextOrTexts, "[\"created\", \"updated\", \"deleted\"]", "[\"created\"]", "Kinds of change."),
    key("if", Text, "", "\"record.status == 'DECIDED'\"", "Condition, a CEL expression."),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    let mut flow = section(
        "flows.NAME",
        "flows.NAME",
        "",
        "Sends something because a record changed. [flows.md](flows.md) explains every key.",
        &FLOW,
    );
    let mut when =
        section("flows.NAME.when", "flows.NAME.when", "flows.NAME", "Which changes trigger the flow.", &WHEN);
    (flow.closed, when.closed) = (false, false);
    vec![flow, when]
}
