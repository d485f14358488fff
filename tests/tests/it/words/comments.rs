//! The comments of a Rust source, line by line as they were written, joined where they belong together.
//!
//! Reads lines, not Rust: a comment after code is seen where no quote stands before it.

use std::fs;
use std::path::{Path, PathBuf};

use super::phrases;

/// Lines of comment that follow one another.
pub(super) struct Comment {
    /// The number of its first line, from 1.
    pub(super) line: usize,
    /// Read by rustdoc: `///` or `//!`.
    documents: bool,
    text: String,
}

impl Comment {
    /// The phrases in it that are not plain English. What a requirement is numbered may stand in a comment that is not published.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> {
        phrases::faults(&self.text).filter(|fault| self.documents || !phrases::is_requirement(fault))
    }
}

/// All Rust files below a folder but those that list the phrases.
pub(super) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("tests/it/words") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The comments of a source.
pub(super) fn comments(source: &str) -> Vec<Comment> {
    let mut found: Vec<Comment> = Vec::new();
    let mut goes_on = false;
    for (number, line) in source.lines().enumerate() {
        let Some((code, text)) = line.split_once("//").filter(|(code, _)| !code.contains(['"', ':'])) else {
            goes_on = false;
            continue;
        };
        let documents = text.starts_with(['/', '!']);
        let text = text.trim_start_matches(['/', '!']).trim();
        match found.last_mut().filter(|last| goes_on && code.trim().is_empty() && last.documents == documents) {
            Some(last) => {
                last.text.push(' ');
                last.text.push_str(text);
            }
            None => found.push(Comment { line: number + 1, documents, text: text.to_owned() }),
        }
        goes_on = true;
    }
    found
}

#[test]
fn a_phrase_is_found_in_each_kind_of_comment_and_over_the_end_of_a_line() {
    let source = "//! It is\n//! no page.\nfn a() {} // anew\nlet url = \"http://nobody\";\n    /// R25 asks for it.\n    // R25 again.";
    let found: Vec<String> = comments(source).iter().flat_map(Comment::faults).collect();
    assert_eq!(found, ["is no page", "anew", "R25"]);
}
