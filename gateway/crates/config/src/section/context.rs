//! What the reading of one file shares: its text, its place, the environment, and the problems so far.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use renmen_schema::{Text, text};

use crate::error::{ConfigError, PROBLEMS_MAX, Problem};
use crate::{LoadOptions, excerpt};

/// One reading of one file.
pub(crate) struct Context<'a> {
    text: &'a str,
    dir: &'a Path,
    options: LoadOptions<'a>,
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(text: &'a str, dir: &'a Path, options: LoadOptions<'a>) -> Self {
        Self { text, dir, options, problems: RefCell::default() }
    }

    pub(crate) fn dev(&self) -> bool {
        self.options.dev
    }

    pub(crate) fn env(&self) -> &'a dyn Fn(&str) -> Option<String> {
        self.options.env
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// A path as the file means it: relative to the file.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        // Joining to an absolute path gives that path; `components` drops the `./` in the middle that would be ugly in errors.
        self.dir.join(text).components().collect()
    }

    pub(crate) fn note(&self, span: Range<usize>, key: &str, message: Text, help: Text) {
        let (line, column) = excerpt::place(self.text, span.start);
        let excerpt = excerpt::render(self.text, &span);
        let problem = Problem { line, column, key: key.to_owned(), message, help, excerpt };
        let mut problems = self.problems.borrow_mut();
        // One mistake seen by two rules at one place is still one mistake.
        if !problems
            .iter()
            .any(|(_, known)| (known.line, known.column, &known.message) == (line, column, &problem.message))
        {
            problems.push((span.start, problem));
        }
    }

    /// Notes what the TOML parser did not understand.
    pub(crate) fn syntax(&self, error: &toml::de::Error) {
        let span = error.span().unwrap_or(0..0);
        let why = error.message().trim_end_matches('.').trim_end_matches(", expected nothing").replace('\n', ", ");
        let message = text!("this is not TOML: {why}", "这不是有效的 TOML：{why}");
        self.note(
            span,
            "",
            message,
            text!(
                "strings stand in quotes, tables in [brackets], and a key may be given once",
                "字符串写在引号中，表写在 [方括号] 中，同一个配置项只能出现一次"
            ),
        );
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    pub(crate) fn into_error(self, path: &Path) -> ConfigError {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|(offset, _)| *offset);
        let more = problems.len().saturating_sub(PROBLEMS_MAX);
        let problems = problems.into_iter().take(PROBLEMS_MAX).map(|(_, problem)| problem).collect();
        ConfigError { path: path.to_owned(), problems, more }
    }
}
