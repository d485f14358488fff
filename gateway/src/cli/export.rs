//! `renmen export`: records as files.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use renmen_schema::id::ConnectionName;

/// Options of `renmen export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renmen export bi
  renmen export --to export --format parquet
  renmen export --to export --entity employee --entity payroll_record --class PERSONAL --class SENSITIVE")]
pub(crate) struct ExportAsk {
    /// Export of the configuration: a key under `[exports]`.
    #[arg(conflicts_with_all = ["to", "entity", "class", "format"])]
    pub(crate) name: Option<ConnectionName>,
    /// Directory, where no export of the configuration is named.
    #[arg(long)]
    pub(crate) to: Option<PathBuf>,
    /// Format of the files.
    #[arg(long, value_enum, default_value_t = ExportFormat::Parquet)]
    pub(crate) format: ExportFormat,
    /// Only this entity, such as `employee`. May be repeated.
    #[arg(long)]
    pub(crate) entity: Vec<String>,
    /// Fields of this class too: PERSONAL, SENSITIVE or SPECIAL. May be repeated.
    #[arg(long)]
    pub(crate) class: Vec<String>,
}

/// Format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma separated values.
    Csv,
}

impl ExportFormat {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}
