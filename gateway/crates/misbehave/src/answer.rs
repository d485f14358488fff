//! An answer before it is sent.

use bytes::Bytes;
use serde_json::Value;

/// What will be sent, still open to be spoilt.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub content: Content,
    /// How the body is sent.
    pub(crate) manner: Manner,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// JSON, with the places of its list and of its next cursor where they are known.
    Json {
        /// All of it.
        body: Value,
        /// Pointer to the list of rows.
        list: Option<String>,
        /// Pointer to the next cursor.
        next: Option<String>,
    },
    /// A table: rows of named cells under a header.
    Csv {
        /// The header, in order.
        columns: Vec<String>,
        /// One object a row.
        rows: Vec<Value>,
    },
    /// Anything else.
    Bytes(Bytes),
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    #[default]
    Whole,
    /// Byte by byte with pauses.
    Slow,
    /// The connection ends in the middle.
    Cut,
    /// More and more of the same.
    Endless,
}

impl Answer {
    /// JSON with status 200, whose places are not known.
    #[must_use]
    pub fn json(body: Value) -> Self {
        Self::of(200, Content::Json { body, list: None, next: None })
    }

    /// A status with a text.
    #[must_use]
    pub fn text(status: u16, kind: &str, text: &str) -> Self {
        let mut answer = Self::of(status, Content::Bytes(Bytes::copy_from_slice(text.as_bytes())));
        answer.headers.push(("content-type".to_owned(), kind.to_owned()));
        answer
    }

    /// A status with a content; its type is told when it is sent.
    #[must_use]
    pub fn of(status: u16, content: Content) -> Self {
        Self { status, headers: Vec::new(), content, manner: Manner::Whole }
    }

    /// The body's bytes and the type that belongs to them.
    pub(crate) fn encoded(&self) -> (Bytes, Option<&'static str>) {
        match &self.content {
            Content::Json { body, .. } => (body.to_string().into(), Some("application/json")),
            Content::Csv { columns, rows } => (csv(columns, rows).into(), Some("text/csv; charset=utf-8")),
            Content::Bytes(bytes) => (bytes.clone(), None),
        }
    }
}

/// RFC 4180, with every cell in quotes that needs them.
fn csv(columns: &[String], rows: &[Value]) -> String {
    let mut out = line(columns.iter().map(String::as_str));
    for row in rows {
        let cell =
            |column: &String| row.get(column).map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned));
        let cells: Vec<String> =
            columns.iter().map(|column| cell(column).filter(|c| c != "null").unwrap_or_default()).collect();
        out.push_str(&line(cells.iter().map(String::as_str)));
    }
    out
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = |cell: &str| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    };
    cells.map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_written_with_quotes_where_a_cell_needs_them() {
        let rows = vec![json!({"a": "1,2", "b": "say \"x\""}), json!({"b": 3, "c": "unseen"})];
        let content = Content::Csv { columns: vec!["a".into(), "b".into()], rows };
        assert_eq!(Answer::of(200, content).encoded().0, "a,b\r\n\"1,2\",\"say \"\"x\"\"\"\r\n,3\r\n");
    }
}
