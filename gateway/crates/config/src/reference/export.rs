//! `[exports.NAME]`: records as files for BI.

use super::ValueKind::{Bytes, Count, Duration, Flag, Name, Named, OneOf, SomeOf, Table, Text, Texts};
use super::{KeySpec, SectionSpec, key, section};
use crate::export::{EXPORT_CLASSES, EXPORT_FORMATS};

const EXPORT: [KeySpec; 19] = [
    key(
        "to",
        Text,
        "",
        "\"export\"",
        "Directory, relative to this file, or `s3://BUCKET/PREFIX` of an S3-compatible storage.",
    )
    .required(),
    key(
        "every",
        Duration,
        "",
        "\"1d\"",
        "How often. Without `every` and `cron` it is made by `renmen export NAME` alone.",
    ),
    key("cron", Text, "", "\"30 2 * * *\"", "When: minute, hour, day of month, month, day of week."),
    key("zone", Text, "\"UTC\"", "\"Asia/Shanghai\"", "IANA time zone of `cron`.").needs("cron = \"30 2 * * *\""),
    key("manual", Flag, "", "true", "`true`: by `renmen export NAME` alone.").instead_of("every"),
    key("entities", Texts, "(all)", "[\"employee\", \"org_unit\"]", "Entities."),
    key("format", OneOf(&EXPORT_FORMATS), "\"parquet\"", "\"csv\"", "Format of the files."),
    key(
        "classes",
        SomeOf(&EXPORT_CLASSES),
        "[]",
        "[\"PERSONAL\"]",
        "Classes of fields besides PUBLIC and INTERNAL. Without it no name, contact or pay leaves.",
    ),
    key("endpoint", Text, "", "\"https://storage.example.com\"", "Address of the storage, for `s3://`.")
        .needs("to = \"s3://bucket/renmen\"\nslots.key = { env = \"STORAGE_KEY\" }"),
    key("region", Text, "(`us-east-1`)", "\"cn-north-1\"", "Region that requests to the storage are signed for.")
        .needs("to = \"s3://bucket/renmen\"\nendpoint = \"https://storage.example.com\"\nslots.key = { env = \"STORAGE_KEY\" }"),
    key(
        "slots",
        Named("receiver.slots.NAME"),
        "",
        "{ key = { env = \"STORAGE_KEY\" } }",
        "Slot `key`: `{\"access_key_id\": \"…\", \"secret_access_key\": \"…\"}`, for `s3://`.",
    ),
    key(
        "keep",
        Count,
        "7",
        "30",
        "Snapshots that stay in a directory, 1 to 10000; a storage has rules of its own for that.",
    ),
    key(
        "group_rows",
        Count,
        "10000",
        "50000",
        "Rows that are held in memory, 100 to 1000000: a row group of a Parquet file.",
    ),
    key("group_bytes", Bytes, "\"16MiB\"", "\"32MiB\"", "The same in bytes, 64KiB to 256MiB."),
    key(
        "file_bytes",
        Bytes,
        "\"64MiB\"",
        "\"128MiB\"",
        "A file of this size is followed by another, 64KiB to 512MiB. On its way to a storage one file is held in memory.",
    ),
    key("timeout", Duration, "\"5m\"", "\"10m\"", "For one file on its way to a storage, 1s to 1h."),
    key("tenant", Name, "(that of `[gateway]`)", "\"acme\"", "Tenant whose records are exported."),
    key("enabled", Flag, "true", "false", "`false` keeps it in the file without using it."),
    key(
        "grant",
        Table("receiver.grant"),
        "",
        "{ addresses = [\"10.0.0.0/8\"] }",
        "Addresses that are otherwise refused.",
    ),
];

pub(super) fn sections() -> Vec<SectionSpec> {
    vec![section(
        "exports.NAME",
        "exports.NAME",
        "",
        "Records as Parquet or CSV files for BI. [export.md](export.md) explains it.",
        &EXPORT,
    )]
}
