//! Which cuts of a secret are enough to be recognised: halves, wrapped lines, what is left when a sign was stripped.
//! Owns the rule for what is too common to be one.
//!
//! Only letters and digits count, in one case: what stands between them (line breaks, dashes, quotes, commas) is what a vendor
//! or a connector may put in or leave out. A cut is a piece when chance does not write it:
//!
//! - it has at least 8 letters and digits, 5 different ones, and a letter; only hex digits need 10 of them;
//! - it is surprising enough: a letter counts 4.7 bits and a digit 3.3, but a word (`payroll`) counts little however long it
//!   is, and so does a row (`12345678`, `aaaa`); words and digits alone (`payroll-2024-01`) are not enough; or
//! - it is half of the secret with at least three words: `correct horse battery` of `correct-horse-battery-staple`. One word or
//!   two are never a piece (`Acme Corporation` is in a customer's every record), nor are digits alone: dates, amounts and phone
//!   numbers are in every page.
//!
//! Not everything in a secret is secret. The header of a JWT and the first line of a PEM key are the same in thousands of them,
//! a URL's host and the domain of a mail address are in other texts: pieces come from the rest.
//!
//! Two densities, because a search whose result can be seen answers questions. If a connector were told of every cut,
//! it could guess a secret one sign at a time, each guess next to the seven that it knows. Where it sees what becomes
//! of its bytes ([`Sight::Told`]), the pieces lie side by side: each has to be guessed whole. Where it sees nothing
//! ([`Sight::Kept`]), a piece begins at every sign.

use std::ops::Range;

use super::Sight;

/// Shorter secrets are looked for as a whole. Bytes.
const PIECES_FROM: usize = 16;
/// Letters and digits.
const PIECE_MIN: usize = 8;
const HEX_PIECE_MIN: usize = 10;
const WORDS_MIN: usize = 3;
/// Different ones among them.
const DISTINCT_MIN: usize = 5;
/// Tenths of a bit.
const SURPRISE_MIN: u32 = 330;
const LETTER: u32 = 47;
const DIGIT: u32 = 33;
const IN_WORD: u32 = 27;
const WORD_MAX: u32 = 160;
const IN_ROW: u32 = 7;
const CHANGE: u32 = 10;
/// Letters of a run that can be a word.
const WORD_MIN: usize = 4;
/// A part of a word that counts as one.
const WORD_PART_MIN: usize = 3;
/// Pieces of one secret that begin at every sign; of a longer one at every second, third, … sign.
const KEPT_MAX: usize = 512;

/// The letters and digits of a text.
pub(super) struct Signs {
    /// In lower case.
    signs: Vec<u8>,
    /// Where each stands in the text.
    at: Vec<usize>,
    /// Which run of letters or digits it belongs to.
    run: Vec<usize>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy)]
struct Run {
    letters: bool,
    word: bool,
}

/// The pieces of a text, as ranges of its bytes. None when it is too short or too common: then it is looked for as it is.
pub(super) fn pieces(text: &str, sight: Sight) -> Vec<Range<usize>> {
    let signs = Signs::of(text);
    let mut found = Vec::new();
    if text.len() < PIECES_FROM {
        let whole = 0..signs.signs.len();
        found.extend(signs.surprises(&whole).then_some(whole));
    } else {
        for secret in secret_ranges(text) {
            let from = signs.at.partition_point(|at| *at < secret.start);
            let to = signs.at.partition_point(|at| *at < secret.end);
            signs.side_by_side(from..to, &mut found);
            if sight == Sight::Kept {
                signs.at_every_sign(from..to, &mut found);
            }
        }
    }
    found.into_iter().map(|piece| signs.at[piece.start]..signs.at[piece.end - 1] + 1).collect()
}

impl Signs {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut of = Self { signs: Vec::new(), at: Vec::new(), run: Vec::new(), runs: Vec::new() };
        let mut begin = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if !byte.is_ascii_alphanumeric() {
                continue;
            }
            let goes_on = of.at.last().is_some_and(|last| *last + 1 == at && is_one_run(&bytes[begin..at], *byte));
            if !goes_on {
                of.close_run(&bytes[begin..at]);
                begin = at;
            }
            of.run.push(of.runs.len());
            of.at.push(at);
            of.signs.push(byte.to_ascii_lowercase());
        }
        of.close_run(&bytes[begin..]);
        of
    }

    fn close_run(&mut self, run: &[u8]) {
        let run = run.split(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
        if !run.is_empty() {
            self.runs.push(Run { letters: run[0].is_ascii_alphabetic(), word: is_word(run) });
        }
    }

    fn side_by_side(&self, within: Range<usize>, found: &mut Vec<Range<usize>>) {
        let mut from = within.start;
        while let Some(to) = self.shortest(from, within.end) {
            found.push(from..to);
            from = to;
        }
        // What is left at the end is less than a piece; the last piece is one that ends there.
        if from < within.end {
            let ending = (within.start..within.end).rev().map(|from| from..within.end).find(|cut| self.is_piece(cut));
            found.extend(ending);
        }
    }

    fn at_every_sign(&self, within: Range<usize>, found: &mut Vec<Range<usize>>) {
        let step = within.len().div_ceil(KEPT_MAX).max(1);
        let begins = within.clone().step_by(step);
        found.extend(begins.filter_map(|from| Some(from..self.shortest(from, within.end)?)));
    }

    fn shortest(&self, from: usize, end: usize) -> Option<usize> {
        (from + PIECE_MIN..=end).find(|to| self.is_piece(&(from..*to)))
    }

    fn is_piece(&self, cut: &Range<usize>) -> bool {
        self.surprises(cut) || self.is_half_of_words(cut)
    }

    fn surprises(&self, cut: &Range<usize>) -> bool {
        let signs = &self.signs[cut.clone()];
        let hex = signs.iter().all(u8::is_ascii_hexdigit);
        let least = if hex { HEX_PIECE_MIN } else { PIECE_MIN };
        signs.len() >= least
            && self.is_varied(cut)
            && self.is_more_than_words(cut)
            && self.surprise(cut) >= SURPRISE_MIN
    }

    /// Some letter does not belong to a word: `payroll-2024-01` is a word and a date.
    fn is_more_than_words(&self, cut: &Range<usize>) -> bool {
        cut.clone().any(|at| self.signs[at].is_ascii_alphabetic() && !self.runs[self.run[at]].word)
    }

    fn is_half_of_words(&self, cut: &Range<usize>) -> bool {
        if cut.len() < PIECE_MIN.max(self.signs.len() / 2) || !self.is_varied(cut) {
            return false;
        }
        let runs = self.run[cut.clone()].chunk_by(|a, b| a == b);
        runs.filter(|run| self.runs[run[0]].letters && run.len() >= WORD_PART_MIN).count() >= WORDS_MIN
    }

    fn is_varied(&self, cut: &Range<usize>) -> bool {
        let signs = &self.signs[cut.clone()];
        let mut seen = [false; 256];
        signs.iter().for_each(|sign| seen[usize::from(*sign)] = true);
        signs.iter().any(u8::is_ascii_alphabetic) && seen.iter().filter(|seen| **seen).count() >= DISTINCT_MIN
    }

    /// Tenths of a bit.
    fn surprise(&self, cut: &Range<usize>) -> u32 {
        let mut sum = 0;
        let mut in_word = 0;
        let mut changes = 0;
        for at in cut.clone() {
            let sign = self.signs[at];
            let before = (at > cut.start).then(|| (self.signs[at - 1], self.run[at - 1]));
            if before.is_none_or(|(_, run)| run != self.run[at]) {
                in_word = 0;
            }
            if before.is_some_and(|(before, _)| before.is_ascii_digit() != sign.is_ascii_digit()) {
                changes += 1;
            }
            sum += if before.is_some_and(|(before, _)| before.abs_diff(sign) <= 1) {
                IN_ROW
            } else if self.runs[self.run[at]].word {
                IN_WORD.min(WORD_MAX - in_word)
            } else if sign.is_ascii_digit() {
                DIGIT
            } else {
                LETTER
            };
            if self.runs[self.run[at]].word {
                in_word = (in_word + IN_WORD).min(WORD_MAX);
            }
        }
        sum + CHANGE * u32::saturating_sub(changes, 1)
    }
}

/// Does this byte go on with the run? Letters of one case, or of a capital and small ones; or digits.
fn is_one_run(run: &[u8], byte: u8) -> bool {
    let Some(last) = run.last() else { return false };
    if last.is_ascii_digit() || byte.is_ascii_digit() {
        return last.is_ascii_digit() && byte.is_ascii_digit();
    }
    last.is_ascii_lowercase() == byte.is_ascii_lowercase() || (run.len() == 1 && byte.is_ascii_lowercase())
}

/// Could a person have written it: some vowels among the letters, and never four consonants in a row?
fn is_word(run: &[u8]) -> bool {
    let is_vowel = |byte: &u8| b"aeiouy".contains(&byte.to_ascii_lowercase());
    let vowels = run.iter().filter(|byte| is_vowel(byte)).count();
    run.len() >= WORD_MIN
        && run.iter().all(u8::is_ascii_alphabetic)
        && (run.len()..=run.len() * 4).contains(&(vowels * 5))
        && run.split(is_vowel).all(|consonants| consonants.len() < 4)
}

/// Where in a text the secret is; see the module.
fn secret_ranges(text: &str) -> Vec<Range<usize>> {
    let one = |range: Range<usize>| std::iter::once(range).collect();
    if let Some(body) = body_of_pem(text) {
        return one(body);
    }
    if let Some(signature) = signature_of_jwt(text) {
        return one(signature);
    }
    if let Some(ranges) = secrets_of_url(text) {
        return ranges;
    }
    one(user_of_address(text).unwrap_or(0..text.len()))
}

/// Behind the first line, which says of which kind the key is. A key of one line has only that.
fn body_of_pem(text: &str) -> Option<Range<usize>> {
    if !text.contains("-----BEGIN ") {
        return None;
    }
    let is_body = |line: &&str| !line.is_empty() && !line.contains("-----") && !line.contains(':');
    let second = text.lines().map(str::trim).filter(is_body).nth(1)?;
    let begin = second.as_ptr() as usize - text.as_ptr() as usize;
    let end = text.rfind("-----END ").unwrap_or(text.len());
    (begin < end).then_some(begin..end)
}

fn signature_of_jwt(text: &str) -> Option<Range<usize>> {
    let (head, rest) = text.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    let is_jwt = head.starts_with("eyJ")
        && signature.len() >= PIECES_FROM
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte));
    is_jwt.then(|| text.len() - signature.len()..text.len())
}

/// The password and what stands behind the host.
fn secrets_of_url(text: &str) -> Option<Vec<Range<usize>>> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return None;
    }
    let begin = scheme.len() + 3;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let password = rest[..authority].rfind('@').and_then(|at| Some(rest[..at].find(':')? + 1..at));
    let password = password.map(|range| begin + range.start..begin + range.end);
    Some(password.into_iter().chain(std::iter::once(begin + authority..text.len())).collect())
}

fn user_of_address(text: &str) -> Option<Range<usize>> {
    let (user, domain) = text.split_once('@')?;
    let is_domain =
        domain.contains('.') && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    is_domain.then_some(0..user.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(text: &str, sight: Sight) -> Vec<&str> {
        pieces(text, sight).into_iter().map(|range| &text[range]).collect()
    }

    /// Is some piece of the secret in this cut of it?
    fn knows(secret: &str, cut: &str, sight: Sight) -> bool {
        cuts(secret, sight).iter().any(|piece| cut.contains(piece))
    }

    #[test]
    fn both_halves_of_a_secret_are_recognised_f14() {
        for secret in [
            "canary-9f3e77a1c0d24b58",
            "canary-hr-9f3e77a1c0d24b58",
            "x7k2m9qpz4w8n1bc",
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "xoxb-2048-7GqLwPz0RkTn3vYs",
        ] {
            let (first, second) = secret.split_at(secret.len() / 2);
            for sight in [Sight::Told, Sight::Kept] {
                assert!(
                    knows(secret, first, sight) && knows(secret, second, sight),
                    "{secret}: {:?}",
                    cuts(secret, sight)
                );
            }
        }
    }

    #[test]
    fn where_nothing_is_told_any_ten_signs_of_a_random_secret_are_recognised() {
        let secret = "7GqLwPz0RkTn3vYs5hXa9dBc";
        for from in 0..=secret.len() - 10 {
            assert!(knows(secret, &secret[from..from + 10], Sight::Kept), "{from}");
        }
    }

    #[test]
    fn where_it_is_told_no_piece_helps_to_guess_the_next() {
        let secret = "7GqLwPz0RkTn3vYs5hXa9dBcQ1";
        let told = pieces(secret, Sight::Told);
        for pair in told.windows(2) {
            let shared = pair[0].end.saturating_sub(pair[1].start);
            let fresh = pair[1].len() - shared;
            // The last one may lean on the one before it: no more than a few signs are ever told so.
            assert!(shared == 0 || (pair[1].end == secret.len() && fresh < PIECE_MIN), "{told:?}");
        }
    }

    #[test]
    fn words_digits_and_rows_are_no_pieces() {
        for (secret, common) in [
            ("application-form-key-2", "application"),
            ("recruitment/key/88217", "recruitment"),
            ("payroll-2024-01-31-export", "payroll-2024-01"),
            ("payroll-2024-01-31-export", "2024-01-31"),
            ("13800000000-13900000000", "13800000000"),
            ("aaaaaaaaaaaa-abcdefghijk", "abcdefghij"),
            ("0000000000000000000000", "00000000000"),
            ("deadbeef-0f1e2d3c4b5a", "deadbeef"),
            ("acme-corporation-erp-2024", "acme-corporation-e"),
            ("correct-horse-battery-staple", "correct-horse-"),
        ] {
            for sight in [Sight::Told, Sight::Kept] {
                assert!(!knows(secret, common, sight), "{secret}: {:?}", cuts(secret, sight));
            }
        }
    }

    #[test]
    fn three_words_of_a_secret_that_is_words_are_a_piece() {
        for cut in ["correct-horse-battery", "horse-battery-staple"] {
            assert!(knows("correct-horse-battery-staple", cut, Sight::Kept), "{cut}");
        }
    }

    #[test]
    fn a_short_secret_is_a_piece_as_a_whole_or_not_at_all() {
        assert_eq!(cuts("k3!Tz9-qW2x", Sight::Kept), ["k3!Tz9-qW2x"]);
        for common in ["summer-2024", "administrator", "123456789", "secret"] {
            assert!(cuts(common, Sight::Kept).is_empty(), "{common}");
        }
    }

    #[test]
    fn what_many_secrets_share_is_no_piece() {
        let jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
        assert!(knows(jwt, "dozjgNryP4J3jVmN", Sight::Told));
        assert!(!knows(jwt, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", Sight::Kept));
        let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n\
                   MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n-----END PRIVATE KEY-----";
        assert!(knows(pem, "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S", Sight::Told));
        assert!(!knows(pem, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj", Sight::Kept));
        assert!(!knows(pem, "-----BEGIN PRIVATE KEY-----", Sight::Kept));
        let url = "https://hooks.vendor-example.com/services/T9GqLwPz0RkTn3vYs";
        assert!(
            knows(url, "T9GqLwPz0RkTn3vYs", Sight::Told)
                && !knows(url, "https://hooks.vendor-example.com", Sight::Kept)
        );
        let database = "postgres://renmen:k3Tz9qW2xPz0@db.internal.example:5432/hr";
        assert!(knows(database, "k3Tz9qW2xPz0", Sight::Told) && !knows(database, "db.internal.example", Sight::Kept));
        let mail = "svc-7GqLwPz0@people.vendor-example.com";
        assert!(knows(mail, "7GqLwPz0", Sight::Kept) && !knows(mail, "people.vendor-example.com", Sight::Kept));
    }

    #[test]
    fn a_long_secret_has_a_bounded_number_of_pieces() {
        let long: String =
            (0_u32..9_000).map(|n| char::from(b"7GqLwPz0RkTn3vYs5hXa9dBc"[(n * n % 24) as usize])).collect();
        assert!(pieces(&long, Sight::Kept).len() <= KEPT_MAX + pieces(&long, Sight::Told).len());
    }
}
