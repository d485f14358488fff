//! A record as a row: its envelope, then what of its body may leave.

use jiff::Timestamp;
use jiff::civil::Date;
use renmen_schema::{Column, ColumnKind, EntityKind};
use renmen_store::RecordRow;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::terms::Terms;

/// Digits after the point of a decimal in a file.
pub(crate) const SCALE: u32 = 6;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    None,
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    /// In millionths.
    Decimal(i128),
    /// Days since 1970.
    Day(i32),
    /// Milliseconds since 1970.
    Time(i64),
}

impl Cell {
    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 24,
            _ => 24,
        }
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

/// What every record has; a body has no member of such a name.
const ENVELOPE: [(&str, ColumnKind); 7] = [
    ("record_id", ColumnKind::Text),
    ("record_connection", ColumnKind::Text),
    ("record_external_id", ColumnKind::Text),
    ("record_revision", ColumnKind::Integer),
    ("record_created_at", ColumnKind::Time),
    ("record_recorded_at", ColumnKind::Time),
    ("record_source_updated_at", ColumnKind::Time),
];

/// How the rows of an entity are made.
pub(crate) struct Shape<'t> {
    kind: EntityKind,
    terms: &'t Terms,
    columns: Vec<&'static Column>,
}

impl<'t> Shape<'t> {
    pub(crate) fn new(kind: EntityKind, terms: &'t Terms) -> Self {
        Self { kind, terms, columns: terms.columns(kind) }
    }

    pub(crate) fn heads(&self) -> Vec<Head> {
        let envelope = ENVELOPE.map(|(name, kind)| Head { name: name.to_owned(), kind });
        let own = self.columns.iter().map(|column| Head { name: column.name.clone(), kind: column.kind });
        envelope.into_iter().chain(own).collect()
    }

    /// The cells of a record, in the order of the heads.
    ///
    /// # Errors
    /// A value that its schema does not allow: the record was damaged after it came in.
    pub(crate) fn cells(&self, row: &RecordRow) -> Result<Vec<Cell>, String> {
        let body: Value = serde_json::from_slice(&row.body).map_err(|error| format!("record {}: {error}", row.id))?;
        let mut cells = vec![
            Cell::Text(row.id.to_string()),
            Cell::Text(row.connection.to_string()),
            Cell::Text(row.external_id.clone()),
            Cell::Integer(row.revision),
            Cell::Time(row.created_at_ms),
            Cell::Time(row.recorded_at_ms),
            row.source_updated_at_ms.map_or(Cell::None, Cell::Time),
        ];
        for column in &self.columns {
            let cell = self.cell(column, &body);
            cells
                .push(cell.ok_or_else(|| format!("record {}: `{}` is not what the schema says", row.id, column.name))?);
        }
        Ok(cells)
    }

    fn cell(&self, column: &Column, body: &Value) -> Option<Cell> {
        let found = column.path.iter().try_fold(body, |value, member| value.get(member));
        let value = match found {
            None | Some(Value::Null) => return Some(Cell::None),
            Some(value) => value,
        };
        Some(match column.kind {
            ColumnKind::Text => Cell::Text(value.as_str()?.to_owned()),
            ColumnKind::Integer => Cell::Integer(value.as_i64()?),
            ColumnKind::Number => Cell::Number(value.as_f64()?),
            ColumnKind::Flag => Cell::Flag(value.as_bool()?),
            ColumnKind::Decimal => Cell::Decimal(millionths(value.as_str()?)?),
            ColumnKind::Day => Cell::Day(days(value.as_str()?)?),
            ColumnKind::Time => Cell::Time(value.as_str()?.parse::<Timestamp>().ok()?.as_millisecond()),
            ColumnKind::Json => {
                let mut place = format!("/{}", column.path.join("/"));
                match self.terms.cut(self.kind, &mut place, value) {
                    Some(kept) => Cell::Text(kept.to_string()),
                    None => Cell::None,
                }
            }
        })
    }
}

fn millionths(text: &str) -> Option<i128> {
    let mut decimal: Decimal = text.parse().ok()?;
    decimal.rescale(SCALE);
    (decimal.scale() == SCALE).then(|| decimal.mantissa())
}

fn days(text: &str) -> Option<i32> {
    let day: Date = text.parse().ok()?;
    let since = day.since(Date::constant(1970, 1, 1)).ok()?;
    Some(since.get_days())
}

/// The UTC day of a time, as it names a partition.
pub(crate) fn day_of(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
