//! Made-up values in place of real ones: equal values stay equal, different ones stay different, each keeps its form,
//! and all are from ranges that belong to no real person.

use std::collections::{HashMap, HashSet};

use super::pattern::{Kind, check_of};

const FAMILY: [&str; 12] = ["赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫"];
const GIVEN: [&str; 16] =
    ["安", "博", "晨", "丹", "恩", "方", "国", "涵", "佳", "凯", "乐", "明", "宁", "平", "清", "然"];
const FIRST: [&str; 12] = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hope", "Ivan", "June", "Kim", "Leo"];
const LAST: [&str; 12] =
    ["Amber", "Birch", "Cedar", "Dale", "Elm", "Fern", "Grove", "Heath", "Iris", "Juniper", "Knoll", "Laurel"];
/// Signs that stand for signs of Chinese text.
const SIGNS: [char; 16] =
    ['天', '地', '山', '水', '风', '云', '花', '木', '石', '田', '林', '海', '雨', '雪', '星', '月'];
/// Tries to find a made-up value that no other value has.
const TRIES_MAX: u64 = 20_000;
const DAY_MS: u64 = 86_400_000;

/// Makes values up.
pub(super) struct Inventor {
    key: [u8; 32],
    made: HashMap<(Kind, String), String>,
    used: HashSet<String>,
}

impl Inventor {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, made: HashMap::new(), used: HashSet::new() }
    }

    /// Never makes up one of these. One person's made-up staff number must not be another's real one.
    pub(super) fn avoid(&mut self, real: impl IntoIterator<Item = String>) {
        self.used.extend(real);
    }

    /// The made-up value for a text.
    pub(super) fn text(&mut self, kind: Kind, real: &str) -> String {
        let known = (kind, real.to_owned());
        if let Some(made) = self.made.get(&known) {
            return made.clone();
        }
        let mut made = String::new();
        for attempt in 0..TRIES_MAX {
            made = invent(kind, real, self.seed(kind, real, attempt));
            if made != real && !self.used.contains(&made) {
                break;
            }
        }
        self.used.insert(made.clone());
        self.made.insert(known, made.clone());
        made
    }

    /// The made-up number for one that is a person's: pay keeps its number of digits, a time in milliseconds its time of day.
    pub(super) fn number(&mut self, real: &str) -> String {
        let seed = self.seed(Kind::Other, real, 0);
        match real.parse::<u64>() {
            Ok(ms) if real.len() >= 12 => {
                let day = number_of(&seed, 0) % 11_000;
                (day * DAY_MS + ms % DAY_MS).to_string()
            }
            _ => {
                // A digit before the first may not become zero: it would be another number of digits, or no JSON.
                let mut first = true;
                let scrambled = real.char_indices().map(|(at, c)| match c {
                    '0'..='9' => {
                        let digit = u32::from(seed[at % 32]) + at as u32;
                        let digit = if std::mem::take(&mut first) && c != '0' { 1 + digit % 9 } else { digit % 10 };
                        char::from_digit(if c == '0' && at == 0 { 0 } else { digit }, 10).unwrap_or('0')
                    }
                    other => other,
                });
                scrambled.collect()
            }
        }
    }

    fn seed(&self, kind: Kind, real: &str, attempt: u64) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[kind as u8]).update(&attempt.to_le_bytes()).update(real.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

fn number_of(seed: &[u8; 32], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&seed[at..at + 8]);
    u64::from_le_bytes(bytes)
}

fn pick<'a>(list: &[&'a str], seed: u64) -> &'a str {
    list[(seed % list.len() as u64) as usize]
}

fn invent(kind: Kind, real: &str, seed: [u8; 32]) -> String {
    let (one, two, three) = (number_of(&seed, 0), number_of(&seed, 8), number_of(&seed, 16));
    match kind {
        Kind::Name if real.is_ascii() => name(real, one, two),
        Kind::Name => {
            let count = real.chars().count();
            let given = if count > 2 { pick(&GIVEN, three) } else { "" };
            format!("{}{}{given}", pick(&FAMILY, one), pick(&GIVEN, two))
        }
        Kind::Email => format!("p{:010x}@example.test", one & 0xFF_FFFF_FFFF),
        Kind::Phone => phone(real, one),
        Kind::Identity => {
            // No region has the code 000000.
            let body =
                format!("000000{}{:02}{:02}{:03}", 1950 + one % 50, 1 + two % 12, 1 + three % 28, (one >> 32) % 1000);
            let check = check_of(&body);
            format!("{body}{check}")
        }
        Kind::Card => format!("0000{}", digits(&real.replace([' ', '-'], "")[4..], &seed)),
        Kind::Other => date(real, one, two, three).unwrap_or_else(|| same_form(real, &seed)),
    }
}

/// As many words as there were, so that a family and a given name that are apart stay apart.
fn name(real: &str, one: u64, two: u64) -> String {
    match real.trim().split(' ').count() {
        1 => format!("{}{}", pick(&LAST, one), char::from(b'a' + (two % 26) as u8)),
        _ => format!("{} {}{}", pick(&FIRST, one), pick(&LAST, two), char::from(b'a' + ((one >> 32) % 26) as u8)),
    }
}

/// Mobile numbers of a block that no operator assigns; else the country's code, then digits that begin with 5550.
fn phone(real: &str, seed: u64) -> String {
    let digits: String = real.chars().filter(char::is_ascii_digit).collect();
    let plus = if real.starts_with('+') { "+" } else { "" };
    match digits
        .strip_prefix("86")
        .filter(|rest| rest.len() == 11)
        .or((digits.len() == 11 && plus.is_empty()).then_some(&digits))
    {
        Some(national) => {
            let country = &digits[..digits.len() - national.len()];
            format!("{plus}{country}1990000{:04}", seed % 10_000)
        }
        None => {
            let head = &digits[..digits.len().min(2)];
            let rest = digits.len().saturating_sub(head.len() + 4);
            let tail = format!("{seed:020}");
            format!("{plus}{head}5550{}", &tail[tail.len() - rest.min(16)..])
        }
    }
}

/// A date becomes another valid date: `1990-02-03`, `1990/02/03`, `19900203`, and what follows it stays.
fn date(real: &str, one: u64, two: u64, three: u64) -> Option<String> {
    let (year, month, day) = (1950 + one % 50, 1 + two % 12, 1 + three % 28);
    let is = |text: &str, from: usize, to: usize, low: u32, high: u32| {
        text.get(from..to).and_then(|part| part.parse::<u32>().ok()).is_some_and(|n| (low..=high).contains(&n))
    };
    let separator = real.as_bytes().get(4).copied().filter(|b| matches!(b, b'-' | b'/'));
    if let Some(separator) = separator.map(char::from) {
        let fits = is(real, 0, 4, 1900, 2100) && is(real, 5, 7, 1, 12) && is(real, 8, 10, 1, 31);
        return fits.then(|| format!("{year}{separator}{month:02}{separator}{day:02}{}", &real[10..]));
    }
    let fits = real.len() == 8 && is(real, 0, 4, 1900, 2100) && is(real, 4, 6, 1, 12) && is(real, 6, 8, 1, 31);
    fits.then(|| format!("{year}{month:02}{day:02}"))
}

/// Letters become letters, digits digits, signs of Chinese text such signs; everything else stays.
fn same_form(real: &str, seed: &[u8; 32]) -> String {
    let mut state = number_of(seed, 0) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let made = real.char_indices().map(|(at, c)| match c {
        // A number stays one that JSON can write.
        '1'..='9' if at == 0 => char::from(b'1' + (next() % 9) as u8),
        'a'..='z' => char::from(b'a' + (next() % 26) as u8),
        'A'..='Z' => char::from(b'A' + (next() % 26) as u8),
        '0'..='9' => char::from(b'0' + (next() % 10) as u8),
        c if !c.is_ascii() && c.is_alphabetic() => SIGNS[(next() % 16) as usize],
        other => other,
    });
    made.collect()
}

fn digits(real: &str, seed: &[u8; 32]) -> String {
    same_form(&real.chars().map(|c| if c.is_ascii_digit() { c } else { '0' }).collect::<String>(), seed)
}

#[cfg(test)]
mod tests {
    use super::super::pattern::find;
    use super::*;

    fn inventor() -> Inventor {
        Inventor::new([7; 32])
    }

    #[test]
    fn the_same_becomes_the_same_and_another_another() {
        let mut inventor = inventor();
        let made: Vec<String> = (0..400).map(|n| inventor.text(Kind::Phone, &format!("139{n:08}"))).collect();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), 400);
        assert_eq!(inventor.text(Kind::Phone, "13900000007"), made[7]);
        assert_eq!(Inventor::new([7; 32]).text(Kind::Email, "a@b.test"), inventor.text(Kind::Email, "a@b.test"));
        assert_ne!(Inventor::new([8; 32]).text(Kind::Email, "a@b.test"), inventor.text(Kind::Email, "a@b.test"));
    }

    #[test]
    fn what_is_made_up_for_one_is_not_what_another_really_has() {
        let numbers: Vec<String> = (0..600).map(|n| format!("P{n:03}")).collect();
        let mut inventor = inventor();
        inventor.avoid(numbers.iter().cloned());
        let made: HashSet<String> = numbers.iter().map(|real| inventor.text(Kind::Other, real)).collect();
        assert_eq!(made.len(), numbers.len());
        assert!(numbers.iter().all(|real| !made.contains(real)));
    }

    #[test]
    fn what_is_made_up_has_the_form_of_the_real_and_belongs_to_nobody() {
        let mut inventor = inventor();
        for (kind, real, begins) in [
            (Kind::Phone, "13912345678", "1990000"),
            (Kind::Phone, "+8613912345678", "+861990000"),
            (Kind::Phone, "+442079460000", "+445550"),
            (Kind::Card, "4111111111111111", "0000"),
            (Kind::Identity, "11010519491231002X", "000000"),
        ] {
            let made = inventor.text(kind, real);
            assert!(made.starts_with(begins) && made.len() == real.len(), "{real}: {made}");
        }
        assert_eq!(find(&inventor.text(Kind::Identity, "11010519491231002X"))[0].1, Kind::Identity);
        assert!(inventor.text(Kind::Email, "x@corp.test").ends_with("@example.test"));
    }

    #[test]
    fn a_day_stays_a_day_and_a_number_a_number() {
        let mut inventor = inventor();
        for real in ["1988-11-30", "1988/11/30", "19881130", "1988-11-30T08:00:00Z"] {
            let made = inventor.text(Kind::Other, real);
            assert!(made.len() == real.len() && made != real, "{real}: {made}");
            assert!(date(&made, 0, 0, 0).is_some(), "{made}");
        }
        for real in ["61234.5", "7", "-1200", "100000"] {
            let made = inventor.number(real);
            assert!(
                made.len() == real.len() && made.parse::<f64>().is_ok() && !made.starts_with('0'),
                "{real}: {made}"
            );
        }
        let ms = inventor.number("597628800000").parse::<u64>().unwrap_or_default();
        assert_eq!(ms % DAY_MS, 597_628_800_000 % DAY_MS);
    }

    #[test]
    fn names_keep_their_writing_and_their_words() {
        let mut inventor = inventor();
        assert_eq!(inventor.text(Kind::Name, "欧阳晓明").chars().count(), 3);
        assert_eq!(inventor.text(Kind::Name, "王伟").chars().count(), 2);
        assert_eq!(inventor.text(Kind::Name, "Wei Wang").split(' ').count(), 2);
        assert!(!inventor.text(Kind::Name, "Wang").contains(' '));
    }
}
