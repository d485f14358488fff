//! Texts in two languages: that each Chinese form says something, in Chinese, with the same values as the English one. That there
//! is a form at all is for the compiler: a `Text` is made of two, or says that it is verbatim.

use super::rust_text;

/// The two forms of a text and the line that it begins on.
pub(super) struct Forms {
    pub(super) line: usize,
    pub(super) english: String,
    pub(super) chinese: String,
}

/// Calls whose first two arguments are the English and the Chinese form.
const CALLS: [&str; 4] = ["text!(", ".detail(", "InterviewError::refused(", "Problem::not_found("];

/// English words in a row that make a sentence.
const SENTENCE_WORDS: usize = 4;

/// Every pair of forms of a source that stands there as literals.
pub(super) fn forms(source: &str) -> Vec<Forms> {
    let mut found = Vec::new();
    for call in CALLS {
        for arguments in rust_text::arguments(source, call) {
            if let [Some(english), Some(chinese), ..] = arguments.as_slice() {
                let (line, english) = (english.line, english.text.clone());
                found.push(Forms { line, english, chinese: chinese.text.clone() });
            }
        }
    }
    found
}

/// Literals that claim to be the same in both languages and are not: they have words.
pub(super) fn verbatim_words(source: &str) -> Vec<rust_text::Text> {
    let first = rust_text::arguments(source, "Text::verbatim(")
        .into_iter()
        .filter_map(|arguments| arguments.into_iter().next()?);
    first.filter(|text| words(&without_code(&text.text)).len() > 1).collect()
}

impl Forms {
    /// What is wrong with the pair.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let chinese = without_code(&self.chinese);
        if self.english.chars().any(is_chinese) {
            return Some("the English form has Chinese in it");
        }
        if placeholders(&self.english) != placeholders(&self.chinese) {
            return Some("the two forms have other placeholders");
        }
        // Of nothing but values there is nothing to translate.
        if !words(&without_code(&self.english)).is_empty() && !self.chinese.chars().any(is_chinese) {
            return Some("the Chinese form has no Chinese in it");
        }
        let longest = chinese.split(is_chinese).map(|part| words(part).len()).max().unwrap_or(0);
        (longest >= SENTENCE_WORDS).then_some("the Chinese form has an English sentence in it")
    }
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// The names of the values that are filled in, sorted; those without a name are numbered.
fn placeholders(form: &str) -> Vec<String> {
    let plain = form.replace("{{", "").replace("}}", "");
    let mut number = 0;
    let mut names: Vec<String> = plain
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| match name.split(':').next().unwrap_or_default() {
            "" => {
                number += 1;
                (number - 1).to_string()
            }
            // A value that has two forms itself is named after each: `what_en` and `what_zh`.
            "en" | "zh" => String::new(),
            name => name.trim_end_matches("_en").trim_end_matches("_zh").to_owned(),
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Without what stands in backticks or quotes, without placeholders, and without the commands on lines of their own.
fn without_code(form: &str) -> String {
    let lines = form.split("\\n").filter(|line| !line.starts_with("  ") && !line.starts_with('['));
    let mut plain = String::new();
    for line in lines {
        let (mut fence, mut depth) = (None, 0_i32);
        for c in line.replace("\\\"", "\u{1}").chars() {
            match (fence, c) {
                (None, '`' | '\u{1}') => fence = Some(c),
                (Some(open), c) if c == open => fence = None,
                (Some(_), _) => {}
                (None, '{') => depth += 1,
                (None, '}') => depth -= 1,
                (None, c) if depth == 0 => plain.push(c),
                _ => {}
            }
        }
        plain.push('。');
    }
    plain
}

/// Words of the English language: two letters or more, in small ones after the first.
fn words(text: &str) -> Vec<&str> {
    let is_word = |word: &&str| {
        // An option such as `--slot` is not a word of a language.
        let trimmed = word.trim_matches(|c: char| c.is_ascii_punctuation());
        !word.starts_with('-')
            && trimmed.len() > 1
            && trimmed.chars().skip(1).all(|c| c.is_ascii_lowercase())
            && trimmed.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    text.split_whitespace().filter(is_word).collect()
}
