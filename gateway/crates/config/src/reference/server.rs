//! The tables about the whole deployment besides `[gateway]`: the database, the vault, trust in plugins, limits, flows' bounds, texts.

use super::ValueKind::{Bytes, Count, Duration, Flag, Map, OneOf, Path, Table, Text, Texts, Variable};
use super::{KeySpec, SectionSpec, key, limit_keys, section};

const STORE: [KeySpec; 18] = [
    key(
        "url",
        Text,
        "(`sqlite:` and `renmen.db` in `gateway.data_dir`)",
        "\"postgres://renmen:${RENMEN_DB_PASSWORD}@db.example.com/renmen\"",
        "`sqlite:PATH` or `postgres://USER@HOST/DATABASE`, with `sslmode` and its companions as parameters: see [operations.md](operations.md#postgresql).",
    ),
    key("cache_bytes", Bytes, "\"64MiB\"", "\"256MiB\"", "Size of SQLite's page cache."),
    key("checkpoint_pages", Count, "8000", "4000", "Pages of the SQLite write-ahead log before a checkpoint."),
    key(
        "synchronous",
        OneOf(&["full", "normal"]),
        "\"full\"",
        "\"normal\"",
        "`full`: a commit survives a power failure. `normal`: it survives a crash of the process.",
    ),
    key("readers", Count, "4", "8", "Read connections of SQLite."),
    key(
        "password",
        Table("store.password"),
        "",
        "{ vault = \"store/password\" }",
        "Password of PostgreSQL, instead of one in the URL.",
    ),
    key("connections_max", Count, "10", "50", "Connections to PostgreSQL at a time."),
    key("connect_timeout", Duration, "\"3s\"", "\"10s\"", "How long a new connection to PostgreSQL may take."),
    key(
        "acquire_timeout",
        Duration,
        "\"5s\"",
        "\"2s\"",
        "How long a request waits for a connection to PostgreSQL while all are in use.",
    ),
    key(
        "statement_timeout",
        Duration,
        "\"30s\"",
        "\"60s\"",
        "A write to PostgreSQL that takes longer is cancelled and tried again later.",
    ),
    key(
        "pooler",
        OneOf(&["none", "transaction"]),
        "\"none\"",
        "\"transaction\"",
        "`transaction`: a pooler such as PgBouncer in transaction mode stands in front of PostgreSQL.",
    ),
    key("read_timeout", Duration, "\"5s\"", "\"10s\"", "A read that takes longer is aborted."),
    key(
        "insight_timeout",
        Duration,
        "\"60s\"",
        "\"120s\"",
        "Reading the rows that an insight is asked over is aborted after this time. With SQLite at most half of `readers` do this at a time.",
    ),
    key("intake_group", Count, "128", "32", "Deliveries of vendors that share one commit at most."),
    key(
        "intake_wait",
        Duration,
        "\"2ms\"",
        "\"5ms\"",
        "PostgreSQL: how long a delivery waits for others to share its commit with; a single one does not wait.",
    ),
    key(
        "intake_committers",
        Count,
        "4",
        "8",
        "PostgreSQL: groups of deliveries committed in parallel, each on a connection of its own in addition to `connections_max`; those of one tenant \
         go one after the other.",
    ),
    key(
        "poll",
        Duration,
        "\"500ms\"",
        "\"1s\"",
        "How often the store is read for commits of other gateways. With PostgreSQL they are usually announced earlier.",
    ),
    key(
        "disk_free_bytes_min",
        Bytes,
        "\"64MiB\"",
        "\"1GiB\"",
        "With less free space on the disk of the SQLite file, `/readyz` reports that the gateway is not ready.",
    ),
];

const CELL: [KeySpec; 5] = [
    key(
        "number",
        Count,
        "",
        "1",
        "1 to 15, and no other cell's: ids that it gives out lie in ranges of their own. Never change it.",
    )
    .required(),
    key(
        "url",
        Text,
        "",
        "\"postgres://renmen@db2.example.com/renmen\"",
        "As in `[store]`; the other keys of `[store]` are the same for all.",
    )
    .required(),
    key(
        "password",
        Table("store.password"),
        "",
        "{ vault = \"store/password\" }",
        "Password of PostgreSQL, instead of one in the URL.",
    ),
    key(
        "tenants",
        Texts,
        "[]",
        "[\"globex\"]",
        "Tenants whose records are in it. All others are in the database of `[store]`.",
    ),
    key(
        "public_url",
        Text,
        "",
        "\"https://renmen-b.example.com\"",
        "Address of its gateways, in place of `gateway.public_url`; other cells' gateways name it.",
    ),
];

const STORE_PASSWORD: [KeySpec; 4] = [
    key("env", Variable, "", "\"RENMEN_DB_PASSWORD\"", "Environment variable with the password.").required(),
    key("file", Path, "", "\"secrets/db-password\"", "File with the password, readable by its owner only.")
        .instead_of("env"),
    key("vault", Text, "", "\"store/password\"", "Entry of the vault.").instead_of("env"),
    key("value", Text, "", "\"made-up\"", "The password itself; only with `--dev`.").instead_of("env"),
];

const VAULT: [KeySpec; 3] = [
    key("path", Path, "", "\".renmen/vault.json\"", "File of the encrypted secrets.").required(),
    key(
        "key_env",
        Variable,
        "\"RENMEN_VAULT_KEY\"",
        "\"VAULT_KEY\"",
        "Environment variable with the key: 32 random bytes in base64.",
    ),
    key(
        "key_file",
        Path,
        "",
        "\"/etc/renmen/vault.key\"",
        "File with the key, readable by its owner only; instead of `key_env`.",
    ),
];

const PLUGINS: [KeySpec; 7] = [
    key(
        "trusted_keys",
        Map(&Text),
        "{}",
        "{ acme = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\" }",
        "minisign public keys whose signatures are trusted, by names of your choice.",
    ),
    key("require_signature", Flag, "false", "true", "Refuses plugins without a valid signature of a trusted key.")
        .needs("trusted_keys = { acme = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\" }"),
    key("functions_max", Count, "100000", "200000", "Functions of one plugin; a larger plugin is not compiled."),
    key(
        "function_bytes_max",
        Bytes,
        "\"1MiB\"",
        "\"2MiB\"",
        "Bytes of one function; a plugin with a larger one is not compiled.",
    ),
    key("items_max", Count, "500000", "1000000", "Types, imports, exports, segments and other items of one plugin."),
    key(
        "compile_memory_max",
        Bytes,
        "\"2GiB\"",
        "\"4GiB\"",
        "Memory (address space) of the process that compiles one plugin.",
    ),
    key(
        "compile_time_max",
        Duration,
        "\"60s\"",
        "\"120s\"",
        "CPU time for compiling one plugin; wall-clock time may be four times as long.",
    ),
];

const RATE: [KeySpec; 3] = [
    key("requests", Count, "", "20", "Number of requests.").required(),
    key("per", Duration, "", "\"1s\"", "Period in which they are allowed.").required(),
    key("burst", Count, "", "5", "Requests that may be sent at once after a pause."),
];

const OUTBOX: [KeySpec; 8] = [
    key(
        "hops_max",
        Count,
        "8",
        "4",
        "Maximum length of a delivery -> change -> delivery chain before it is treated as a loop.",
    ),
    key(
        "echo_window",
        Duration,
        "\"30m\"",
        "\"1h\"",
        "A change within this time after a delivery to its connection may have been caused by it.",
    ),
    key(
        "repeats_max",
        Count,
        "10",
        "5",
        "How often a flow may send the same input for the same record within `repeats_window`.",
    ),
    key("repeats_window", Duration, "\"1d\"", "\"12h\"", "Time over which `repeats_max` is counted."),
    key("keep", Duration, "\"30d\"", "\"90d\"", "How long finished deliveries are kept."),
    key(
        "input_bytes_max",
        Bytes,
        "\"256KiB\"",
        "\"1MiB\"",
        "Maximum size of an action's input as JSON; a larger one is not sent.",
    ),
    key("expression_steps_max", Count, "10000", "50000", "Loop iterations of one expression."),
    key("expression_time_max", Duration, "\"100ms\"", "\"1s\"", "Evaluation time of one expression."),
];

const TEMPLATES: [KeySpec; 2] = [
    key("dir", Path, "", "\"texts\"", "Directory of your own message texts, which override the built-in ones."),
    key("zone", Text, "\"Asia/Shanghai\"", "\"Europe/Berlin\"", "IANA time zone in which messages show times."),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    let mut limits = section(
        "limits",
        "limits",
        "",
        "Limits of every connection; a connection, channel or endpoint can override them in its own `limits`. Ranges: [limits.md](limits.md).",
        &[],
    );
    limits.keys = limit_keys(&crate::LIMITS);
    vec![
        section("store", "store", "", "The database.", &STORE),
        section(
            "store.password",
            "store.password",
            "store",
            "Where the password of PostgreSQL comes from: one of these keys.",
            &STORE_PASSWORD,
        ),
        section(
            "cells.NAME",
            "cells.NAME",
            "",
            "A further database: see [operations.md](operations.md#more-than-one-database).",
            &CELL,
        ),
        section("vault", "vault", "", "The encrypted file of secrets. Without this section there is no vault.", &VAULT),
        section(
            "plugins",
            "plugins",
            "",
            "Which plugins may be loaded, in addition to those with a pinned digest.",
            &PLUGINS,
        ),
        limits,
        section("limits.rate", "limits.rate", "limits", "Requests per period that the vendor allows.", &RATE),
        section("outbox", "outbox", "", "Limits of flows and their deliveries.", &OUTBOX),
        section("templates", "templates", "", "Texts of messages.", &TEMPLATES),
    ]
}
