//! What is wrong with a file: every problem with its place, its key and the fix.

use std::fmt;
use std::path::{Path, PathBuf};

use renmen_schema::{Text, text};

/// Problems that are told at once; of more only the number is told.
pub const PROBLEMS_MAX: usize = 20;

/// A file that cannot be used, with everything that is wrong with it. Displays as one paragraph a problem, each with the
/// line of the file and a caret. Texts that may be secret are masked in it.
#[derive(Debug, Clone)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// In the order of the file; at least one, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// `connections.people.streams.employees`; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong, without a full stop.
    pub message: Text,
    /// What to do about it; may be empty.
    pub help: Text,
    /// The line with a caret below, masked where it may hold a secret; may be empty.
    pub excerpt: String,
}

impl ConfigError {
    pub(crate) fn unreadable(path: &Path, reason: &Text) -> Self {
        let problem = Problem {
            line: 0,
            column: 0,
            key: String::new(),
            message: text!("cannot be read: {reason}", "无法读取：{reason}"),
            help: Text::default(),
            excerpt: String::new(),
        };
        Self { path: path.to_owned(), problems: vec![problem], more: 0 }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                write!(f, "\n\n")?;
            }
            match problem.line {
                0 => write!(f, "{path}: {}", problem.message)?,
                line => write!(f, "{path}:{line}:{}: {}", problem.column, problem.message)?,
            }
            if !problem.excerpt.is_empty() {
                write!(f, "\n{}", problem.excerpt)?;
            }
            if !problem.key.is_empty() {
                write!(f, "\n  {}", text!("key: {}", "配置项：{}", problem.key))?;
            }
            if !problem.help.is_empty() {
                write!(f, "\n  {}", text!("fix: {}", "处理：{}", problem.help))?;
            }
        }
        if self.more > 0 {
            write!(f, "\n\n{path}: {}", text!("and {} more", "另有 {} 处问题", self.more))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
