//! docs/security.md names the test that holds each promise; a name that leads nowhere is a promise that nothing holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Promises that the page must be able to show at the least: fewer means that this test no longer reads the page.
const TESTS_MIN: usize = 100;

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (mut named, mut missing) = (BTreeSet::new(), Vec::new());
    for (file, test) in tests_of(&page) {
        let there = match &test {
            Some(test) => fs::read_to_string(root.join(&file)).is_ok_and(|text| text.contains(&format!("fn {test}("))),
            None => root.join(&file).is_file(),
        };
        if !there {
            missing.push(format!("{file}::{}", test.as_deref().unwrap_or("")));
        }
        named.insert((file, test));
    }
    assert!(missing.is_empty(), "docs/security.md names tests that are not there:\n{}", missing.join("\n"));
    assert!(named.len() >= TESTS_MIN, "{} tests are named", named.len());
}

/// Each `path.rs`, `path.rs::test` and `::test` (of the file before it) that stands between backquotes.
fn tests_of(page: &str) -> Vec<(String, Option<String>)> {
    let mut file = String::new();
    let mut found = Vec::new();
    for code in page.split('`').skip(1).step_by(2) {
        if let Some(test) = code.strip_prefix("::") {
            found.push((file.clone(), Some(test.to_owned())));
        } else if let Some((path, test)) = code.split_once(".rs::") {
            file = format!("{path}.rs");
            found.push((file.clone(), Some(test.to_owned())));
        } else if code.ends_with(".rs") && code.contains('/') {
            file = code.to_owned();
            found.push((file.clone(), None));
        }
    }
    found
}

#[test]
fn names_of_tests_are_read_from_the_page() {
    let page = "Held by `a/b.rs::one`, `::two` and `c/d.rs` (all). Not `cargo test`, nor `x.rs`.";
    let named = |file: &str, test: Option<&str>| (file.to_owned(), test.map(str::to_owned));
    let expected = [named("a/b.rs", Some("one")), named("a/b.rs", Some("two")), named("c/d.rs", None)];
    assert_eq!(tests_of(page), expected);
}
