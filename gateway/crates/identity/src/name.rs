//! Names, and how far two of them agree.
//!
//! The order of a name's parts does not count, nor do accents, case and separators. Chinese characters and Latin letters cannot be compared
//! without a dictionary that is right about every surname: such a pair says nothing, neither for nor against.

use std::collections::BTreeMap;

use crate::digest::Digests;
use crate::nickname;

/// Names of one record that are compared.
pub(crate) const NAMES_MAX: usize = 6;

/// Parts of a name that are compared.
const PARTS_MAX: usize = 6;

/// How far the names of two records agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameMatch {
    /// There is nothing to compare.
    Unknown,
    /// No part is the same.
    Different,
    /// A part is the same.
    Partly,
    /// The same by a usual short form.
    Near,
    /// The same.
    Same,
}

/// One name of a record, as hashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameForm {
    pub(crate) latin: bool,
    /// Of all parts in one order.
    pub(crate) whole: u64,
    /// The same with short forms replaced.
    pub(crate) near: u64,
    /// Of each part, short forms replaced; of Chinese characters the first.
    pub(crate) parts: Box<[u64]>,
}

/// Reads names into forms.
pub(crate) struct Names<'a> {
    digests: &'a Digests,
    short: &'a BTreeMap<String, String>,
    found: Vec<NameForm>,
    left_out: u16,
}

impl<'a> Names<'a> {
    pub(crate) fn new(digests: &'a Digests, short: &'a BTreeMap<String, String>) -> Self {
        Self { digests, short, found: Vec::new(), left_out: 0 }
    }

    /// One name; of one that is in both scripts each part counts.
    pub(crate) fn add(&mut self, name: &str) {
        let folded = fold(name);
        let (mut han, mut latin) = (String::new(), Vec::new());
        for part in folded.split(' ').filter(|part| !part.is_empty()) {
            if part.chars().any(is_han) {
                han.extend(part.chars().filter(|c| is_han(*c)));
            } else if latin.len() < PARTS_MAX {
                latin.push(part);
            }
        }
        if let Some(first) = han.chars().next() {
            let whole = self.digest(&han);
            let parts = [self.digest(&first.to_string())].into();
            self.push(NameForm { latin: false, whole, near: whole, parts });
        }
        if !latin.is_empty() {
            self.add_latin(latin);
        }
    }

    fn add_latin(&mut self, mut parts: Vec<&str>) {
        parts.sort_unstable();
        let mut full: Vec<&str> = parts.iter().map(|part| self.full(part)).collect();
        full.sort_unstable();
        let hashes = full.iter().map(|part| self.digest(part)).collect();
        let form = NameForm { latin: true, whole: self.joined(&parts), near: self.joined(&full), parts: hashes };
        self.push(form);
    }

    fn full<'b>(&self, part: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let own = self.short.get(part).map(String::as_str);
        own.or_else(|| nickname::full(part)).unwrap_or(part)
    }

    fn joined(&self, parts: &[&str]) -> u64 {
        self.digest(&parts.concat())
    }

    fn digest(&self, text: &str) -> u64 {
        self.digests.of(&["name", text])
    }

    fn push(&mut self, form: NameForm) {
        if self.found.contains(&form) {
            return;
        }
        if self.found.len() < NAMES_MAX {
            self.found.push(form);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// The names that count, and how many do not because there are too many.
    pub(crate) fn done(self) -> (Box<[NameForm]>, u16) {
        (self.found.into(), self.left_out)
    }
}

/// The best of what any two of the names say.
pub(crate) fn compare(a: &[NameForm], b: &[NameForm]) -> NameMatch {
    let pairs = a.iter().flat_map(|one| b.iter().map(move |other| compare_two(one, other)));
    pairs.max().unwrap_or(NameMatch::Unknown)
}

fn compare_two(a: &NameForm, b: &NameForm) -> NameMatch {
    if a.latin != b.latin {
        NameMatch::Unknown
    } else if a.whole == b.whole {
        NameMatch::Same
    } else if a.near == b.near {
        NameMatch::Near
    } else if a.parts.iter().any(|part| b.parts.contains(part)) {
        NameMatch::Partly
    } else {
        NameMatch::Different
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

/// Small letters without accents, parts apart by one blank. What stands in brackets is not part of a name: a department, a remark.
fn fold(name: &str) -> String {
    let (mut folded, mut depth) = (String::new(), 0_u32);
    for c in name.chars().take(256) {
        match c {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '\'' | '’' | '-' | '‐' | '.' => {}
            '\u{ff01}'..='\u{ff5e}' => {
                folded.extend(char::from_u32(c as u32 - 0xfee0).into_iter().flat_map(char::to_lowercase));
            }
            _ if c.is_alphanumeric() => folded.extend(c.to_lowercase().flat_map(without_accent)),
            // Marks that stand after their letter.
            '\u{300}'..='\u{36f}' => {}
            _ => folded.push(' '),
        }
    }
    folded
}

fn without_accent(c: char) -> impl Iterator<Item = char> {
    let plain: &'static str = match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' | 'ǐ' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' | 'ǒ' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ǔ' | 'ǖ'..='ǜ' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    };
    let own = plain.is_empty().then_some(c);
    plain.chars().chain(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(names: &[&str]) -> Box<[NameForm]> {
        let (digests, short) = (Digests::new([3; 32]), BTreeMap::from([("xiaoming".to_owned(), "ming".to_owned())]));
        let mut read = Names::new(&digests, &short);
        names.iter().for_each(|name| read.add(name));
        read.done().0
    }

    fn matched(a: &[&str], b: &[&str]) -> NameMatch {
        let (one, other) = (compare(&forms(a), &forms(b)), compare(&forms(b), &forms(a)));
        assert_eq!(one, other, "either way round");
        one
    }

    #[test]
    fn order_case_accents_and_separators_do_not_count() {
        for (a, b) in [
            ("Müller, José", "jose muller"),
            ("Wei-Wei Zhang", "ZHANG Wei Wei"),
            ("王 伟", "王伟（市场部）"),
            ("O'Brien Sean", "Seán OBrien"),
            ("欧阳·娜娜", "欧阳娜娜"),
        ] {
            assert_eq!(matched(&[a], &[b]), NameMatch::Same, "{a} {b}");
        }
    }

    #[test]
    fn what_is_partly_or_not_at_all_the_same_is_told_apart() {
        assert_eq!(matched(&["Bob Smith"], &["Smith, Robert"]), NameMatch::Near);
        assert_eq!(matched(&["Xiaoming Li"], &["Li Ming"]), NameMatch::Near);
        assert_eq!(matched(&["Anna Smith"], &["Maria Smith"]), NameMatch::Partly);
        assert_eq!(matched(&["王大明"], &["王小明"]), NameMatch::Partly);
        assert_eq!(matched(&["张勇"], &["逍遥子"]), NameMatch::Different);
        assert_eq!(matched(&["Anna Smith"], &["John Doe"]), NameMatch::Different);
    }

    #[test]
    fn two_scripts_say_nothing_and_a_further_name_helps() {
        assert_eq!(matched(&["王伟"], &["Wang Wei"]), NameMatch::Unknown);
        assert_eq!(matched(&["王伟"], &["Kevin 王伟"]), NameMatch::Same);
        assert_eq!(matched(&["王伟", "Kevin Wang"], &["Wang Kevin"]), NameMatch::Same);
        assert_eq!(matched(&[], &["Wang Kevin"]), NameMatch::Unknown);
        assert_eq!(forms(&["（离职）", " ", "..."]).len(), 0);
    }
}
