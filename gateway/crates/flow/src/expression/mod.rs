//! Conditions and maps: expressions in CEL, the Common Expression Language, under limits.
//!
//! An expression is checked when it is loaded (syntax, names, functions) and bounded when it runs: its text, its depth, the steps
//! of its loops and its time. Errors hold no values, because values are personal data.
//!
//! Variables: `record` and `before` (null for a record's first revision), `change` (`seq`, `kind`, `entity`, `connection`, `id`,
//! `external_id`, `revision`, `at`) and `now`. Times are texts such as `2026-03-02T01:00:00.000Z`, which compare as texts;
//! `decision_link('li.na')` is a link with which that person decides on the changed decision; only in a map. `ms(text)`
//! gives milliseconds to count with, `text(record.title, 'zh-CN')` the best text for a reader of that language. A map
//! also sees the records of its flow's `with`. Decimals are texts as well: `double(record.overall.value) >= 80.0`.

mod bounded;
mod names;
mod types;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use cel::{Context, Env, ExecutionError, IdedExpr, Value as CelValue};
use serde_json::Value;

pub use bounded::ExpressionLimits;
use bounded::Steps;
use renmen_schema::{Text, text};

use crate::links::LinkMaker;
pub(crate) use names::{Name, Named, is_free_name};
pub(crate) use types::{RecordTypes, TypeClash, ValueType};

/// Bytes of one expression's text.
pub const EXPRESSION_BYTES_MAX: usize = 4 * 1024;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A checked expression.
#[derive(Debug, Clone)]
pub struct Expression {
    source: Arc<str>,
    tree: Arc<IdedExpr>,
    named: Arc<Named>,
    texts: Arc<[String]>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// What is wrong with an expression's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadExpression {
    /// Where it is wrong, in characters from 0; none when the whole text is meant.
    pub at: Option<usize>,
    /// What is wrong.
    pub message: Text,
}

/// Why an expression gave nothing. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationFault {
    /// Something that it asked for is not there.
    pub absent: bool,
    /// A message for people.
    pub message: Text,
}

/// What an expression sees.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The record.
    pub record: Value,
    /// The revision before; null when there is none.
    pub before: Value,
    /// The change.
    pub change: Value,
    /// Records that the flow looked up, by the names that it gave them.
    pub related: BTreeMap<String, Value>,
    /// `2026-03-02T01:00:00.000Z`.
    pub now: String,
    /// Makes links to the changed decision; `None` where there are no links.
    pub links: Option<LinkMaker>,
}

impl Expression {
    /// Parses and checks a text.
    ///
    /// # Errors
    /// [`BadExpression`] with the place of the first fault.
    pub fn parse(source: &str) -> Result<Self, BadExpression> {
        Self::parse_with(source, &[])
    }

    /// The same, where other records have names too.
    ///
    /// # Errors
    /// [`BadExpression`] with the place of the first fault.
    pub fn parse_with(source: &str, related: &[&str]) -> Result<Self, BadExpression> {
        if source.len() > EXPRESSION_BYTES_MAX {
            let message = text!(
                "it has {} bytes; at most {EXPRESSION_BYTES_MAX} are taken",
                "有 {} 字节；最多 {EXPRESSION_BYTES_MAX} 字节",
                source.len()
            );
            return Err(BadExpression { at: None, message });
        }
        let (tree, places) = ENVIRONMENT.parser().parse_with_source_info(source).map_err(|errors| {
            let first = errors.errors.first();
            let at = first.and_then(|error| offset(source, error.pos));
            let what = first
                .map_or_else(|| text!("it cannot be read", "无法读取"), |error| Text::verbatim(one_line(&error.msg)));
            BadExpression { at, message: text!("this is not valid CEL: {}", "不是有效的 CEL：{}", what) }
        })?;
        let named = names::collect(&tree, &places, related)?;
        let texts = names::texts(&tree).into();
        Ok(Self { source: source.into(), texts, tree: Arc::new(bounded::with_steps(tree)), named: Arc::new(named) })
    }

    /// The text of the expression.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The fields of records that it names.
    pub(crate) fn named(&self) -> &Named {
        &self.named
    }

    /// The texts that it may give, as far as they stand in it.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Works it out.
    ///
    /// # Errors
    /// [`EvaluationFault`] when it asks for what is not there, mixes types, or goes over its limits.
    pub fn evaluate(&self, scope: &Scope, limits: &ExpressionLimits) -> Result<Value, EvaluationFault> {
        let steps = Arc::new(Steps::new(limits, Instant::now()));
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        let own = [("record", &scope.record), ("before", &scope.before), ("change", &scope.change)];
        let related = scope.related.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in own.into_iter().chain(related) {
            let value =
                cel::to_value(value).map_err(|_| fault(text!("a value that CEL cannot hold", "CEL 无法表示的值")))?;
            context.add_variable_from_value(name, value);
        }
        context.add_variable_from_value("now", CelValue::from(scope.now.as_str()));
        bounded::add_functions(&mut context, &steps, scope.links.as_ref())
            .map_err(|_| fault(text!("the functions could not be added", "无法加入函数")))?;
        let found = context.resolve(&self.tree).map_err(|error| steps.spent().unwrap_or_else(|| self.told(&error)))?;
        found.json().map_err(|_| fault(text!("it gives what JSON cannot hold", "结果无法以 JSON 表示")))
    }

    /// The error without its values.
    fn told(&self, error: &ExecutionError) -> EvaluationFault {
        match error {
            ExecutionError::NoSuchKey(key) => {
                // A key may have been worked out of data: only one that stands in the text is shown.
                let message = if self.source.contains(key.as_str()) {
                    text!(
                        "`{key}` is not there: ask with has() before it is used",
                        "没有 `{key}`：使用前请先用 has() 判断"
                    )
                } else {
                    text!("a key is not there: ask with has() before it is used", "没有某个键：使用前请先用 has() 判断")
                };
                EvaluationFault { absent: true, message }
            }
            ExecutionError::IndexOutOfBounds(_) => EvaluationFault {
                absent: true,
                message: text!("a list has no such item: ask for its size() first", "列表没有该项：请先用 size() 判断"),
            },
            ExecutionError::NoSuchOverload(overload) => fault(Text::verbatim(overload.to_string())),
            ExecutionError::UnexpectedType { got, want } => {
                fault(text!("{got} where {want} is wanted", "此处应为 {want}，实际是 {got}"))
            }
            ExecutionError::UndeclaredReference(name) => fault(text!("`{name}` is not known", "未知的名称 `{name}`")),
            ExecutionError::FunctionError { function, .. } => {
                fault(text!("{function}() cannot take this value", "{function}() 不接受此值"))
            }
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                fault(text!("a division by zero", "除以零"))
            }
            ExecutionError::Overflow(operator, ..) => {
                fault(text!("the numbers at `{operator}` are too large", "`{operator}` 处的数字过大"))
            }
            _ => fault(text!("values of types that do not go together", "值的类型不匹配")),
        }
    }
}

fn fault(message: Text) -> EvaluationFault {
    EvaluationFault { absent: false, message }
}

/// From line and column (both from 1) to characters from 0.
fn offset(source: &str, (line, column): (isize, isize)) -> Option<usize> {
    let before = usize::try_from(line - 1).ok()?;
    let lines: usize = source.split('\n').take(before).map(|line| line.chars().count() + 1).sum();
    Some(lines + usize::try_from(column - 1).ok()?)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests;
