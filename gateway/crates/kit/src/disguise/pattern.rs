//! What gives itself away by its form, wherever it stands: mail addresses, phone numbers, identity and bank card numbers.

use std::ops::Range;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A person's name.
    Name,
    /// `name@host`.
    Email,
    /// With or without `+` and separators.
    Phone,
    /// A mainland resident's identity number: 17 digits and a check character.
    Identity,
    /// 15 to 19 digits whose check digit is right.
    Card,
    /// Anything else that is a person's: its letters and digits are changed, its form stays.
    Other,
}

/// Every place in a text that gives itself away, in order and without overlaps.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut found = emails(text);
    let mut at = 0;
    while let Some(run) = digits(text, at) {
        at = run.end;
        if let Some(kind) = kind_of(&text[run.clone()]) {
            let hit = (run, kind);
            if found.iter().all(|(other, _)| other.end <= hit.0.start || hit.0.end <= other.start) {
                found.push(hit);
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// The next run of digits, with a leading `+`, single blanks or hyphens between digits, and a closing `X`; never a part of a word.
fn digits(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        while at < bytes.len() && !bytes[at].is_ascii_digit() {
            at += 1;
        }
        if at >= bytes.len() {
            return None;
        }
        let start = if at > from && bytes[at - 1] == b'+' { at - 1 } else { at };
        let part_of_word = start > 0 && (bytes[start - 1].is_ascii_alphabetic() || bytes[start - 1] == b'_');
        let mut end = at;
        while end < bytes.len() {
            let separator = matches!(bytes[end], b' ' | b'-') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            if !bytes[end].is_ascii_digit() && !separator {
                break;
            }
            end += 1;
        }
        if bytes.get(end).is_some_and(|b| matches!(b, b'X' | b'x')) && end - at == 17 {
            end += 1;
        }
        let goes_on = bytes.get(end).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        if !part_of_word && !goes_on {
            return Some(start..end);
        }
        at = end;
    }
}

fn kind_of(run: &str) -> Option<Kind> {
    let plain: String = run.chars().filter(char::is_ascii_alphanumeric).collect();
    let separated = run.contains([' ', '-']);
    match plain.len() {
        _ if run.starts_with('+') => (8..=15).contains(&plain.len()).then_some(Kind::Phone),
        18 if !separated && is_identity(&plain) => Some(Kind::Identity),
        // 138 0000 0000, with or without 86 before it; a year-month-day with a time after it is not a mobile number.
        11 if is_mobile(&plain) => Some(Kind::Phone),
        13 if plain.starts_with("86") && is_mobile(&plain[2..]) => Some(Kind::Phone),
        15..=19 if is_card(&plain) => Some(Kind::Card),
        // 010-12345678: an area code of two or three digits and a number of seven or eight.
        10..=12 if run.starts_with('0') && run.contains('-') => Some(Kind::Phone),
        _ => None,
    }
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && digits.as_bytes()[1] >= b'3'
}

/// GB 11643: the check character over weights 2^(17-i) mod 11.
fn is_identity(text: &str) -> bool {
    let (body, check) = text.split_at(17);
    body.bytes().all(|b| b.is_ascii_digit()) && check.to_ascii_uppercase() == check_of(body).to_string()
}

/// The check character of the first 17 digits.
pub(super) fn check_of(body: &str) -> char {
    let sum: u32 = body.bytes().enumerate().map(|(i, b)| u32::from(b - b'0') * ((1_u32 << (17 - i)) % 11)).sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}

/// Luhn, and not one digit again and again.
fn is_card(digits: &str) -> bool {
    if !digits.bytes().all(|b| b.is_ascii_digit()) || digits.bytes().all(|b| b == digits.as_bytes()[0]) {
        return false;
    }
    let doubled = |d: u32| if d > 4 { d * 2 - 9 } else { d * 2 };
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| if i % 2 == 1 { doubled(u32::from(b - b'0')) } else { u32::from(b - b'0') })
        .sum();
    sum.is_multiple_of(10)
}

fn emails(text: &str) -> Vec<(Range<usize>, Kind)> {
    let bytes = text.as_bytes();
    let local = |b: u8| b.is_ascii_alphanumeric() || b"._%+-".contains(&b);
    let domain = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
    let mut found: Vec<(Range<usize>, Kind)> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = bytes[..at].iter().rposition(|b| !local(*b)).map_or(0, |before| before + 1);
        let end = at + 1 + bytes[at + 1..].iter().position(|b| !domain(*b)).unwrap_or(bytes.len() - at - 1);
        let host = text[at + 1..end].trim_end_matches(['.', '-']);
        let end = at + 1 + host.len();
        if start < at && host.contains('.') && found.last().is_none_or(|(last, _)| last.end <= start) {
            found.push((start..end, Kind::Email));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&str, Kind)> {
        find(text).into_iter().map(|(range, kind)| (&text[range], kind)).collect()
    }

    #[test]
    fn each_form_is_found_in_the_middle_of_a_text() {
        assert_eq!(kinds("call 13912345678 now"), [("13912345678", Kind::Phone)]);
        assert_eq!(kinds("+86 139-1234-5678,"), [("+86 139-1234-5678", Kind::Phone)]);
        assert_eq!(kinds("电话：8613912345678。"), [("8613912345678", Kind::Phone)]);
        assert_eq!(kinds("tel 010-12345678"), [("010-12345678", Kind::Phone)]);
        assert_eq!(kinds("<a.b+c@mail.example.test>."), [("a.b+c@mail.example.test", Kind::Email)]);
        let body = "00000019900101001";
        let identity = format!("{body}{}", check_of(body));
        assert_eq!(kinds(&identity), [(identity.as_str(), Kind::Identity)]);
        assert_eq!(kinds("card 4111111111111111"), [("4111111111111111", Kind::Card)]);
    }

    #[test]
    fn what_only_looks_a_little_like_it_is_left_alone() {
        for text in [
            "1767225600000",
            "2026-01-02T03:04:05Z",
            "13912345678a",
            "12345678901",
            "000000199001010010",
            "a@b",
            "@example.test",
            "4111111111111112",
            "00000000-0000-7000-8000-000000000000",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
