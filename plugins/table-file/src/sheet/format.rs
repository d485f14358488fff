//! Number formats: what a cell shows in addition to the number in it.

use std::iter::Peekable;
use std::str::Chars;

use renmen_vocabulary::cell::Shown;
use renmen_vocabulary::sign::Sign;

/// What a number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A number.
    Number(Shown),
    /// A day, with or without a time.
    Date,
    /// A time of day or a duration.
    Time,
}

/// A number format: up to three sections, of which the number chooses one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Format {
    sections: [Option<Section>; 3],
}

/// What one section of a number format makes of the numbers that are its own.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Section {
    /// `[>=10000]`
    condition: Option<Condition>,
    form: Form,
    /// It has no place for the number: it hides it, or shows words in its place.
    empty: bool,
    /// It is for texts.
    text: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Condition {
    less: bool,
    equal: bool,
    more: bool,
    than: f64,
}

/// The formats that have a number and no text (ECMA-376 part 1, 18.8.30), with those of a Chinese spreadsheet: 27 to 36 and
/// 50 to 58. What a currency is in 5 to 8 and 37 to 44 depends on the machine: only its digits are taken.
pub(super) fn builtin(id: u32) -> Format {
    of_code(match id {
        1 => "0",
        2 | 39 | 40 | 43 | 44 | 7 | 8 => "0.00",
        3 | 5 | 6 | 37 | 38 | 41 | 42 => "#,##0",
        4 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        11 | 48 => "0.00E+00",
        14..=17 | 22 | 27..=36 | 50..=58 => "yyyy-mm-dd",
        18..=21 | 45..=47 => "h:mm",
        _ => "General",
    })
}

/// A format by its text.
pub(super) fn of_code(code: &str) -> Format {
    let mut plain = code.trim().to_owned();
    for general in ["General", "GENERAL", "general", "G/通用格式"] {
        plain = plain.replace(general, &GENERAL.to_string());
    }
    let mut chars = plain.chars().peekable();
    let mut sections = Vec::new();
    while chars.peek().is_some() {
        sections.push(section(&mut chars));
    }
    if plain.ends_with(';') {
        sections.push(Reading::default().done());
    }
    // The last of several is for texts where it says so.
    if sections.len() > 1 {
        sections.pop_if(|last| last.text);
    }
    let mut format = Format::default();
    for (place, section) in format.sections.iter_mut().zip(sections) {
        *place = Some(section);
    }
    format
}

/// Reads a section, with the `;` behind it.
fn section(chars: &mut Peekable<Chars<'_>>) -> Section {
    let mut reading = Reading::default();
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
            // The names of days, and of eras.
            'a' | 'A' | 'n' | 'N' if chars.peek().is_some_and(|next| next.eq_ignore_ascii_case(&c)) => {
                reading.date = true;
                while chars.next_if(|next| next.eq_ignore_ascii_case(&c)).is_some() {}
            }
            'g' | 'G' if chars.peek().is_some_and(|next| "gGeE".contains(*next)) => reading.date = true,
            'A' | 'a' if reading.time || chars.peek().is_some_and(|c| "Mm/".contains(*c)) => {
                reading.time = true;
                while chars.next_if(|c| "MmPp/".contains(*c)).is_some() {}
            }
            _ => reading.mark(c),
        }
    }
    reading.done()
}

impl Format {
    /// What it makes of this number.
    pub(super) fn of(&self, number: f64) -> Form {
        let count = self.sections.iter().flatten().count();
        let own = self.sections.iter().flatten().enumerate().find(|(index, section)| match section.condition {
            Some(condition) => condition.holds(number),
            None => match (index, count) {
                (0, 2) => number >= 0.0 || self.sections[1].is_some_and(|second| second.condition.is_some()),
                (0, 3) => number > 0.0,
                (1, 3) => number < 0.0,
                _ => true,
            },
        });
        let Some((_, section)) = own else {
            // No section is for it (it is shown as ####), or there is none at all.
            return Form::Number(Shown { words: count > 0, ..Shown::default() });
        };
        match section.form {
            // A zero that is left out or shown as a dash is a zero.
            Form::Number(shown) if section.empty && count > 1 && number != 0.0 => {
                Form::Number(Shown { words: true, ..shown })
            }
            form => form,
        }
    }
}

impl Condition {
    /// `>=10000`
    fn of(inside: &str) -> Option<Self> {
        let at = inside.find(|c| !"<>=".contains(c)).filter(|at| *at > 0)?;
        let (marks, than) = inside.split_at(at);
        let different = marks == "<>";
        Some(Self {
            less: marks.contains('<'),
            equal: marks.contains('=') && !different,
            more: marks.contains('>'),
            than: than.trim().parse().ok()?,
        })
    }

    fn holds(self, number: f64) -> bool {
        (self.less && number < self.than) || (self.equal && number == self.than) || (self.more && number > self.than)
    }
}

/// Stands for the digits of the format General.
const GENERAL: char = '\u{1}';

#[derive(Default)]
struct Reading {
    literals: String,
    condition: Option<Condition>,
    text: bool,
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
        } else if let Some(condition) = Condition::of(inside) {
            self.condition = Some(condition);
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
            '@' => (self.general, self.text) = (true, true),
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

    fn done(mut self) -> Section {
        let form = self.form();
        let empty = self.digits == 0 && !self.general;
        Section { condition: self.condition, form, empty, text: self.text }
    }

    fn form(&mut self) -> Form {
        if self.date || self.month && !self.time && self.digits == 0 {
            return Form::Date;
        }
        if self.time {
            return Form::Time;
        }
        let plain = self.take_signs();
        let open = self.digits == 0 || self.general || self.scaled || self.scientific || self.fraction;
        Form::Number(Shown {
            decimals: (!open).then_some(self.decimals),
            padded: if self.optional { 0 } else { self.zeros },
            percent: self.percent,
            sign: self.sign,
            words: self.gap || self.clash || !plain,
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
            "ggge\"年\"",
            "[$-804]AAAA;@",
            "NNNN",
            "yyyy-mm-dd hh:mm:ss",
        ] {
            assert_eq!(of_code(code).of(45_717.0), Form::Date, "{code}");
        }
        for code in ["[h]:mm", "[$-409]h:mm AM/PM;@", "mm:ss.0", "上午/下午h\"时\"mm\"分\"", "[ss]"] {
            assert_eq!(of_code(code).of(0.5), Form::Time, "{code}");
        }
        for code in ["0.00E+00", "[Red]#,##0.00", "General", "G/通用格式", "@", "#,##0.00_ ;[Red]\\-#,##0.00\\ "] {
            assert!(
                matches!(of_code(code).of(1.0), Form::Number(shown) if !shown.words && shown.sign.is_none()),
                "{code}"
            );
        }
    }

    #[test]
    fn a_currency_of_a_country_is_that_one_alone() {
        let fits = |code: &str, currency: &str| match of_code(code).of(1.0) {
            Form::Number(shown) if !shown.words => shown.sign.is_some_and(|sign| sign.fits(currency)),
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
        let decimals = |code: &str| match of_code(code).of(1.0) {
            Form::Number(shown) => shown.decimals,
            _ => None,
        };
        assert_eq!((decimals("#,##0.00_);(#,##0.00)"), decimals("0"), decimals("0.0%")), (Some(2), Some(0), Some(1)));
        for open in ["General", "#,##0.00,", "0.00E+00", "# ?/?", "@"] {
            assert_eq!(decimals(open), None, "{open}");
        }
    }

    #[test]
    fn a_number_chooses_the_section_that_is_its_own() {
        let shown = |code: &str, number: f64| match of_code(code).of(number) {
            Form::Number(shown) => shown,
            other => panic!("{code}: {other:?}"),
        };
        for (code, number, percent) in [
            ("[<1]0.00%;0.00", 0.5, true),
            ("[<1]0.00%;0.00", 1.5, false),
            ("0.00;-0.00%", -0.5, true),
            ("0.00;-0.00%", 0.0, false),
            ("0;-0;0%", 0.0, true),
            ("[>=1]0;[<0]0%;0.0", -1.0, true),
            ("[>=1]0;[<0]0%;0.0", 0.5, false),
            ("0;[=5]0%", 5.0, false),
            ("[<>5]0%;0", 5.0, false),
        ] {
            assert_eq!(shown(code, number).percent, percent, "{code} of {number}");
        }
        for (code, number, words) in [
            (";;;", 1.0, true),
            ("0;-0;;@", 0.0, false),
            ("#,##0.00;-#,##0.00;\"-\"", 0.0, false),
            ("0;-0;\"none\"", 0.0, true),
            ("0.00;\"debt \"0.00", -1.0, true),
            ("0.00;\"debt \"0.00", 1.0, false),
            ("0;;", -1.0, true),
            ("[>5]0", 1.0, true),
            ("\"paid\";0", 1.0, true),
        ] {
            assert_eq!(shown(code, number).words, words, "{code} of {number}");
        }
        assert_eq!(of_code("yyyy\\-mm\\-dd;@").of(-1.0), Form::Date);
    }
}
