//! `[channels.NAME]` and `[endpoints.NAME]`: how messages reach people, and who receives changes.

use super::ValueKind::{
    Any, Count, Flag, Map, Name, Named, Numbers, OneOf, Path, SomeOf, Table, Text, Texts, Variable,
};
use super::{KeySpec, SectionSpec, key, section};

const TENANT: KeySpec = key("tenant", Name, "(that of `[gateway]`)", "\"acme\"", "Tenant that owns it.");
const ENABLED: KeySpec = key("enabled", Flag, "true", "false", "`false` keeps it in the file without using it.");
const LANGUAGE: KeySpec = key("language", Text, "\"zh\"", "\"en\"", "Language of readers whose own is unknown.");
const GRANT: KeySpec = key(
    "grant",
    Table("receiver.grant"),
    "",
    "{ addresses = [\"10.0.0.0/8\"] }",
    "Addresses that are otherwise refused.",
);
const LIMITS: KeySpec = key(
    "limits",
    Table("limits"),
    "(those of `[limits]`)",
    "{ request_timeout = \"10s\" }",
    "Limits; only `request_timeout`, `request_bytes_max`, `response_bytes_max`, `parallel_max` and `rate` apply.",
);

const MAIL: [KeySpec; 13] = [
    key("kind", OneOf(&["mail"]), "", "\"mail\"", "A mail server.").required(),
    key("host", Text, "", "\"smtp.example.com\"", "Name of the SMTP server.").required(),
    key("from", Text, "", "\"HR <hr@example.com>\"", "Sender.").required(),
    key("reply_to", Text, "", "\"jobs@example.com\"", "Address for replies."),
    key(
        "security",
        OneOf(&["starttls", "tls", "plaintext"]),
        "\"starttls\"",
        "\"tls\"",
        "How the connection to the server is secured.",
    ),
    key("port", Count, "(587 for `starttls`, 465 for `tls`, 25 for `plaintext`)", "2525", "Port of the server."),
    key("recipients_max", Count, "50", "10", "Recipients of one mail."),
    key(
        "slots",
        Named("receiver.slots.NAME"),
        "",
        "{ login = { env = \"SMTP_LOGIN\" } }",
        "Slot `login`: `user:password`.",
    ),
    TENANT,
    ENABLED,
    LANGUAGE,
    GRANT,
    LIMITS,
];

const SMS: [KeySpec; 16] = [
    key("kind", OneOf(&["sms"]), "", "\"sms\"", "An SMS provider, described by its request and response.").required(),
    key(
        "url",
        Text,
        "",
        "\"https://sms.example.com/v1/messages\"",
        "Address of the provider; a template after the host.",
    )
    .required(),
    key("method", OneOf(&["POST", "PUT", "GET"]), "\"POST\"", "\"PUT\"", "HTTP method."),
    key("headers", Map(&Text), "{}", "{ content-type = \"application/json\" }", "Headers: name to template."),
    key(
        "body",
        Text,
        "",
        "'{\"to\": {{ to | tojson }}, \"text\": {{ text | tojson }}}'",
        "Template of the body, with `to`, `text` and `id`.",
    ),
    key(
        "auth",
        Any,
        "",
        "{ type = \"static\", place = { in = \"header\", name = \"x-api-key\" } }",
        "How the slot `key` becomes a credential, as in a manifest.",
    ),
    key(
        "success",
        Table("channels.NAME.success"),
        "",
        "{ pointer = \"/code\", values = [\"0\"] }",
        "Which responses mean success.",
    ),
    key("reference", Text, "", "\"/data/id\"", "JSON Pointer to the provider's id of the message."),
    key(
        "status",
        Table("channels.NAME.status"),
        "",
        "{ url = \"https://sms.example.com/v1/messages/{{ reference | urlencode }}\", pointer = \"/status\", delivered = [\"DELIVERED\"] }",
        "Where to ask later whether the message arrived.",
    ),
    key("chars_max", Count, "300", "500", "Characters of one message."),
    key(
        "slots",
        Named("receiver.slots.NAME"),
        "",
        "{ key = { env = \"SMS_KEY\" } }",
        "Slot `key`: the provider's credential.",
    ),
    TENANT,
    ENABLED,
    LANGUAGE,
    GRANT,
    LIMITS,
];

const SUCCESS: [KeySpec; 4] = [
    key("status", Numbers, "(200 to 299)", "[200, 202]", "HTTP statuses of success."),
    key("pointer", Text, "", "\"/code\"", "JSON Pointer into the response.").needs("values = [\"0\"]"),
    key("values", Texts, "", "[\"0\"]", "Values there that mean success."),
    key("refused", Texts, "[]", "[\"2003\"]", "Values there that no retry can change."),
];

const STATUS: [KeySpec; 4] = [
    key(
        "url",
        Text,
        "",
        "\"https://sms.example.com/v1/messages/{{ reference | urlencode }}\"",
        "Address of the status; a template after the host.",
    )
    .required(),
    key("pointer", Text, "", "\"/status\"", "JSON Pointer into the response.").required(),
    key("delivered", Texts, "", "[\"DELIVERED\"]", "Values that mean that the message arrived.").required(),
    key("failed", Texts, "[]", "[\"FAILED\"]", "Values that mean that it will not arrive."),
];

const RECEIVER_GRANT: [KeySpec; 2] = [
    key("plaintext", Flag, "false", "true", "Allows http without TLS."),
    key(
        "addresses",
        Texts,
        "[]",
        "[\"10.0.0.0/8\"]",
        "Address ranges, or single addresses, that are otherwise refused: loopback and private networks.",
    ),
];

const RECEIVER_SLOT: [KeySpec; 4] = [
    key(
        "env",
        Variable,
        "",
        "\"SMTP_LOGIN\"",
        "Environment variable that holds the secret. Each slot has exactly one of `env`, `file`, `vault` and `value`.",
    )
    .required(),
    key("file", Path, "", "\"secrets/smtp\"", "File that holds the secret.").instead_of("env"),
    key("vault", Text, "", "\"smtp/login\"", "Name of the secret in the vault.").instead_of("env"),
    key("value", Text, "", "\"for-development\"", "The secret itself; only with `--dev`.").instead_of("env"),
];

const ENDPOINT: [KeySpec; 11] = [
    key("kind", OneOf(&["webhook"]), "\"webhook\"", "\"webhook\"", "A URL that takes signed requests."),
    key("url", Text, "", "\"https://hr.example.com/hooks/renmen\"", "Address that events are sent to.").required(),
    key("entities", Texts, "", "[\"employee\"]", "Entities whose changes are sent.").required(),
    key("slots", Named("receiver.slots.NAME"), "", "{ secret = { env = \"HR_PLATFORM_SECRET\" } }", "Slot `secret` signs the events; `previous_secret` also signs until `previous_until`.").required(),
    key("fields", Map(&Texts), "{}", "{ employee = [\"/person/names\", \"/status\"] }", "Fields that events may contain, by entity. An entity without a list only reports that a record changed."),
    key("changes", SomeOf(&["created", "updated", "deleted"]), "[\"created\", \"updated\", \"deleted\"]", "[\"created\"]", "Kinds of change that are sent."),
    key("previous_until", Text, "", "\"2026-12-08T00:00:00+08:00\"", "Until when the previous secret also signs.").needs("slots.previous_secret = { env = \"HR_PLATFORM_SECRET_OLD\" }\nslots.secret = { env = \"HR_PLATFORM_SECRET\" }").instead_of("slots"),
    TENANT,
    ENABLED,
    GRANT,
    LIMITS,
];

const KAFKA: [KeySpec; 14] = [
    key("kind", OneOf(&["kafka"]), "", "\"kafka\"", "Topics of a Kafka cluster.").required(),
    key(
        "brokers",
        Texts,
        "",
        "[\"kafka-1.example.com:9093\"]",
        "Brokers as `host:port`, 1 to 20; each tells of all others.",
    )
    .required(),
    key(
        "topic",
        Text,
        "",
        "\"renmen.{entity}\"",
        "Topic; `{tenant}`, `{connection}` and `{entity}` are filled in. It must exist.",
    )
    .required(),
    key("entities", Texts, "", "[\"employee\"]", "Entities whose changes are sent.").required(),
    key(
        "security",
        OneOf(&["tls", "plaintext"]),
        "\"tls\"",
        "\"plaintext\"",
        "How connections to brokers are secured.",
    ),
    key(
        "sasl",
        OneOf(&["plain", "scram-sha-256", "scram-sha-512"]),
        "\"scram-sha-512\"",
        "\"scram-sha-256\"",
        "How the login is proved. `plain` sends the password, so it needs TLS.",
    )
    .needs("slots.login = { env = \"KAFKA_LOGIN\" }"),
    key(
        "mode",
        OneOf(&["structured", "binary"]),
        "\"structured\"",
        "\"binary\"",
        "Whether an event is the whole value of a record, or its attributes are headers.",
    ),
    key(
        "fields",
        Map(&Texts),
        "{}",
        "{ employee = [\"/person/names\", \"/status\"] }",
        "Fields that events may contain, by entity. An entity without a list only reports that a record changed.",
    ),
    key(
        "changes",
        SomeOf(&["created", "updated", "deleted"]),
        "[\"created\", \"updated\", \"deleted\"]",
        "[\"created\"]",
        "Kinds of change that are sent.",
    ),
    key(
        "slots",
        Named("receiver.slots.NAME"),
        "",
        "{ login = { env = \"KAFKA_LOGIN\" } }",
        "Slot `login`: `user:password`.",
    ),
    TENANT,
    ENABLED,
    GRANT,
    LIMITS,
];

pub(super) fn sections() -> Vec<SectionSpec> {
    const SMS_ID: &str = "channels.NAME (sms)";
    const MAIL_ID: &str = "channels.NAME (mail)";
    const WEBHOOK_ID: &str = "endpoints.NAME (webhook)";
    const KAFKA_ID: &str = "endpoints.NAME (kafka)";
    vec![
        section(
            MAIL_ID,
            "channels.NAME",
            "",
            "A mail server through which messages reach people. Flows send to its action `message.send`.",
            &MAIL,
        ),
        section(SMS_ID, "channels.NAME", "", "An SMS provider. Flows send to its action `message.send`.", &SMS),
        section(
            "channels.NAME.success",
            "channels.NAME.success",
            SMS_ID,
            "Which responses of the provider mean success.",
            &SUCCESS,
        ),
        section(
            "channels.NAME.status",
            "channels.NAME.status",
            SMS_ID,
            "Where to ask whether a message arrived.",
            &STATUS,
        ),
        section(
            WEBHOOK_ID,
            "endpoints.NAME",
            "",
            "A receiver of signed events; see [events.md](events.md).",
            &ENDPOINT,
        ),
        section(
            KAFKA_ID,
            "endpoints.NAME",
            "",
            "Topics of a Kafka cluster that events are written to; see [events.md](events.md#write-events-to-kafka).",
            &KAFKA,
        ),
        section(
            "receiver.grant",
            "channels.NAME.grant",
            MAIL_ID,
            "The grant of a channel or an endpoint.",
            &RECEIVER_GRANT,
        ),
        section(
            "receiver.slots.NAME",
            "channels.NAME.slots.NAME",
            MAIL_ID,
            "A secret of a channel or an endpoint; it is sent to the address of that section only.",
            &RECEIVER_SLOT,
        ),
    ]
}
