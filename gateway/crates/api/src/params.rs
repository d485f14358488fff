//! Query parameters, strictly: an unknown one, one given twice and one with a wrong value are errors that name it. A
//! misspelt filter that is silently ignored hands out records that the client did not ask for.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use renmen_schema::id::{ConnectionName, RecordId};

use crate::instant;
use crate::problem::{Problem, ProblemCode};

/// Records, changes and the like in one answer, when the client does not say.
pub(crate) const LIMIT_DEFAULT: u32 = 100;
/// Records, changes and the like in one answer at most.
pub(crate) const LIMIT_MAX: u32 = 1000;
/// A text parameter's length in characters: more than any id or cursor has.
const TEXT_CHARS_MAX: usize = 512;

/// The name of something that is to be made. Nothing can exist under an invalid name, so it is refused as a bad
/// parameter rather than reported as not found.
pub(crate) fn new_name(name: &str) -> Result<ConnectionName, Problem> {
    ConnectionName::new(name).map_err(|_| {
        Problem::parameter("name", "1 to 63 of a-z, 0-9, - and _", "名称（a-z、0-9、-、_，1 到 63 个字符）")
    })
}

/// The query of one request, taken out parameter by parameter; [`Params::end`] refuses what is left.
#[derive(Debug)]
pub(crate) struct Params {
    given: Result<Vec<(String, String)>, ()>,
    known: Vec<&'static str>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let given = Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).map_err(|_| ());
        Ok(Self { given, known: Vec::new() })
    }
}

impl Params {
    /// A text; none when it was not given.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        self.text_of(name, TEXT_CHARS_MAX)
    }

    /// A text that may be longer or shorter than most.
    pub(crate) fn text_of(&mut self, name: &'static str, chars_max: usize) -> Result<Option<String>, Problem> {
        self.known.push(name);
        let given = self.given.as_mut().map_err(|()| unreadable())?;
        let mut found = None;
        while let Some(at) = given.iter().position(|(given, _)| given == name) {
            let (_, value) = given.remove(at);
            if found.is_some() {
                return Err(Problem::parameter(name, "given once", "只出现一次的参数"));
            }
            if value.chars().count() > chars_max || value.contains('\0') {
                return Err(Problem::parameter(
                    name,
                    &format!("at most {chars_max} characters without NUL"),
                    &format!("不超过 {chars_max} 个字符且不含 NUL 的文本"),
                ));
            }
            found = Some(value);
        }
        Ok(found)
    }

    /// A value that is read from its text.
    fn parsed<T>(
        &mut self,
        name: &'static str,
        expected: (&str, &str),
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        read(&text).map(Some).ok_or_else(|| Problem::parameter(name, expected.0, expected.1))
    }

    /// A whole number between two others, both included.
    pub(crate) fn number<T>(&mut self, name: &'static str, min: T, max: T) -> Result<Option<T>, Problem>
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let en = format!("a whole number from {min} to {max}");
        let zh = format!(" {min} 到 {max} 的整数");
        // `+5` and `007` are numbers to Rust; a client that sends them has a fault that it should hear of.
        let read = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
            text.parse::<T>().ok().filter(|number| digits && *number >= min && *number <= max)
        };
        self.parsed(name, (&en, &zh), read)
    }

    /// `limit`: 1 to [`LIMIT_MAX`].
    pub(crate) fn limit(&mut self) -> Result<u32, Problem> {
        Ok(self.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT))
    }

    /// `cursor` of a list that goes on behind a row's number.
    pub(crate) fn numbered_cursor(&mut self) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text("cursor")? else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Some).ok_or_else(|| Problem::new(ProblemCode::InvalidCursor))
    }

    /// A time in RFC 3339, as milliseconds since the epoch.
    pub(crate) fn time(&mut self, name: &'static str) -> Result<Option<i64>, Problem> {
        let expected = ("a time like 2026-01-31T08:00:00Z (RFC 3339 with an offset)", "带时区的 RFC 3339 时间");
        self.parsed(name, expected, instant::parse)
    }

    /// A record's id.
    pub(crate) fn id(&mut self, name: &'static str) -> Result<Option<RecordId>, Problem> {
        self.parsed(name, ("the id of a record", "记录的编号"), |text| text.parse().ok())
    }

    /// `connection`.
    pub(crate) fn connection(&mut self) -> Result<Option<ConnectionName>, Problem> {
        let expected =
            ("the name of a connection: 1 to 63 of a-z, 0-9, - and _", "连接名（a-z、0-9、-、_，1 到 63 个字符）");
        self.parsed("connection", expected, |text| text.parse().ok())
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let list: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let (en, zh) = (format!("one of {}", list.join(", ")), format!("以下之一：{}", list.join("、")));
        self.parsed(name, (&en, &zh), |text| words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value))
    }

    /// Refuses what was not asked for.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.given.map_err(|()| unreadable())?.first() {
            Some((name, _)) => Err(Problem::unknown_parameter(name, &self.known)),
            None => Ok(()),
        }
    }
}

fn unreadable() -> Problem {
    Problem::new(ProblemCode::BadRequest)
        .detail("the query string is not valid; percent-encode it", "无法读取查询字符串，请进行百分号编码")
}

/// Reads a part of the path; what cannot be an id names nothing.
pub(crate) fn path_id<T: FromStr>(text: &str, what_en: &str, what_zh: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found(what_en, what_zh))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn params(query: &str) -> Params {
        let uri: axum::http::Uri = format!("/x?{query}").parse().unwrap();
        Params { given: Query::try_from_uri(&uri).map(|Query(pairs)| pairs).map_err(|_| ()), known: Vec::new() }
    }

    #[test]
    fn a_limit_is_a_plain_number_within_its_bounds() {
        assert_eq!(params("").limit(), Ok(100));
        assert_eq!(params("limit=1").limit(), Ok(1));
        assert_eq!(params("limit=1000").limit(), Ok(1000));
        for bad in ["0", "1001", "-1", "%2B5", "007", "1e3", "", "99999999999"] {
            let problem = params(&format!("limit={bad}")).limit().unwrap_err();
            assert_eq!(problem.code, ProblemCode::InvalidParameter, "{bad}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_named_and_a_known_one_is_not() {
        let mut known = params("limit=3");
        known.limit().unwrap();
        known.end().unwrap();
        let mut unknown = params("limit=3&limits=4");
        unknown.limit().unwrap();
        let problem = unknown.end().unwrap_err();
        assert_eq!(problem, Problem::unknown_parameter("limits", &["limit"]));
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert_eq!(params("limit=3&limit=3").limit().unwrap_err().code, ProblemCode::InvalidParameter);
    }

    #[test]
    fn a_text_has_a_length_and_no_nul() {
        assert_eq!(params("q=%E5%BC%A0").text("q").unwrap().as_deref(), Some("张"));
        assert!(params(&format!("q={}", "%E5%BC%A0".repeat(512))).text("q").is_ok());
        assert!(params(&format!("q={}", "x".repeat(513))).text("q").is_err());
        assert!(params("q=a%00b").text("q").is_err());
    }
}
