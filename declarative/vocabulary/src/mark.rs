//! Which mark stands before the decimals of a column's numbers: declared, or proven by its own cells, never guessed.

use std::borrow::Cow;

use crate::number::half_width;
use crate::parse::Mark;

/// What is known of a column's decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The operator says it.
    Declared(Mark),
    /// Some cell can only be read with a point, and none only with a comma.
    Point,
    /// Some cell can only be read with a comma.
    Comma,
    /// No cell says it. A file with `;` between its fields comes from where commas stand before decimals.
    Open {
        /// Is the file one of those?
        semicolons: bool,
    },
}

/// What one cell can be.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    point: bool,
    comma: bool,
    /// `4.000`
    either_point: bool,
    /// `12,500`
    either_comma: bool,
}

impl Proof {
    /// Of the texts of a column.
    pub fn of<'a>(declared: Option<Mark>, texts: impl Iterator<Item = &'a str>, semicolons: bool) -> Self {
        if let Some(mark) = declared {
            return Self::Declared(mark);
        }
        let mut point = false;
        for text in texts {
            let evidence = Evidence::of(text);
            if evidence.comma {
                return Self::Comma;
            }
            point |= evidence.point;
        }
        if point { Self::Point } else { Self::Open { semicolons } }
    }

    /// The mark by which this text of the column is read.
    ///
    /// # Errors
    /// It could mean two numbers.
    pub fn mark(self, text: &str) -> Result<Mark, String> {
        let evidence = Evidence::of(text);
        let any = evidence.point || evidence.comma || evidence.either_point || evidence.either_comma;
        match self {
            Self::Declared(mark) => Ok(mark),
            Self::Comma if any => {
                Err("a number in a column in which a comma stands before decimals; declare `decimal = \",\"`, or \
                 `decimal = \".\"` if those cells are wrong"
                    .to_owned())
            }
            Self::Open { semicolons } if evidence.either_point || semicolons && evidence.either_comma => Err(
                "a number that may be thousands or decimals, and no cell of the column says which; declare `decimal`"
                    .to_owned(),
            ),
            _ => Ok(Mark::Point),
        }
    }
}

impl Evidence {
    fn of(text: &str) -> Self {
        let mut all = Self::default();
        // Every cell of every money column is looked at, and nearly all are plain digits.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let text: Cow<'_, str> = match plain {
            true => Cow::Borrowed(text),
            false => half_width(text).chars().filter(|c| !c.is_whitespace()).collect::<String>().into(),
        };
        for run in text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')) {
            all.add(run);
        }
        all
    }

    fn add(&mut self, run: &str) {
        let Some(last) = run.rfind(['.', ',']) else { return };
        let (whole, mark, fraction) = (&run[..last], &run[last..=last], &run[last + 1..]);
        if fraction.is_empty() {
            return;
        }
        let other = if mark == "." { ',' } else { '.' };
        let is_point = match (whole.contains(mark), whole.contains(other)) {
            // 1,234.56
            (false, true) => mark == ".",
            // 1,234,567
            (true, false) if grouped(run, mark) => mark == ",",
            (true, _) => return,
            // 4.000
            (false, false) if fraction.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0') => {
                self.either_point |= mark == ".";
                self.either_comma |= mark == ",";
                return;
            }
            // 12.5
            (false, false) => mark == ".",
        };
        self.point |= is_point;
        self.comma |= !is_point;
    }
}

fn grouped(run: &str, mark: &str) -> bool {
    let mut groups = run.split(mark);
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}
