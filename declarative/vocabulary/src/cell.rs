//! One cell: what stands in it before the mapping says what it means, and the id that it may be.

use crate::number::half_width;
use crate::sign::Sign;

/// What stands in a cell, before anybody says what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or blanks.
    Blank,
    /// Text without the blanks around it.
    Text(Box<str>),
    /// A number of a spreadsheet.
    Number(Box<Number>),
    /// A cell that is formatted as a date.
    Date(Day),
    /// What cannot be read, and why: `#N/A`, a formula that was never calculated, …
    Fault(&'static str),
}

/// A number and how its cell shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// As a decimal text, with the 15 digits that a spreadsheet keeps.
    pub text: String,
    /// It is a whole number, and no digit of it was rounded away.
    pub whole: bool,
    /// By the cell's number format.
    pub shown: Shown,
}

/// What a number format adds to a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Digits behind the point; none where the format leaves them open.
    pub decimals: Option<u32>,
    /// Digits before the point, filled up with zeros: 6 for `000000`.
    pub padded: usize,
    /// 0.85 is shown as 85 %.
    pub percent: bool,
    /// The currency sign next to it.
    pub sign: Option<Sign>,
    /// There are words or marks next to or within it, or it is not shown at all.
    pub words: bool,
    /// It is shown as 1.2E+05.
    pub scientific: bool,
}

/// A day as a spreadsheet counts it, which may not exist (29 February 1900).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// 1900 to 9999.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// What a spreadsheet writes in place of a value that it has not.
const ERRORS: [&str; 18] = [
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#UNKNOWN!",
    "#EXTERNAL!",
    "#PYTHON!",
    "#GETTING_DATA",
    "#ERROR!",
];

/// `Err:502`, as LibreOffice writes an error into a text.
fn is_error(text: &str) -> bool {
    let numbered = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    ERRORS.contains(&text)
        || (text.len() > 1 && text.bytes().all(|b| b == b'#'))
        || text.strip_prefix("Err:").is_some_and(numbered)
}

impl Cell {
    /// An error of the spreadsheet.
    pub const ERROR: Self = Self::Fault("an error of the spreadsheet; expected a value");

    /// Text as it stands in a file. What exporters write so that a spreadsheet keeps the zeros, `="000123"`, is 000123.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let edge = |c: char| c.is_whitespace() || is_invisible(c);
        let text = text.trim_matches(edge);
        if is_error(text) {
            return Self::ERROR;
        }
        if let Some(inner) = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')) {
            let inner = inner.replace("\"\"", "\"");
            let inner = inner.trim_matches(edge);
            return if inner.is_empty() { Self::Blank } else { Self::Text(inner.into()) };
        }
        if text.is_empty() { Self::Blank } else { Self::Text(text.into()) }
    }

    /// A number of a spreadsheet: 8000.1 is stored as 8000.100000000000364, and shown as 8000.1. Of a number with more
    /// than 15 digits before the point a spreadsheet has lost the last ones.
    #[must_use]
    pub fn of_float(number: f64, shown: Shown) -> Self {
        if !number.is_finite() {
            return Self::ERROR;
        }
        let kept: f64 = format!("{number:.14e}").parse().unwrap_or(number);
        if kept.abs() >= 1e15 {
            return Self::Fault("a number of more than 15 digits, of which a spreadsheet keeps 15; write it as a text");
        }
        Self::Number(Box::new(Number { text: format!("{kept}"), whole: number.fract() == 0.0, shown }))
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_blank(&self) -> bool {
        *self == Self::Blank
    }

    /// As a title, or for a person who looks at a refused row.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Blank | Self::Fault(_) => String::new(),
            Self::Text(text) => text.to_string(),
            Self::Number(number) => number.padded(),
            Self::Date(day) => format!("{:04}-{:02}-{:02}", day.year, day.month, day.day),
        }
    }

    /// As a text that means what the cell shows.
    ///
    /// # Errors
    /// A cell that shows more than the number in it.
    pub fn words(&self) -> Result<String, String> {
        match self {
            Self::Fault(reason) => Err((*reason).to_owned()),
            Self::Number(number) if number.shown.adds() => {
                Err("a number whose format adds signs or words to it; write the intended value as text".to_owned())
            }
            _ => Ok(self.text()),
        }
    }

    /// As an external id: a text, or a whole number that a spreadsheet holds exactly.
    ///
    /// # Errors
    /// What is wrong with it, and how to write it.
    pub fn id(&self) -> Result<String, String> {
        if let Self::Number(number) = self {
            if !number.whole {
                return Err("a number with a fraction, which is not an id; write the id as a text".to_owned());
            }
            if number.shown.scientific {
                return Err("a number in scientific notation, which is not an id; write the id as a text".to_owned());
            }
        }
        let text = half_width(&self.words()?);
        if !matches!(self, Self::Text(_)) {
            return Ok(text);
        }
        let text = text.strip_prefix('\'').unwrap_or(&text).trim();
        if is_scientific(text) {
            return Err("a text in scientific notation, whose digits are lost; export the id as a text".to_owned());
        }
        if text.split_once('.').is_some_and(|(whole, rest)| {
            !whole.is_empty()
                && whole.bytes().all(|b| b.is_ascii_digit())
                && !rest.is_empty()
                && rest.bytes().all(|b| b == b'0')
        }) {
            return Err("a whole number written with decimals, which is not an id; export the id as a text".to_owned());
        }
        if text.starts_with('=') {
            return Err("a formula that was exported as a text; expected an id".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("a text with line breaks or other control characters, which is not an id".to_owned());
        }
        Ok(text.to_owned())
    }

    /// For messages: the type, never the value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Blank => "nothing",
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Date(_) => "a date",
            Self::Fault(_) => "an error of the spreadsheet",
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(number) => number.text.len(),
            Self::Blank | Self::Date(_) | Self::Fault(_) => 0,
        }
    }
}

impl Shown {
    /// Does it show more than the number?
    fn adds(&self) -> bool {
        self.percent || self.words || self.sign.is_some()
    }
}

impl Number {
    /// With the zeros that its format puts before it.
    fn padded(&self) -> String {
        let (sign, digits) = self.text.strip_prefix('-').map_or(("", self.text.as_str()), |digits| ("-", digits));
        let whole = digits.split('.').next().unwrap_or_default().len();
        if self.shown.padded < 2 || whole >= self.shown.padded {
            return self.text.clone();
        }
        format!("{sign}{}{digits}", "0".repeat(self.shown.padded - whole))
    }
}

/// Invisible marks: zero-width ones, those of direction, the byte order mark, the soft hyphen.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// 1.10101E+17: digits, and an exponent with its sign or behind a fraction. 5E12 may be a code and is left alone.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let signed = exponent.starts_with(['+', '-']);
    let fraction = mantissa.contains(['.', ',']);
    numeric(&mantissa.replace(['.', ','], ""))
        && numeric(exponent.trim_start_matches(['+', '-']))
        && (signed || fraction)
}
