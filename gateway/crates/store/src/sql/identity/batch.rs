//! Rows as one value: any number of them goes with one statement.

use std::fmt::Write as _;

use renmen_schema::id::TenantId;

use crate::StoreError;
use crate::rows::Columns;
use crate::sql::{Session, number_list, values};

/// Rows for [`Dialect::rows_of`](crate::sql::Dialect::rows_of).
pub(crate) struct Rows(String);

/// One value of a row.
pub(crate) enum Field<'a> {
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl Rows {
    pub(crate) fn of<'a, const N: usize>(rows: impl IntoIterator<Item = [Field<'a>; N]>) -> Self {
        let mut text = String::from("[");
        for row in rows {
            text.push_str(if text.len() == 1 { "[" } else { ",[" });
            for (at, field) in row.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                field.write(&mut text);
            }
            text.push(']');
        }
        text.push(']');
        Self(text)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 2
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl Field<'_> {
    fn write(&self, text: &mut String) {
        // Writing to a text does not fail.
        _ = match self {
            Self::Int(number) => write!(text, "{number}"),
            Self::Text(plain) => write!(text, "{}", serde_json::Value::from(*plain)),
            Self::Bytes(bytes) => write!(text, "\"{}\"", hex::encode(bytes)),
        };
    }
}

/// Rows of the statement for these numbers, which are its second value; nothing is asked for none.
pub(super) async fn of_numbers<T: Send>(
    session: &impl Session,
    sql: &str,
    tenant: &TenantId,
    wanted: &[i64],
    read: impl Fn(&dyn Columns) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let sql = sql.replace("{numbers}", &session.dialect().numbers("$2"));
    session.all(&sql, values![tenant, number_list(wanted.iter().copied())], read).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_one_text() {
        let rows = Rows::of([[Field::Int(-5), Field::Text("a\"b"), Field::Bytes(&[0, 255])]]);
        assert_eq!(rows.text(), r#"[[-5,"a\"b","00ff"]]"#);
        let two = Rows::of([[Field::Int(1)], [Field::Int(2)]]);
        assert_eq!((two.text(), two.is_empty()), ("[[1],[2]]", false));
        assert!(Rows::of::<1>([]).is_empty());
    }
}
