//! A question with what was said with it, read from names and values: the same for a query of the API, the command line and the
//! configuration. An unknown parameter is refused, for an answer to another question than was meant looks just like the right one.

use std::collections::BTreeMap;

use renmen_insight::Outcome;
use renmen_schema::code::{EndReason, ReviewCycleKind, StageKind};
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::types::{Currency, Decimal, LocalDate, PayInterval};
use renmen_schema::{Text, text};

use crate::{AnalysisError, QuestionName};

/// Outcomes, quantiles or combinations of attributes in one question.
const LIST_MAX: usize = 20;
/// Characters of a value.
const CHARS_MAX: usize = 512;

/// A question, as it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Which.
    pub question: QuestionName,
    pub(crate) from: Option<LocalDate>,
    pub(crate) to: Option<LocalDate>,
    pub(crate) position: Option<RecordId>,
    pub(crate) unit: Option<RecordId>,
    pub(crate) application: Option<RecordId>,
    pub(crate) result: Option<RecordId>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) objective: Option<bool>,
    pub(crate) quantiles: Vec<Decimal>,
    pub(crate) metric: Option<String>,
    pub(crate) days: Option<u32>,
    pub(crate) slow_s: Option<u32>,
    pub(crate) attributes: Vec<Vec<String>>,
    pub(crate) stage: Option<StageKind>,
    pub(crate) currency: Option<Currency>,
    pub(crate) per: Option<PayInterval>,
    pub(crate) amount: Option<Decimal>,
    pub(crate) vendor: Option<ConnectionName>,
    pub(crate) version: Option<u32>,
    /// What was said, by name.
    said: BTreeMap<String, String>,
}

impl Ask {
    /// A question with nothing said.
    #[must_use]
    pub fn of(question: QuestionName) -> Self {
        Self {
            question,
            from: None,
            to: None,
            position: None,
            unit: None,
            application: None,
            result: None,
            outcomes: Vec::new(),
            objective: None,
            quantiles: Vec::new(),
            metric: None,
            days: None,
            slow_s: None,
            attributes: Vec::new(),
            stage: None,
            currency: None,
            per: None,
            amount: None,
            vendor: None,
            version: None,
            said: BTreeMap::new(),
        }
    }

    /// Reads what was said.
    ///
    /// # Errors
    /// [`AnalysisError::Bad`] with the parameter and what it should be.
    pub fn read<'p>(
        question: QuestionName,
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<Self, AnalysisError> {
        let mut ask = Self::of(question);
        for (name, value) in parameters {
            ask.say(name, value)?;
        }
        if let (Some(from), Some(to)) = (ask.from, ask.to)
            && from > to
        {
            return Err(AnalysisError::bad("from", text!("a day that is not after `to`", "不晚于 `to` 的日期")));
        }
        Ok(ask)
    }

    /// Says one thing more; what was said under this name before no longer counts.
    ///
    /// # Errors
    /// As [`Ask::read`].
    pub fn say(&mut self, name: &str, value: &str) -> Result<(), AnalysisError> {
        if !self.question.parameter_names().contains(&name) {
            let (question, known) = (self.question, self.question.parameter_names().join("`, `"));
            let shown: String = name.chars().take(60).collect();
            let expected =
                text!("one of `{known}`: `{question}` takes no other", "`{known}` 之一：`{question}` 没有其他参数");
            return Err(AnalysisError::bad(&shown, expected));
        }
        if value.chars().count() > CHARS_MAX {
            let expected = text!("at most {CHARS_MAX} characters", "不超过 {CHARS_MAX} 个字符");
            return Err(AnalysisError::bad(name, expected));
        }
        self.put(name, value).map_err(|expected| AnalysisError::bad(name, expected))?;
        self.said.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn put(&mut self, name: &str, value: &str) -> Result<(), Text> {
        match name {
            "from" => self.from = Some(day(value)?),
            "to" => self.to = Some(day(value)?),
            "position" => self.position = Some(id(value)?),
            "unit" => self.unit = Some(id(value)?),
            "application" => self.application = Some(id(value)?),
            "result" => self.result = Some(id(value)?),
            "outcome" => self.outcomes = list(value, outcome)?,
            "objective" => self.objective = Some(flag(value)?),
            "quantile" => self.quantiles = list(value, quantile)?,
            "metric" => self.metric = Some(filled(value)?),
            "days" => self.days = Some(count(value, 1, 3_660)?),
            "slow" => self.slow_s = Some(count(value, 1, 86_400)?),
            "attribute" => self.attributes = list(value, attributes)?,
            "stage" => {
                self.stage = Some(code(StageKind::from_code(value), || codes(StageKind::ALL, StageKind::as_str))?);
            }
            "currency" => {
                let read = Currency::parse(value).ok();
                self.currency = Some(code(read, || text!("an ISO 4217 code, such as CNY", "ISO 4217 代码，例如 CNY"))?);
            }
            "per" => {
                self.per = Some(code(interval(value), || {
                    text!("HOUR, DAY, WEEK, MONTH or YEAR", "HOUR、DAY、WEEK、MONTH 或 YEAR")
                })?);
            }
            "amount" => {
                let read = Decimal::parse(value).ok();
                self.amount = Some(code(read, || text!("an amount, such as 11500", "金额，例如 11500"))?);
            }
            "vendor" => {
                let read = ConnectionName::new(value).ok();
                self.vendor = Some(code(read, || text!("the name of a connection", "连接名称"))?);
            }
            "version" => self.version = Some(count(value, 1, u32::MAX)?),
            _ => {}
        }
        Ok(())
    }

    /// What was said, by name, in the order of the names.
    pub fn said(&self) -> impl Iterator<Item = (&str, &str)> {
        self.said.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter without which it cannot be answered.
    pub(crate) fn need<T: Clone>(value: Option<&T>, name: &str) -> Result<T, AnalysisError> {
        value.cloned().ok_or_else(|| AnalysisError::bad(name, text!("given with this question", "此问题的必填参数")))
    }
}

fn code<T>(read: Option<T>, expected: impl FnOnce() -> Text) -> Result<T, Text> {
    read.ok_or_else(expected)
}

fn codes<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Text {
    let all = all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
    text!("one of {all}", "{all} 之一")
}

fn day(value: &str) -> Result<LocalDate, Text> {
    LocalDate::parse(value).map_err(|_| text!("a day, such as 2026-01-31", "日期，例如 2026-01-31"))
}

fn id(value: &str) -> Result<RecordId, Text> {
    value.parse().map_err(|_| text!("the id of a record", "记录的编号"))
}

fn flag(value: &str) -> Result<bool, Text> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(text!("`true` or `false`", "`true` 或 `false`")),
    }
}

fn filled(value: &str) -> Result<String, Text> {
    let value = value.trim();
    if value.is_empty() { Err(text!("a text that is not empty", "非空文本")) } else { Ok(value.to_owned()) }
}

fn count(value: &str, least: u32, most: u32) -> Result<u32, Text> {
    let read = value.parse::<u32>().ok().filter(|read| (least..=most).contains(read));
    read.ok_or_else(|| text!("a whole number from {least} to {most}", "{least} 到 {most} 的整数"))
}

fn list<T>(value: &str, read: impl Fn(&str) -> Result<T, Text>) -> Result<Vec<T>, Text> {
    let all: Vec<&str> = value.split(',').map(str::trim).collect();
    if all.len() > LIST_MAX {
        return Err(text!("at most {LIST_MAX} values", "最多 {LIST_MAX} 个值"));
    }
    all.into_iter().map(read).collect()
}

fn quantile(value: &str) -> Result<Decimal, Text> {
    let read = Decimal::parse(value).ok().filter(|read| !read.is_negative() && *read <= Decimal::from(1));
    read.ok_or_else(|| text!("a number from 0 to 1, such as 0.9", "0 到 1 的数字，例如 0.9"))
}

fn attributes(value: &str) -> Result<Vec<String>, Text> {
    let all: Vec<String> = value.split('+').map(|one| one.trim().to_owned()).collect();
    let good = |one: &String| !one.is_empty() && one.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if all.iter().all(good) {
        Ok(all)
    } else {
        Err(text!("attributes such as `gender`, joined by `+`", "属性名，例如 `gender`，用 `+` 组合"))
    }
}

fn interval(value: &str) -> Option<PayInterval> {
    PayInterval::from_code(value).filter(|one| *one != PayInterval::Other)
}

/// An outcome by its name.
pub(crate) fn outcome(value: &str) -> Result<Outcome, Text> {
    let expected = || {
        text!(
            "outcomes: final_round, probation_passed, review:KIND, metric:CODE, retained_days:N, not_left_for:REASON",
            "结果：final_round、probation_passed、review:种类、metric:代码、retained_days:天数、not_left_for:原因"
        )
    };
    let read = match value.split_once(':') {
        None if value == "final_round" => Some(Outcome::FinalRound),
        None if value == "probation_passed" => Some(Outcome::Probation),
        Some(("review", kind)) => ReviewCycleKind::from_code(kind).map(Outcome::Review),
        Some(("metric", code)) if !code.is_empty() => Some(Outcome::Metric(code.to_owned())),
        Some(("retained_days", days)) => count(days, 1, 3_660).ok().map(|days| Outcome::Retained { days }),
        Some(("not_left_for", reason)) => EndReason::from_code(reason).map(Outcome::NotLeftFor),
        _ => None,
    };
    read.ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(question: QuestionName, name: &str, value: &str) -> String {
        Ask::read(question, [(name, value)]).unwrap_err().to_string()
    }

    #[test]
    fn what_is_said_is_read_and_what_is_not_known_is_refused() {
        let said =
            [("from", "2026-01-01"), ("to", "2026-06-30"), ("outcome", "final_round,metric:sales, retained_days:90")];
        let ask = Ask::read(QuestionName::Predict, said).unwrap();
        assert_eq!(ask.outcomes.len(), 3);
        assert_eq!(ask.said().count(), 3);
        assert!(refused(QuestionName::Funnel, "outcome", "final_round").contains("takes no other"));
        assert!(refused(QuestionName::Funnel, "from", "2026-02-30").contains("a day"));
        assert!(refused(QuestionName::Predict, "outcome", "luck").contains("final_round"));
        assert!(refused(QuestionName::Performance, "quantile", "1.1").contains("0 to 1"));
        assert!(refused(QuestionName::Fairness, "attribute", "gender+").contains("gender"));
        assert!(refused(QuestionName::Review, "days", "0").contains("from 1"));
        let turned = [("from", "2026-02-01"), ("to", "2026-01-01")];
        assert!(Ask::read(QuestionName::Funnel, turned).unwrap_err().to_string().contains("not after"));
    }

    #[test]
    fn outcomes_are_read_as_they_are_written() {
        for text in
            ["final_round", "probation_passed", "review:ANNUAL", "metric:sales", "retained_days:90", "not_left_for:PAY"]
        {
            assert_eq!(outcome(text).unwrap().to_string(), text);
        }
        for text in ["retained_days:0", "review:SOMETIMES", "metric:", ""] {
            assert!(outcome(text).is_err(), "{text}");
        }
    }
}
