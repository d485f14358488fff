//! The words that users, operators and clients read: documents, the example configuration, the API's document, error texts
//! and logs. A list of phrases that are not plain English is kept out of all of them, and log messages have one style. Each
//! scanner is shown a case that it must refuse. Comments are held to the same phrases, because contributors read them.
//!
//! Knows texts and where they come from; what they mean is for the tests of the crates that own them.

mod comments;
mod languages;
mod phrases;
mod rust_text;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Texts that must be found at the least: fewer means that a scanner no longer reads what it should.
const LITERALS_MIN: usize = 3_000;
const LOG_MESSAGES_MIN: usize = 80;
const API_TEXTS_MIN: usize = 1_000;
const COMMENTS_MIN: usize = 8_000;
const TWO_LANGUAGES_MIN: usize = 700;

/// Folders with texts in two languages.
const TWO_LANGUAGES: [&str; 2] = ["gateway", "plugin-sdk/schema"];

/// Folders whose Rust sources hold texts for users. The command line is not among them: its texts are shown by its own tests.
const SOURCES: [&str; 6] = ["gateway/crates", "gateway/src", "declarative", "plugins", "plugin-sdk", "xtask"];

/// Folders whose comments are read, tests included.
const COMMENTED: [&str; 6] = ["gateway", "declarative", "plugins", "plugin-sdk", "tests", "xtask"];

/// Folders that hold documents and configuration.
const DOCUMENTS: [&str; 6] = ["docs", "gateway", "declarative", "plugins", "plugin-sdk", "xtask"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The files below a folder with one of these endings, without build products and tests.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !["target", "tests", "benches", "node_modules", "fixtures"].contains(&name.as_str()) {
                files(&path, endings, found);
            }
        } else if name != "tests.rs" && endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

fn files_in(folders: &[&str], endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders {
        files(&root().join(folder), endings, &mut found);
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn documents_and_configuration_are_in_plain_english() {
    let mut pages = files_in(&DOCUMENTS, &[".md", ".toml"]);
    pages.extend(
        fs::read_dir(root())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "md") || path.ends_with("connectors.toml")),
    );
    let mut faults = Vec::new();
    for page in &pages {
        for (number, line) in fs::read_to_string(page).unwrap().lines().enumerate() {
            faults.extend(phrases::faults(line).map(|fault| format!("{}:{}: {fault}", shown(page), number + 1)));
        }
    }
    assert!(pages.len() > 40, "{} documents", pages.len());
    assert!(faults.is_empty(), "{} phrases to put in plain English:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_document_of_the_api_is_in_plain_english() {
    let document: Value = serde_json::from_slice(&fs::read(root().join("docs/openapi.json")).unwrap()).unwrap();
    let mut texts = Vec::new();
    api_texts(&document, "", &mut texts);
    let faults: Vec<String> = texts
        .iter()
        .flat_map(|(place, text)| phrases::faults(text).map(move |fault| format!("{place}: {fault}")))
        .collect();
    assert!(texts.len() > API_TEXTS_MIN, "{} texts", texts.len());
    assert!(faults.is_empty(), "{} phrases to put in plain English:\n{}", faults.len(), faults.join("\n"));
}

fn api_texts<'d>(value: &'d Value, place: &str, texts: &mut Vec<(String, &'d str)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if ["title", "summary", "description"].contains(&name.as_str()) => {
                        texts.push((place.to_owned(), text));
                    }
                    _ => api_texts(value, &format!("{place}/{name}"), texts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| api_texts(item, place, texts)),
        _ => {}
    }
}

#[test]
fn texts_in_the_sources_are_in_plain_english() {
    let (mut literals, mut faults) = (0, Vec::new());
    for file in files_in(&SOURCES, &[".rs"]) {
        let source = fs::read_to_string(&file).unwrap();
        for literal in rust_text::literals(&source) {
            literals += 1;
            let place = format!("{}:{}", shown(&file), literal.line);
            faults.extend(phrases::faults(&literal.text).map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(literals > LITERALS_MIN, "{literals} texts");
    assert!(faults.is_empty(), "{} phrases to put in plain English:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn comments_are_in_plain_english() {
    let mut sources = Vec::new();
    COMMENTED.iter().for_each(|folder| comments::sources(&root().join(folder), &mut sources));
    let (mut read, mut faults) = (0, Vec::new());
    for file in &sources {
        let source = fs::read_to_string(file).unwrap();
        for comment in comments::comments(&source) {
            read += 1;
            let place = format!("{}:{}", shown(file), comment.line);
            faults.extend(comment.faults().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(read > COMMENTS_MIN, "{read} comments");
    assert!(faults.is_empty(), "{} phrases to put in plain English:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn log_messages_begin_with_a_capital_and_end_without_a_period() {
    let (mut messages, mut faults) = (0, Vec::new());
    for file in files_in(&["gateway"], &[".rs"]) {
        let source = fs::read_to_string(&file).unwrap();
        for message in rust_text::log_messages(&source) {
            messages += 1;
            if let Some(fault) = style_fault(&message.text) {
                faults.push(format!("{}:{}: {fault}: {}", shown(&file), message.line, message.text));
            }
        }
    }
    assert!(messages > LOG_MESSAGES_MIN, "{messages} messages");
    assert!(faults.is_empty(), "log messages to put in one style:\n{}", faults.join("\n"));
}

/// A message is a sentence of two words or more that can be read alone; a text that is all filled in is its author's.
fn style_fault(message: &str) -> Option<&'static str> {
    let first = message.chars().next()?;
    if message.starts_with('{') && message.ends_with('}') {
        None
    } else if !(first.is_uppercase() || first == '`' || first == '{') {
        Some("begins with a small letter")
    } else if message.ends_with('.') {
        Some("ends with a period")
    } else if message.split_whitespace().count() < 2 {
        Some("is one word")
    } else {
        None
    }
}

#[test]
fn a_phrase_is_found_in_each_kind_of_text() {
    let source = "fn a() -> &'static str { /* nobody */ \"`x` is no \\\n    duration\" } // anew\n#[cfg(test)]\nmod tests {\n \"anew\" }";
    let found: Vec<String> = rust_text::literals(source).iter().flat_map(|one| phrases::faults(&one.text)).collect();
    assert_eq!(found, ["is no duration"]);
    let document = serde_json::json!({"paths": {"/x": {"get": {"summary": "Whose it is.", "tags": ["anew"]}}}});
    let mut texts = Vec::new();
    api_texts(&document, "", &mut texts);
    assert_eq!(texts, [("/paths//x/get".to_owned(), "Whose it is.")]);
    assert_eq!(phrases::faults(texts[0].1).collect::<Vec<_>>(), ["Whose"]);
}

#[test]
fn a_log_message_in_another_style_is_found() {
    let source =
        "tracing::warn!(error = %why(\"x, y\"), stream, \"not now\"); tracing::info!(\"Run {} completed\", id(\"a\"));";
    let messages: Vec<String> = rust_text::log_messages(source).into_iter().map(|one| one.text).collect();
    assert_eq!(messages, ["not now", "Run {} completed"]);
    assert_eq!(style_fault("not now"), Some("begins with a small letter"));
    assert_eq!(style_fault("Failed."), Some("ends with a period"));
    assert_eq!(style_fault("Failed"), Some("is one word"));
    assert_eq!(style_fault("Failed to list due deliveries"), None);
}

#[test]
fn every_text_in_two_languages_says_the_same_in_both() {
    let (mut forms, mut faults) = (0, Vec::new());
    for file in files_in(&TWO_LANGUAGES, &[".rs"]) {
        let source = fs::read_to_string(&file).unwrap();
        for pair in languages::forms(&source) {
            forms += 1;
            if let Some(fault) = pair.fault() {
                faults.push(format!("{}:{}: {fault}: {} | {}", shown(&file), pair.line, pair.english, pair.chinese));
            }
        }
        for text in languages::verbatim_words(&source) {
            faults.push(format!(
                "{}:{}: has words, and is the same in both languages: {}",
                shown(&file),
                text.line,
                text.text
            ));
        }
    }
    assert!(forms > TWO_LANGUAGES_MIN, "{forms} texts");
    assert!(faults.is_empty(), "{} texts to put right:\n{}", faults.len(), faults.join("\n"));
}

/// A row of a table is put together where it is shown; its heads are looked up by their English names.
#[test]
fn every_head_of_a_table_has_a_chinese_name() {
    let output = fs::read_to_string(root().join("gateway/src/output.rs")).unwrap();
    let (mut heads, mut faults) = (0, Vec::new());
    for file in files_in(&["gateway/src"], &[".rs"]) {
        let source = fs::read_to_string(&file).unwrap();
        for head in table_heads(&source) {
            heads += 1;
            if !output.contains(&format!("(\"{head}\", \"")) {
                faults.push(format!("{}: {head}", shown(&file)));
            }
        }
    }
    assert!(heads > 100, "{heads} heads");
    assert!(faults.is_empty(), "heads without a Chinese name in gateway/src/output.rs:\n{}", faults.join("\n"));
}

/// The names in `table(&[…]` and `let head = […]`.
fn table_heads(source: &str) -> Vec<String> {
    let begins = ["table(&[", "table(\n        &[", "let head = ["];
    let lists =
        begins.iter().flat_map(|begin| source.match_indices(begin).map(|(at, begin)| &source[at + begin.len()..]));
    let lists = lists.filter_map(|rest| rest.split_once(']')).map(|(list, _)| list);
    let names = lists.flat_map(rust_text::literals);
    names.map(|name| name.text).filter(|name| !name.is_empty()).collect()
}

#[test]
fn a_text_that_says_something_else_in_chinese_is_found() {
    let faults =
        |source: &str| -> Vec<Option<&str>> { languages::forms(source).iter().map(languages::Forms::fault).collect() };
    for good in [
        r#"text!("no {what} of `{}`", "`{}` 没有{what}", name)"#,
        r#"text!("{} of {}", "{1} 的 {0}", one(","), other)"#,
        r#"text!("`{text}` {why}", "`{text}` {why}")"#,
        r#"text!("write `renmen plugin inspect FILE now`", "请用 `renmen plugin inspect FILE now`")"#,
        "text!(\n    \"one of \\\n     two\", // why\n    \"两者之一\"\n)",
        r#"problem.detail(format!("it has {n}"), format!("有 {n}"))"#,
        r#"problem.detail(format!("no {what_en}"), format!("没有{what_zh}"))"#,
    ] {
        assert_eq!(faults(good), [None], "{good}");
    }
    for (bad, fault) in [
        (r#"text!("not found", "not found")"#, "the Chinese form has no Chinese in it"),
        (r#"text!("no {what}", "没有")"#, "the two forms have other placeholders"),
        (r#"text!("no {} of {}", "没有{}", a, b)"#, "the two forms have other placeholders"),
        (r#"text!("没有", "没有")"#, "the English form has Chinese in it"),
        (
            r#"text!("a and b", "请 write the name of the file 以继续")"#,
            "the Chinese form has an English sentence in it",
        ),
        (r#"problem.detail("not here", "not here")"#, "the Chinese form has no Chinese in it"),
    ] {
        assert_eq!(faults(bad), [Some(fault)], "{bad}");
    }
    assert_eq!(faults("// text!(\"a\", \"b\")\nlet x = \"text!(1)\"; context!(\"a b\", \"a b\")"), []);
    let verbatim = |source: &str| languages::verbatim_words(source).len();
    assert_eq!(verbatim(r#"Text::verbatim("it is not here")"#), 1);
    assert_eq!(verbatim(r#"Text::verbatim(format!("{} of {}: try again", a, b))"#), 1);
    assert_eq!(verbatim(r#"Text::verbatim(format!("{}\n\n{}", a, b)); Text::verbatim(name)"#), 0);
    assert_eq!(table_heads("out.table(&[\"id\", \"\"], rows); let head = [\"what\"];"), ["id", "what"]);
}
