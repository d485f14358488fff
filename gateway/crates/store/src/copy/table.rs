//! A table as both backends see it: its columns by name, and the key by which its rows are ordered.

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// Sorted by name.
    pub(crate) columns: Vec<Column>,
    /// Of the primary key, in its order.
    pub(crate) key: Vec<String>,
    /// Which rows are meant, as a condition; all where there is none.
    pub(crate) only: Option<String>,
}

/// One column. Whether it may be null is the migrations' affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Int,
    Text,
    Bytes,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// What it takes in memory, nearly.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Int(_) => 8,
        }
    }
}

/// In the order of the table's columns.
pub(crate) type Row = Vec<Cell>;

/// Gives a copy the key of its source, so that ids are the same.
pub(crate) const SET_ID_KEY: &str = "UPDATE meta SET id_key = $1";

impl Table {
    pub(crate) fn count(&self) -> String {
        format!("SELECT count(*) FROM \"{}\"{}", self.name, self.condition())
    }

    /// ` WHERE …`, or nothing.
    pub(crate) fn condition(&self) -> String {
        self.only.as_ref().map(|only| format!(" WHERE {only}")).unwrap_or_default()
    }

    /// Takes at most so many of the rows that are meant away.
    pub(crate) fn delete_some(&self, limit: u32) -> String {
        let (name, only) = (&self.name, self.condition());
        let key: Vec<String> = self.key.iter().map(|column| format!("\"{column}\"")).collect();
        let key = key.join(", ");
        format!("DELETE FROM \"{name}\" WHERE ({key}) IN (SELECT {key} FROM \"{name}\"{only} LIMIT {limit})")
    }

    /// What a migration put into a new table, and nothing else: a target is empty.
    pub(crate) fn clear(&self) -> String {
        format!("DELETE FROM \"{}\"", self.name)
    }

    /// `"a", "b"`: quoted, for a name may be a word of SQL.
    pub(crate) fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }
}
