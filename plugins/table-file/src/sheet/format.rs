//! Number formats: what a cell shows beside the number in it.

use crate::cell::Shown;
use crate::sign::Sign;

/// What a number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A number.
    Number(Shown),
    /// A day, with or without a time.
    Date,
    /// A time of day or a duration.
    Time,
}

/// The formats that have a number and no text (ECMA-376 part 1, 18.8.30), with those of a Chinese spreadsheet: 27 to 36 and
/// 50 to 58. What a currency is in 5 to 8 and 37 to 44 depends on the machine: only its digits are taken.
pub(super) fn builtin(id: u32) -> Format {
    match id {
        1 => of_code("0"),
        2 | 39 | 40 | 43 | 44 | 7 | 8 => of_code("0.00"),
        3 | 5 | 6 | 37 | 38 | 41 | 42 => of_code("#,##0"),
        4 => of_code("#,##0.00"),
        9 => of_code("0%"),
        10 => of_code("0.00%"),
        11 | 48 => of_code("0.00E+00"),
        14..=17 | 22 | 27..=36 | 50..=58 => Format::Date,
        18..=21 | 45..=47 => Format::Time,
        _ => Format::Number(Shown::default()),
    }
}

/// A format by its text; the first section counts, which is the one of positive numbers.
pub(super) fn of_code(code: &str) -> Format {
    let mut reading = Reading::default();
    let mut plain = code.trim().to_owned();
    for general in ["General", "GENERAL", "general", "G/通用格式"] {
        plain = plain.replace(general, &GENERAL.to_string());
    }
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => {
                let literal: String = chars.by_ref().take_while(|&c| c != '"').collect();
                reading.literal(&literal);
            }
            '\\' | '!' => reading.literal(&chars.next().map(String::from).unwrap_or_default()),
            '_' | '*' => _ = chars.next(),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                reading.bracket(&inside);
            }
            'E' | 'e' if reading.digits > 0 && matches!(chars.peek(), Some('+' | '-')) => {
                reading.scientific = true;
                chars.next();
            }
            'y' | 'Y' | 'd' | 'D' | 'e' | 'E' => reading.date = true,
            'h' | 'H' | 's' | 'S' => reading.time = true,
            'm' | 'M' => reading.month = true,
            'a' if chars.peek() == Some(&'a') => reading.date = true,
            'A' | 'a' if reading.time || chars.peek().is_some_and(|c| "Mm/".contains(*c)) => {
                reading.time = true;
                while chars.next_if(|c| "MmPp/".contains(*c)).is_some() {}
            }
            _ => reading.mark(c),
        }
    }
    reading.done(&plain)
}

/// Stands for the digits of the format General.
const GENERAL: char = '\u{1}';

#[derive(Default)]
struct Reading {
    literals: String,
    /// What a currency in brackets says.
    sign: Option<Sign>,
    /// Two currencies that contradict each other.
    clash: bool,
    general: bool,
    date: bool,
    time: bool,
    month: bool,
    percent: bool,
    scientific: bool,
    fraction: bool,
    digits: u32,
    zeros: usize,
    optional: bool,
    point: bool,
    decimals: u32,
    scaled: bool,
    /// A literal stood between two digits.
    gap: bool,
    pending: bool,
}

impl Reading {
    fn literal(&mut self, text: &str) {
        self.pending |= self.digits > 0 && !text.trim().is_empty();
        self.literals.push_str(text);
    }

    /// `[$¥-804]` is a currency, `[h]` a duration; colours, conditions and digits of another script say nothing.
    fn bracket(&mut self, inside: &str) {
        if let Some(currency) = inside.strip_prefix('$') {
            let (written, country) = currency.rsplit_once('-').unwrap_or((currency, ""));
            match Sign::before(written.trim()) {
                Some((sign, "")) => self.signed(sign.within(country)),
                _ => self.literal(written),
            }
        } else if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S')) {
            self.time = true;
        }
    }

    fn signed(&mut self, sign: Sign) {
        match Sign::both(self.sign, Some(sign)) {
            Some(both) => self.sign = both,
            None => self.clash = true,
        }
    }

    fn mark(&mut self, c: char) {
        match c {
            GENERAL => (self.general, self.digits) = (true, self.digits + 1),
            '@' => self.general = true,
            '0' | '#' | '?' => {
                self.gap |= self.pending;
                self.digits += 1;
                self.scaled = false;
                if self.point {
                    self.decimals += 1;
                } else {
                    self.zeros += usize::from(c == '0');
                    self.optional |= c != '0';
                }
            }
            '.' => self.point = true,
            ',' => self.scaled = true,
            '%' => self.percent = true,
            '/' => self.fraction = true,
            '-' | '+' | '(' | ')' | ':' => self.pending |= self.digits > 0,
            c => self.literal(&c.to_string()),
        }
    }

    fn done(mut self, code: &str) -> Format {
        if self.date || self.month && !self.time && self.digits == 0 {
            return Format::Date;
        }
        if self.time {
            return Format::Time;
        }
        let plain = self.take_signs();
        let hidden = self.digits == 0 && !self.general && code.contains(';');
        let open = self.digits == 0 || self.general || self.scaled || self.scientific || self.fraction;
        Format::Number(Shown {
            decimals: (!open).then_some(self.decimals),
            padded: if self.optional { 0 } else { self.zeros },
            percent: self.percent,
            sign: self.sign,
            words: hidden || self.gap || self.clash || !plain,
            scientific: self.scientific,
        })
    }

    /// Takes the currency signs out of the literals: are only blanks and brackets left?
    fn take_signs(&mut self) -> bool {
        let beside = |c: &char| !c.is_whitespace() && !"()（）-+".contains(*c);
        let mut rest: String = self.literals.chars().filter(beside).collect();
        while let Some((sign, left)) = Sign::before(&rest) {
            self.signed(sign);
            rest = left.to_owned();
        }
        rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_days_and_times_are_told_from_those_of_numbers() {
        for code in [
            "yyyy/m/d;@",
            "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
            "m\"月\"d\"日\"",
            "mmmm",
            "[$-804]aaaa;@",
            "e\"年\"",
            "yyyy-mm-dd hh:mm:ss",
        ] {
            assert_eq!(of_code(code), Format::Date, "{code}");
        }
        for code in ["[h]:mm", "[$-409]h:mm AM/PM;@", "mm:ss.0", "上午/下午h\"时\"mm\"分\"", "[ss]"] {
            assert_eq!(of_code(code), Format::Time, "{code}");
        }
        for code in ["0.00E+00", "[Red]#,##0.00", "General", "G/通用格式", "@", "#,##0.00_ ;[Red]\\-#,##0.00\\ "] {
            assert!(matches!(of_code(code), Format::Number(shown) if !shown.words && shown.sign.is_none()), "{code}");
        }
    }

    #[test]
    fn a_currency_of_a_country_is_that_one_alone() {
        let fits = |code: &str, currency: &str| match of_code(code) {
            Format::Number(shown) if !shown.words => shown.sign.is_some_and(|sign| sign.fits(currency)),
            _ => false,
        };
        for (code, currency, other) in [
            ("[$¥-804]#,##0", "CNY", "JPY"),
            ("[$¥-411]#,##0", "JPY", "CNY"),
            ("[$$-409]#,##0.00", "USD", "HKD"),
            ("[$$-C04]#,##0.00", "HKD", "USD"),
            ("#,##0.00\\ [$EUR]", "EUR", "USD"),
            ("_ \"¥\"* #,##0.00_ ;_ \"¥\"* \\-#,##0.00_ ", "CNY", "USD"),
            ("General\"元\"", "CNY", "USD"),
        ] {
            assert!(fits(code, currency) && !fits(code, other), "{code}");
        }
        assert!(!fits("[$¥-411]#,##0\"元\"", "JPY"), "two that contradict each other");
    }

    #[test]
    fn digits_are_counted_where_the_format_fixes_them() {
        let decimals = |code: &str| match of_code(code) {
            Format::Number(shown) => shown.decimals,
            _ => None,
        };
        assert_eq!((decimals("#,##0.00_);(#,##0.00)"), decimals("0"), decimals("0.0%")), (Some(2), Some(0), Some(1)));
        for open in ["General", "#,##0.00,", "0.00E+00", "# ?/?", "@"] {
            assert_eq!(decimals(open), None, "{open}");
        }
    }
}
