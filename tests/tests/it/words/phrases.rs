//! The phrases that are kept out of public texts, because a technical writer would not use them.

/// Words that are never used.
const WORDS: [&str; 7] = ["nobody", "somebody", "whoever", "whomever", "whatever", "anew", "beside"];

/// Words with which no sentence begins.
const BEGINNINGS: [&str; 2] = ["Whose", "Whom"];

/// Several words in a row.
const SEQUENCES: [&[&str]; 7] = [
    &["as", "things", "stand"],
    &["what", "came", "of"],
    &["there", "is", "no", "such"],
    &["thousand", "million"],
    &["nor", "could"],
    &["fits", "no", "more"],
    &["of", "then"],
];

/// "X is no Y" is for people; a value "is not a Y". After these words it is a comparison.
const COMPARED: [&str; 13] = [
    "stricter", "longer", "more", "less", "fewer", "later", "earlier", "faster", "slower", "larger", "smaller",
    "better", "further",
];

const TO_BE: [&str; 5] = ["is", "are", "was", "were", "be"];

/// Each phrase of a text that is not plain English, as it stands there.
pub(super) fn faults(text: &str) -> impl Iterator<Item = String> + use<> {
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_alphanumeric() || "'_".contains(c))).filter(|w| !w.is_empty()).collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        if WORDS.contains(&lower[at].as_str()) || BEGINNINGS.contains(&words[at]) {
            found.push(words[at].to_owned());
        }
        for sequence in SEQUENCES {
            if lower[at..].iter().map(String::as_str).take(sequence.len()).eq(sequence.iter().copied()) {
                found.push(words[at..at + sequence.len()].join(" "));
            }
        }
        if is_requirement(words[at]) {
            found.push(words[at].to_owned());
        }
        if is_no(&words, &lower, at) {
            found.push(words[at..(at + 3).min(words.len())].join(" "));
        }
    }
    found.into_iter()
}

/// The number of a requirement, which says nothing to a reader outside.
pub(super) fn is_requirement(word: &str) -> bool {
    word.strip_prefix('R').is_some_and(|number| number.len() >= 2 && number.chars().all(|c| c.is_ascii_digit()))
}

/// "is no duration", "is none"; not "there is no duration", "is no longer", "is `None`".
fn is_no(words: &[&str], lower: &[String], at: usize) -> bool {
    let word = |at: usize| lower.get(at).map(String::as_str);
    if !word(at).is_some_and(|word| TO_BE.contains(&word)) || (at > 0 && word(at - 1) == Some("there")) {
        return false;
    }
    match word(at + 1) {
        Some("no") => word(at + 2).is_some_and(|next| !COMPARED.contains(&next)),
        Some("none") => words[at + 1] != "None",
        _ => false,
    }
}

#[test]
fn each_phrase_of_the_list_is_found_and_its_plain_form_is_not() {
    for (phrase, plain) in [
        ("`15` is no duration", "`15` is not a duration"),
        ("the URL is none", "invalid URL"),
        ("Nobody is told", "No one is told"),
        ("start it anew", "restart it"),
        ("the file beside the plugin", "the file next to the plugin"),
        ("There is no such key", "There is no key `x`"),
        ("It cannot be done as things stand", "Not possible in the current state"),
        ("Whose it is.", "The tenant whose record it is."),
        ("its definition fits no more", "its definition is no longer valid"),
        ("what came of it", "its result; not later than a value that is no more than 5"),
        ("whatever it names", "regardless of its name"),
        ("A reminder (R38).", "A reminder by RFC 3339."),
    ] {
        assert_eq!(faults(phrase).count(), 1, "{phrase}");
        assert_eq!(faults(plain).collect::<Vec<_>>(), Vec::<String>::new(), "{plain}");
    }
}
