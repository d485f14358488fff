//! Currency signs: which currencies each may stand for.

/// A currency sign, by the currencies that it may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign(&'static [&'static str]);

const DOLLARS: &[&str] =
    &["USD", "HKD", "TWD", "AUD", "CAD", "SGD", "NZD", "MOP", "MXN", "BND", "FJD", "CLP", "COP", "ARS"];

/// What is written next to an amount; longer ones first, so that `US$` is not read as `$`.
const WRITTEN: &[(&str, &[&str])] = &[
    ("HK$", &["HKD"]),
    ("NT$", &["TWD"]),
    ("US$", &["USD"]),
    ("AU$", &["AUD"]),
    ("CA$", &["CAD"]),
    ("SG$", &["SGD"]),
    ("NZ$", &["NZD"]),
    ("R$", &["BRL"]),
    ("A$", &["AUD"]),
    ("C$", &["CAD"]),
    ("S$", &["SGD"]),
    ("人民币", &["CNY"]),
    ("人民幣", &["CNY"]),
    ("新台币", &["TWD"]),
    ("新臺幣", &["TWD"]),
    ("新加坡元", &["SGD"]),
    ("美元", &["USD"]),
    ("美金", &["USD"]),
    ("港元", &["HKD"]),
    ("港币", &["HKD"]),
    ("港幣", &["HKD"]),
    ("台币", &["TWD"]),
    ("臺幣", &["TWD"]),
    ("欧元", &["EUR"]),
    ("歐元", &["EUR"]),
    ("英镑", &["GBP"]),
    ("英鎊", &["GBP"]),
    ("日元", &["JPY"]),
    ("日圆", &["JPY"]),
    ("日圓", &["JPY"]),
    ("韩元", &["KRW"]),
    ("澳元", &["AUD"]),
    ("加元", &["CAD"]),
    ("新元", &["SGD"]),
    ("卢布", &["RUB"]),
    ("泰铢", &["THB"]),
    ("瑞郎", &["CHF"]),
    ("澳门元", &["MOP"]),
    ("RMB", &["CNY"]),
    ("CNH", &["CNY"]),
    ("CNY", &["CNY"]),
    ("USD", &["USD"]),
    ("HKD", &["HKD"]),
    ("TWD", &["TWD"]),
    ("MOP", &["MOP"]),
    ("EUR", &["EUR"]),
    ("GBP", &["GBP"]),
    ("JPY", &["JPY"]),
    ("KRW", &["KRW"]),
    ("SGD", &["SGD"]),
    ("AUD", &["AUD"]),
    ("CAD", &["CAD"]),
    ("NZD", &["NZD"]),
    ("CHF", &["CHF"]),
    ("INR", &["INR"]),
    ("THB", &["THB"]),
    ("MYR", &["MYR"]),
    ("VND", &["VND"]),
    ("IDR", &["IDR"]),
    ("PHP", &["PHP"]),
    ("RUB", &["RUB"]),
    ("BRL", &["BRL"]),
    ("¥", &["CNY", "JPY"]),
    ("￥", &["CNY", "JPY"]),
    ("$", DOLLARS),
    ("€", &["EUR"]),
    ("£", &["GBP"]),
    ("￡", &["GBP"]),
    ("₩", &["KRW"]),
    ("₹", &["INR"]),
    ("₽", &["RUB"]),
    ("฿", &["THB"]),
    ("₫", &["VND"]),
    ("₱", &["PHP"]),
    ("元", &["CNY", "TWD", "HKD", "MOP"]),
    ("圆", &["CNY"]),
    ("円", &["JPY"]),
];

/// Language numbers of number formats (MS-LCID), and the currencies of their countries.
const COUNTRIES: &[(&str, &[&str])] = &[
    ("804", &["CNY"]),
    ("411", &["JPY"]),
    ("409", &["USD"]),
    ("C04", &["HKD"]),
    ("3C09", &["HKD"]),
    ("404", &["TWD"]),
    ("1404", &["MOP"]),
    ("1004", &["SGD"]),
    ("4809", &["SGD"]),
    ("C09", &["AUD"]),
    ("1009", &["CAD"]),
    ("C0C", &["CAD"]),
    ("1409", &["NZD"]),
];

/// Does no sign begin or end with it?
fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '(' | ')')
}

impl Sign {
    /// May an amount of this currency (ISO 4217) carry the sign?
    #[must_use]
    pub fn fits(self, currency: &str) -> bool {
        self.0.iter().any(|one| one.eq_ignore_ascii_case(currency))
    }

    /// Takes one sign off the beginning of a text.
    #[must_use]
    pub fn before(text: &str) -> Option<(Self, &str)> {
        // Nearly every amount is a number alone.
        if text.starts_with(is_of_number) {
            return None;
        }
        WRITTEN.iter().find_map(|(written, currencies)| {
            let begins = text.get(..written.len())?.eq_ignore_ascii_case(written);
            begins.then(|| (Self(currencies), &text[written.len()..]))
        })
    }

    /// Takes one sign off the end of a text.
    #[must_use]
    pub fn behind(text: &str) -> Option<(Self, &str)> {
        if text.ends_with(is_of_number) {
            return None;
        }
        WRITTEN.iter().find_map(|(written, currencies)| {
            let at = text.len().checked_sub(written.len())?;
            let ends = text.get(at..)?.eq_ignore_ascii_case(written);
            ends.then(|| (Self(currencies), &text[..at]))
        })
    }

    /// The sign as a number format writes it for a country, by the number that stands for the country there: `¥` is a yen
    /// under 411 and a yuan under 804.
    #[must_use]
    pub fn within(self, country: &str) -> Self {
        let country = country.trim_start_matches('0');
        let named = COUNTRIES.iter().find(|(number, _)| number.eq_ignore_ascii_case(country));
        match named.and_then(|(_, currency)| currency.first().filter(|one| self.fits(one)).map(|_| *currency)) {
            Some(currency) => Self(currency),
            None => self,
        }
    }

    /// What two signs of one amount mean together; none if they contradict each other.
    #[must_use]
    pub fn both(one: Option<Self>, other: Option<Self>) -> Option<Option<Self>> {
        match (one, other) {
            (Some(one), Some(other)) => {
                let (narrow, wide) = if one.0.len() <= other.0.len() { (one, other) } else { (other, one) };
                narrow.0.iter().all(|currency| wide.fits(currency)).then_some(Some(narrow))
            }
            (one, other) => Some(one.or(other)),
        }
    }
}
