//! What is wrong with a record, and the walk that finds all of it. A defect says where, what was found and what is expected;
//! it never carries the value of a field that is PERSONAL or above.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Text, text};

/// No more defects than this are kept of one record: beyond it they repeat each other.
pub const DEFECTS_MAX: usize = 50;

/// One thing wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// RFC 6901 pointer into the body: `/range/max`. Empty: the body as a whole.
    pub path: String,
    /// Stable, for programs and for counting: `missing_field`, `bad_currency`.
    pub code: &'static str,
    /// What was found and what is expected.
    pub message: Text,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: {}", text!("(body)", "（正文）"), self.message),
            place => write!(f, "{place}: {}", self.message),
        }
    }
}

/// A single value that a shared type refuses. Holds no part of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue {
    /// Stable: `bad_date`.
    pub code: &'static str,
    /// What is expected.
    pub message: Text,
}

impl BadValue {
    pub(crate) fn new(code: &'static str, message: Text) -> Self {
        Self { code, message }
    }

    pub(crate) fn unknown_code(known: &[&str]) -> Self {
        Self::new(
            "unknown_code",
            text!(
                "a code that is not known here; expected one of {}",
                "未知的代码；应为其中之一：{}",
                known.join(", ")
            ),
        )
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for BadValue {}

/// What a value says about itself beyond its JSON types. The default finds nothing.
pub trait Validate {
    /// Adds every defect to `walk`, and walks into what it holds.
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        let _ = walk;
    }
}

enum Step<'v> {
    Field(&'static str),
    Index(usize),
    Key(&'v str),
}

/// The place in a record and the defects found so far. A pointer is written out only when something is wrong.
#[derive(Default)]
pub struct Walk<'v> {
    steps: Vec<Step<'v>>,
    defects: Vec<Defect>,
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("at", &self.pointer()).field("defects", &self.defects).finish()
    }
}

impl<'v> Walk<'v> {
    /// Validates a whole value and gives all its defects, at most [`DEFECTS_MAX`].
    pub fn over(value: &'v impl Validate) -> Vec<Defect> {
        let mut walk = Walk::default();
        value.validate(&mut walk);
        walk.defects
    }

    /// Goes into a field.
    pub fn field(&mut self, name: &'static str, value: &'v impl Validate) {
        self.steps.push(Step::Field(name));
        value.validate(self);
        self.steps.pop();
    }

    /// Says that something is wrong here.
    pub fn defect(&mut self, code: &'static str, message: Text) {
        if self.defects.len() < DEFECTS_MAX {
            self.defects.push(Defect { path: self.pointer(), code, message });
        }
    }

    /// Says that something is wrong with a field of this value.
    pub fn defect_in(&mut self, field: &'static str, code: &'static str, message: Text) {
        self.steps.push(Step::Field(field));
        self.defect(code, message);
        self.steps.pop();
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.steps {
            pointer.push('/');
            match step {
                Step::Field(name) => pointer.push_str(name),
                Step::Index(index) => pointer.push_str(&index.to_string()),
                Step::Key(key) => pointer.push_str(&crate::pointer::escape(key)),
            }
        }
        pointer
    }
}

macro_rules! nothing_to_check {
    ($($plain:ty),*) => { $(impl Validate for $plain {})* };
}
nothing_to_check!(String, bool, u16, u32, u64, i64);

impl<T: Validate> Validate for Option<T> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        if let Some(value) = self {
            value.validate(walk);
        }
    }
}

impl<T: Validate> Validate for Box<T> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        self.as_ref().validate(walk);
    }
}

impl<T: Validate> Validate for Vec<T> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        for (index, value) in self.iter().enumerate() {
            walk.steps.push(Step::Index(index));
            value.validate(walk);
            walk.steps.pop();
        }
    }
}

impl<T: Validate> Validate for BTreeMap<String, T> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        for (key, value) in self {
            walk.steps.push(Step::Key(key));
            value.validate(walk);
            walk.steps.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFECTS_MAX, Validate, Walk};
    use crate::Text;

    struct Bad;
    impl Validate for Bad {
        fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
            walk.defect_in("x", "bad", Text::verbatim("no good"));
        }
    }

    #[test]
    fn a_defect_names_its_place_through_lists_and_maps() {
        let value = std::collections::BTreeMap::from([("a/b~".to_owned(), vec![Bad, Bad])]);
        let paths: Vec<_> = Walk::over(&value).into_iter().map(|d| d.path).collect();
        assert_eq!(paths, ["/a~1b~0/0/x", "/a~1b~0/1/x"]);
    }

    #[test]
    fn the_number_of_defects_is_bounded() {
        let value: Vec<Bad> = (0..DEFECTS_MAX + 10).map(|_| Bad).collect();
        assert_eq!(Walk::over(&value).len(), DEFECTS_MAX);
        assert_eq!(Walk::over(&vec![Bad]).len(), 1);
    }
}
