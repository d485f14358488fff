//! The tables about the whole deployment besides `[gateway]`: the database, the vault, trust in plugins, limits, flows' bounds, texts.

use super::ValueKind::{Bytes, Count, Duration, Flag, Map, OneOf, Path, Text, Variable};
use super::{KeySpec, SectionSpec, key, limit_keys, section};

const STORE: [KeySpec; 7] = [
    key(
        "url",
        Text,
        "(`sqlite:` and `renmen.db` in `gateway.data_dir`)",
        "\"postgres://renmen:${RENMEN_DB_PASSWORD}@db.example.com/renmen\"",
        "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`. Take the password from the environment.",
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
    key("readers", Count, "4", "8", "Read connections; with PostgreSQL, the size of the pool."),
    key("read_timeout", Duration, "\"5s\"", "\"10s\"", "A read that takes longer is aborted."),
    key(
        "disk_free_bytes_min",
        Bytes,
        "\"64MiB\"",
        "\"1GiB\"",
        "With less free space on the disk of the SQLite file, `/readyz` reports that the gateway is not ready.",
    ),
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
