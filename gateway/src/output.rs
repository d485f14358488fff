//! What a command says: a table for people, one JSON document for programs. The only place that prints to standard output, and so
//! the place where no text of a stranger's reaches a terminal as it is.
#![allow(clippy::print_stdout)]

use comfy_table::{ContentArrangement, Table, presets};
use renmen_schema::shown;
use serde::Serialize;

/// Where and how a command answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// `--json`.
    pub(crate) json: bool,
}

impl Output {
    /// Rows under a head for people, `document` for programs.
    pub(crate) fn table<T: Serialize>(
        self,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
        document: &T,
    ) -> anyhow::Result<()> {
        if self.json {
            return self.document(document);
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(head.iter().copied());
        for row in rows {
            table.add_row(row.iter().map(|cell| shown::lines(cell)));
        }
        println!("{table}");
        Ok(())
    }

    /// Indented JSON, whoever reads it.
    pub(crate) fn document<T: Serialize>(self, document: &T) -> anyhow::Result<()> {
        println!("{}", shown::json(&serde_json::to_string_pretty(document)?));
        Ok(())
    }

    /// A sentence for people; nothing for programs.
    pub(crate) fn say(self, sentence: &str) {
        if !self.json {
            println!("{}", shown::lines(sentence));
        }
    }
}

/// `12,345`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2026-03-02 09:30:00Z`.
pub(crate) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::{thousands, time};

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1_000, 1_234_567].map(thousands).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time(1_772_413_200_000), "2026-03-02 01:00:00Z");
    }
}
