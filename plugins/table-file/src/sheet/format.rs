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
    let plain = code.trim();
    if plain.eq_ignore_ascii_case("general") || plain.starts_with("G/") || plain == "@" {
        return Format::Number(Shown::default());
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
            'A' | 'a' if reading.time || chars.peek().is_some_and(|c| "Mm/".contains(*c)) => {
                reading.time = true;
                while chars.next_if(|c| "MmPp/".contains(*c)).is_some() {}
            }
            _ => reading.mark(c),
        }
    }
    reading.done(plain)
}

#[derive(Default)]
struct Reading {
    literals: String,
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
            let sign = currency.rsplit_once('-').map_or(currency, |(sign, _)| sign).to_owned();
            self.literal(&sign);
        } else if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S')) {
            self.time = true;
        }
    }

    fn mark(&mut self, c: char) {
        match c {
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

    fn done(self, code: &str) -> Format {
        if self.date || self.month && !self.time && self.digits == 0 {
            return Format::Date;
        }
        if self.time {
            return Format::Time;
        }
        let (rest, sign) = signs(&self.literals);
        let hidden = self.digits == 0 && code.contains(';');
        let open = self.digits == 0 || self.scaled || self.scientific || self.fraction;
        Format::Number(Shown {
            decimals: (!open).then_some(self.decimals),
            padded: if self.optional { 0 } else { self.zeros },
            percent: self.percent,
            sign,
            words: hidden || self.gap || !rest,
            scientific: self.scientific,
        })
    }
}

/// Are there only blanks, brackets and a currency sign, and which?
fn signs(literals: &str) -> (bool, Option<Sign>) {
    let mut rest: String = literals.chars().filter(|c| !c.is_whitespace() && !"()（）-+".contains(*c)).collect();
    let mut sign = None;
    while let Some((found, left)) = Sign::before(&rest) {
        match Sign::both(sign, Some(found)) {
            Some(both) => sign = both,
            None => return (false, None),
        }
        rest = left.to_owned();
    }
    (rest.is_empty(), sign)
}
