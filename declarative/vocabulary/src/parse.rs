//! What a value of a source means: the closed list of `as = "…"`. What is not declared is not assumed.

use std::collections::BTreeMap;

use renmen_schema::KEY_SCHEMES;
use renmen_schema::id::ConnectionName;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How a cell is read. What is not declared is not assumed.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum Parse {
    /// Text without the blanks around it.
    Text {},
    /// Text in a language.
    Localized {
        /// BCP 47: `zh-CN`.
        lang: String,
    },
    /// Another record's external id.
    Ref {
        /// The other record's key is a day or a month: the cell is read as one, so that every notation finds it.
        of: Option<Of>,
        /// The connection whose system gave the id; none: the record is of this connection. With `scheme`: none for any.
        connection: Option<ConnectionName>,
        /// The cell is this alternate key of the other record, and not an id of it: `employee_number`.
        #[serde(default, deserialize_with = "scheme")]
        scheme: Option<String>,
    },
    /// A number.
    Decimal {
        /// ISO 4217: the currency that a sign next to the number must belong to; none accepts no sign.
        currency: Option<String>,
    },
    /// A day. Without formats: a date cell, `2025-03-01`, `2025/3/1`, `2025.3.1`, `20250301`, `2025年3月1日`.
    Date {
        /// strftime: `%d/%m/%Y`. Then only these, and date cells.
        #[serde(default)]
        formats: Vec<String>,
        /// A bare number is the serial of a day.
        #[serde(default)]
        serials: bool,
    },
    /// A month, as the span of its days: `2025-03`, `202503`, `2025年3月`, or a date within it.
    Month {
        /// A bare number is the serial of a day.
        #[serde(default)]
        serials: bool,
    },
    /// An amount.
    Money {
        /// ISO 4217.
        currency: Option<String>,
        /// What a number without a suffix counts; none means single units.
        unit: Option<Unit>,
    },
    /// An amount for a time, as a pay rate.
    Rate {
        /// ISO 4217.
        currency: Option<String>,
        /// What a number without a suffix counts; none means single units.
        unit: Option<Unit>,
        /// `MONTH`, `YEAR`, …
        per: Option<String>,
    },
    /// `8-10K`, `8k～1万`, `15K以上`, as a pay range.
    Range {
        /// ISO 4217.
        currency: Option<String>,
        /// What a number without a suffix counts; without it every range must carry a suffix.
        unit: Option<Unit>,
        /// `MONTH`, `YEAR`, …
        per: Option<String>,
    },
    /// `85%` as 85.
    Percent {
        /// A number without a sign is a part of one: 0.85 is 85 %. Excel stores percent cells so.
        #[serde(default)]
        of_one: bool,
    },
    /// `30%` as 3,000 basis points.
    Weight {
        /// As in `percent`.
        #[serde(default)]
        of_one: bool,
    },
    /// A score on a declared scale.
    Score {
        /// The lowest possible.
        min: String,
        /// The highest possible.
        max: String,
        /// A word for a number: `{ 优秀 = "5" }`.
        #[serde(default)]
        levels: BTreeMap<String, String>,
    },
    /// A code with the source's own text; what the map does not know becomes OTHER.
    Code {
        /// The source's text to our code.
        map: BTreeMap<String, String>,
    },
    /// A word of a closed vocabulary: what the map does not know is a fault.
    Choice {
        /// The source's text to our word.
        map: BTreeMap<String, Value>,
    },
}

fn scheme<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let known = || KEY_SCHEMES.iter().map(|scheme| scheme.name);
    if known().any(|known| known == name) {
        return Ok(Some(name));
    }
    Err(D::Error::custom(format!(
        "not a key of any record; expected one of {}",
        known().collect::<Vec<_>>().join(", ")
    )))
}

impl Parse {
    /// Is the cell read as a number, of which a text must say its decimal mark?
    #[must_use]
    pub fn is_number(&self) -> bool {
        !matches!(
            self,
            Self::Text {}
                | Self::Localized { .. }
                | Self::Ref { .. }
                | Self::Date { .. }
                | Self::Month { .. }
                | Self::Code { .. }
                | Self::Choice { .. }
        )
    }

    /// Do numbers of such a column have a sum?
    #[must_use]
    pub fn is_summed(&self) -> bool {
        matches!(self, Self::Decimal { .. } | Self::Money { .. } | Self::Rate { .. })
    }

    /// Is the cell read as a day or a month?
    #[must_use]
    pub fn is_day(&self) -> bool {
        matches!(self, Self::Date { .. } | Self::Month { .. } | Self::Ref { of: Some(_), .. })
    }
}

impl Default for Parse {
    fn default() -> Self {
        Self::Text {}
    }
}

/// What the external id of another record is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// A day.
    Date,
    /// A month.
    Month,
}

/// What a bare number of an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Single units of the currency.
    #[serde(rename = "1")]
    One,
    /// Thousands: `K`, `千`.
    #[serde(rename = "K")]
    Thousand,
    /// Ten thousands: `万`.
    #[serde(rename = "万")]
    TenThousand,
}

impl Unit {
    /// By how much a number is multiplied.
    #[must_use]
    pub fn factor(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Thousand => 1000,
            Self::TenThousand => 10_000,
        }
    }
}

/// The mark before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Mark {
    /// `1,234.56`
    #[serde(rename = ".")]
    Point,
    /// `1.234,56`
    #[serde(rename = ",")]
    Comma,
}

/// The years that a day may lie in: what is outside is a slip of the keyboard or a number that is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Years {
    /// The first one.
    pub first: i16,
    /// The last one.
    pub last: i16,
}

impl Default for Years {
    fn default() -> Self {
        Self { first: 1950, last: 2100 }
    }
}
