//! One statement, one place: what reads the same on both backends stands in `sql` or `outbox` and not once in each backend; and
//! what both run knows neither of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Statements that stand twice on purpose, as [`normal`] writes them.
const TWICE: &[&str] = &[];

/// The texts between quotes of a source, its comments left out. `r"…"` and characters are not in use for statements.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let code = code.replace("'\"'", "' '");
    let mut rest = code.as_str();
    while let Some(begin) = rest.find('"') {
        rest = &rest[begin + 1..];
        let mut text = String::new();
        let mut escaped = false;
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match c {
                _ if escaped => {
                    escaped = false;
                    text.push(if c == '\n' { ' ' } else { c });
                }
                '\\' => escaped = true,
                '"' => {
                    end = at + 1;
                    break;
                }
                c => text.push(c),
            }
        }
        rest = &rest[end..];
        found.push(text);
    }
    found
}

/// A statement as both backends would read it: however its values are numbered, its lines are broken and its types are cast.
fn normal(text: &str) -> Option<String> {
    let words: Vec<String> = text.split_whitespace().map(word).collect();
    let text = words.join(" ");
    let begins =
        ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "].iter().any(|word| text.starts_with(word));
    // `{SELECT} WHERE …` goes on with a text that is put in.
    let goes_on = text.starts_with('{') && text.split_once('}').is_some_and(|(_, rest)| rest.starts_with(" WHERE "));
    (begins || goes_on).then_some(text)
}

/// `?1`, `$1` and `$1::bigint` are one value.
fn word(word: &str) -> String {
    let mut plain = String::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '?' | '$' => {
                rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                plain.push('?');
            }
            ':' if rest.starts_with(':') => {
                rest = rest[1..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '[' || c == ']');
            }
            c => plain.push(c),
        }
    }
    plain
}

/// Every statement that stands in more than one place, with the places.
fn twice(sources: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, source) in sources {
        for statement in literals(source).iter().filter_map(|text| normal(text)) {
            places.entry(statement).or_default().push(name.clone());
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (Vec::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // A module's own tests play an older release.
                let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

#[test]
fn no_statement_stands_in_two_places() {
    let sources = sources();
    let statements: usize =
        sources.iter().map(|(_, text)| literals(text).iter().filter_map(|t| normal(t)).count()).sum();
    assert!(statements > 150, "only {statements} statements were found: does the scanner still read them?");
    let mut twice = twice(&sources);
    for allowed in TWICE {
        assert!(twice.remove(*allowed).is_some(), "`{allowed}` stands once now: take it off the list");
    }
    assert!(twice.is_empty(), "write each of these once, in `sql`: {twice:#?}");
}

#[test]
fn a_statement_that_differs_in_the_numbers_of_its_values_alone_is_found() {
    let sqlite = r#"run(c, "UPDATE run SET a = ?2 WHERE id = ?1", params![id, a])?;"#;
    let postgres = "let sql = \"UPDATE run SET a = $2::bigint\n    WHERE id = $1\"; // \"UPDATE run\"";
    let other = r#"let sql = "UPDATE run SET b = $2 WHERE id = $1";"#;
    let named = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let found = twice(&[named("one", sqlite), named("two", postgres), named("three", other)]);
    let places = found.get("UPDATE run SET a = ? WHERE id = ?").map(Vec::as_slice);
    assert_eq!(places, Some(["one".to_owned(), "two".to_owned()].as_slice()));
    assert_eq!(found.len(), 1);
    let with_text = r#"format!("{SELECT} WHERE id = $1")"#;
    assert_eq!(twice(&[named("one", with_text), named("two", &with_text.replace('$', "?"))]).len(), 1);
    let lines = "\"SELECT a \\\n    FROM b\"";
    assert_eq!(literals(lines).iter().filter_map(|text| normal(text)).collect::<Vec<_>>(), ["SELECT a FROM b"]);
}

/// The lines of what both backends run that name the library of one.
fn names_a_backend(source: &str) -> Vec<&str> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.filter(|line| ["rusqlite", "tokio_postgres", "deadpool"].iter().any(|name| line.contains(name))).collect()
}

/// A statement numbers its values by `$1` where both backends run it (SQLite's session turns that into `?1`), and by `?1` where
/// SQLite alone does: there `$2` before `$1` would bind the wrong value without a word.
fn misnumbered(path: &str, source: &str) -> Vec<String> {
    let wrong = if path.contains("/sqlite/") { "$1" } else { "?1" };
    literals(source).into_iter().filter(|text| normal(text).is_some() && text.contains(wrong)).collect()
}

#[test]
fn what_both_backends_run_knows_neither_of_them() {
    for (path, text) in sources() {
        if ["/sql/", "/outbox/", "/interface/", "/model/"].iter().any(|folder| path.contains(folder)) {
            assert_eq!(names_a_backend(&text), Vec::<&str>::new(), "{path}");
        }
        assert_eq!(misnumbered(&path, &text), Vec::<String>::new(), "{path}");
    }
    assert_eq!(names_a_backend("// rusqlite\nuse rusqlite::Row;\n"), ["use rusqlite::Row;"]);
    let text = r#"run(c, "UPDATE a SET b = $1")"#;
    assert_eq!(misnumbered("src/sqlite/a.rs", text), ["UPDATE a SET b = $1"]);
    assert_eq!(misnumbered("src/sql/a.rs", text), Vec::<String>::new());
    assert_eq!(misnumbered("src/sql/a.rs", &text.replace('$', "?")), ["UPDATE a SET b = ?1"]);
}

/// Columns of texts that lists are ordered by; `external_id` is ordered by its bytes wherever it stands.
const TEXTS: [&str; 6] = ["tenant", "connection", "stream", "entity", "scheme", "name"];

/// What a statement is ordered by that PostgreSQL would order as the language of its database wants it.
fn ordered_by_language(statement: &str) -> Vec<&str> {
    let orders = statement.split("ORDER BY ").skip(1);
    let ends =
        |order: &str| ["LIMIT", "RETURNING", ")"].iter().filter_map(|end| order.find(end)).min().unwrap_or(order.len());
    orders
        .flat_map(|order| order[..ends(order)].split(','))
        .filter_map(|term| term.split_whitespace().next())
        .filter(|term| TEXTS.contains(&term.rsplit('.').next().unwrap_or(term)))
        .collect()
}

#[test]
fn a_list_comes_in_one_order_whatever_language_a_server_speaks() {
    for (path, text) in sources().iter().filter(|(path, _)| !path.contains("/sqlite/")) {
        for statement in literals(text).iter().filter_map(|text| normal(text)) {
            assert_eq!(ordered_by_language(&statement), Vec::<&str>::new(), "{path}: add `dialect().by_bytes()`");
        }
    }
    assert_eq!(ordered_by_language("SELECT a FROM t ORDER BY due_ms, t.name LIMIT 3"), ["t.name"]);
    assert_eq!(ordered_by_language("SELECT a FROM t ORDER BY due_ms, name{} LIMIT 3"), Vec::<&str>::new());
}
