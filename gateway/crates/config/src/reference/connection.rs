//! `[connections.NAME]`: a plugin configured for one outside system.

use super::ValueKind::{Any, Duration, Flag, Name, Named, OneOf, Path, Table, Text, Texts, Variable};
use super::{KeySpec, SectionSpec, key, section};

const CONNECTION: [KeySpec; 13] = [
    key("plugin", Path, "", "\"plugins/staff-api.wasm\"", "The component, a `.wasm` file.").required(),
    key(
        "digest",
        Text,
        "",
        "\"sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"",
        "Expected SHA-256 of the component, as printed by `renmen plugin inspect FILE`. Required without `--dev`, unless the connection is off.",
    ),
    key("tenant", Name, "(that of `[gateway]`)", "\"acme\"", "Tenant that owns the records."),
    key("enabled", Flag, "true", "false", "`false` keeps the connection in the file without loading it."),
    key(
        "config",
        Any,
        "{}",
        "{ api_url = \"https://api.example.com\" }",
        "Configuration for the plugin, checked against the schema in its manifest. Never put a secret here: the plugin can read it.",
    ),
    key(
        "grant",
        Table("connections.NAME.grant"),
        "",
        "{ hosts = [\"{api_url}\"], methods = [\"GET\"] }",
        "What the connection may do; the plugin's manifest can only narrow it.",
    ),
    key(
        "slots",
        Named("connections.NAME.slots.NAME"),
        "",
        "{ app = { env = \"STAFF_APP\" } }",
        "Secrets for the plugin, by the names that its manifest declares.",
    ),
    key(
        "streams",
        Named("connections.NAME.streams.NAME"),
        "",
        "{ users = { every = \"15m\" } }",
        "When each stream is pulled. A stream that is not listed is not pulled on a schedule.",
    ),
    key(
        "event_socket",
        Flag,
        "false",
        "true",
        "Opens a connection on which the vendor sends events, if the manifest supports it.",
    ),
    key("limits", Table("limits"), "(those of `[limits]`)", "{ parallel_max = 2 }", "Limits of this connection."),
    key(
        "payslips",
        Table("connections.NAME.payslips"),
        "",
        "{ tolerance = \"0.05\" }",
        "What to do with payslips that do not add up.",
    ),
    key(
        "scoring",
        Flag,
        "false",
        "true",
        "The connection scores people, so fields that could identify a protected group are never sent to it.",
    ),
    key(
        "withhold",
        Texts,
        "[]",
        "[\"/person/gender\"]",
        "Fields that no flow ever sends to it: JSON Pointers, `*` for any item.",
    ),
];

const GRANT: [KeySpec; 6] = [
    key(
        "hosts",
        Texts,
        "",
        "[\"https://api.example.com\"]",
        "Origins that it may reach: `https://api.example.com`, `https://*.example.com`, or `{key}` for the origin of that key of `config`. Required without `--dev`.",
    ),
    key("methods", Texts, "", "[\"GET\", \"POST\"]", "HTTP methods that it may use. Required without `--dev`."),
    key("plaintext", Flag, "false", "true", "Allows http without TLS."),
    key(
        "addresses",
        Texts,
        "[]",
        "[\"10.0.0.0/8\"]",
        "Address ranges, or single addresses, that are otherwise refused: loopback and private networks.",
    ),
    key("drop", Path, "", "\"inbox\"", "Directory whose files the plugin may read."),
    key(
        "entities",
        Texts,
        "",
        "[\"employee\", \"org_unit\"]",
        "Entities that it may write; records of others go to quarantine. Required without `--dev`.",
    ),
];

const SLOT: [KeySpec; 6] = [
    key(
        "env",
        Variable,
        "",
        "\"STAFF_APP\"",
        "Environment variable that holds the secret. Each slot has exactly one of `env`, `file`, `vault` and `value`.",
    )
    .required(),
    key("file", Path, "", "\"secrets/app.json\"", "File that holds the secret.").instead_of("env"),
    key("vault", Text, "", "\"staff/app\"", "Name of the secret in the vault.").instead_of("env"),
    key("value", Text, "", "\"for-development\"", "The secret itself; only with `--dev`.").instead_of("env"),
    key(
        "to",
        Texts,
        "(where the manifest says)",
        "[\"https://api.example.com\"]",
        "Origins that the secret, and every token obtained with it, may be sent to.",
    ),
    key(
        "public",
        Texts,
        "[]",
        "[\"client_id\"]",
        "Members of a JSON secret that are identifiers and not secret, by name or JSON Pointer.",
    ),
];

const STREAM: [KeySpec; 5] = [
    key(
        "every",
        Duration,
        "",
        "\"15m\"",
        "Interval from start to start. Each stream has exactly one of `every`, `cron` and `manual`.",
    )
    .required(),
    key("cron", Text, "", "\"30 2 * * MON-FRI\"", "Minute, hour, day of month, month and day of week.")
        .instead_of("every"),
    key("zone", Text, "\"UTC\"", "\"Asia/Shanghai\"", "IANA time zone of `cron`.")
        .needs("cron = \"30 2 * * *\"")
        .instead_of("every"),
    key("manual", Flag, "", "true", "`true`: pulled only by `renmen sync` or the API.").instead_of("every"),
    key("enabled", Flag, "true", "false", "`false`: not pulled at all, not even manually."),
];

const PAYSLIPS: [KeySpec; 2] = [
    key(
        "tolerance",
        Text,
        "\"0.01\"",
        "\"0.05\"",
        "How far gross minus deductions and taxes may differ from net, in units of the payslip's currency.",
    ),
    key(
        "above",
        OneOf(&["quarantine", "accept"]),
        "\"quarantine\"",
        "\"accept\"",
        "What happens to a payslip that differs by more: quarantine, or stored and reported by the run.",
    ),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    const WITHIN: &str = "connections.NAME";
    vec![
        section(WITHIN, WITHIN, "", "A plugin configured for one outside system.", &CONNECTION),
        section(
            "connections.NAME.grant",
            "connections.NAME.grant",
            WITHIN,
            "What the connection may do: this AND what the plugin's manifest asks for.",
            &GRANT,
        ),
        section(
            "connections.NAME.slots.NAME",
            "connections.NAME.slots.NAME",
            WITHIN,
            "Where a secret comes from, and where it may be sent. The plugin uses it by name and never sees it.",
            &SLOT,
        ),
        section(
            "connections.NAME.streams.NAME",
            "connections.NAME.streams.NAME",
            WITHIN,
            "When a stream is pulled.",
            &STREAM,
        ),
        section(
            "connections.NAME.payslips",
            "connections.NAME.payslips",
            WITHIN,
            "The check that payslips add up. Without this section payslips that do not are stored and reported.",
            &PAYSLIPS,
        ),
    ]
}
