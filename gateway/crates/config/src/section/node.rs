//! One value of the file, asked for in a type.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use renmen_schema::{Text, text};
use serde_spanned::Spanned;
use toml::de::DeValue;

use super::{Context, Section};
use crate::{interpolate, quantity};

/// A value with its place.
pub(crate) struct Node<'a> {
    context: &'a Context<'a>,
    value: &'a Spanned<DeValue<'a>>,
    key: String,
    key_span: Range<usize>,
}

/// A string with its variables replaced. Errors show `raw`, which holds nothing of the environment.
pub(crate) struct StringValue {
    pub(crate) value: String,
    pub(crate) raw: String,
}

impl<'a> Node<'a> {
    pub(crate) fn new(
        context: &'a Context<'a>,
        value: &'a Spanned<DeValue<'a>>,
        key: String,
        key_span: Range<usize>,
    ) -> Self {
        Self { context, value, key, key_span }
    }

    /// Notes a problem at the value.
    pub(crate) fn problem(&self, message: Text, help: Text) {
        self.context.note(self.value.span(), &self.key, message, help);
    }

    /// Notes a problem at the key.
    pub(crate) fn problem_at_key(&self, message: Text, help: Text) {
        self.context.note(self.key_span.clone(), &self.key, message, help);
    }

    /// A table.
    pub(crate) fn section(&self) -> Option<Section<'a>> {
        match self.value.get_ref() {
            // The place of `[a.b]` is its name; that of an inline table too, which reads better than the whole braces.
            DeValue::Table(table) => Some(Section::new(self.context, table, self.key.clone(), self.key_span.clone())),
            _ => self.wanted(
                &text!("a table", "表"),
                text!("write `[name]` on a line of its own, or `{{ … }}`", "请单独一行写 `[名称]`，或写 `{{ … }}`"),
            ),
        }
    }

    /// A string with its variables replaced.
    pub(crate) fn text(&self) -> Option<StringValue> {
        let DeValue::String(raw) = self.value.get_ref() else {
            return self.wanted(&text!("a string", "字符串"), text!("put it in quotes", "请加上引号"));
        };
        match interpolate::complete(raw, self.context.env()) {
            Ok(done) => Some(StringValue { value: done, raw: raw.to_string() }),
            Err(why) => {
                let span = interpolate::point(self.context.text(), &self.value.span(), &why.at);
                self.context.note(span, &self.key, why.message, why.help);
                None
            }
        }
    }

    /// A string that is not empty.
    pub(crate) fn filled(&self) -> Option<StringValue> {
        let text = self.text()?;
        if text.value.is_empty() {
            self.problem(
                text!("this is empty", "此处为空"),
                text!("give it a value, or take the key out", "请填写一个值，或删除该配置项"),
            );
            return None;
        }
        Some(text)
    }

    /// A string that `parse` understands; its error says what is expected.
    pub(crate) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, Text>, help: Text) -> Option<T> {
        let text = self.text()?;
        match parse(&text.value) {
            Ok(value) => Some(value),
            Err(why) => {
                self.problem(text!("`{raw}` {why}", "`{raw}` {why}", raw = shorten(&text.raw)), help);
                None
            }
        }
    }

    /// A path, relative to the file.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.filled().map(|text| self.context.path(&text.value))
    }

    /// A name of one of the kinds in `renmen_schema::id`.
    pub(crate) fn named<N: FromStr>(&self) -> Option<N> {
        let like = text!(
            "use 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter",
            "请使用 1 到 63 个字符：a-z、0-9、'-' 与 '_'，以字母开头"
        );
        self.parsed(|text| text.parse().map_err(|_| text!("is not a valid name", "不是有效的名称")), like)
    }

    /// The name of an environment variable: the name, not `${NAME}`.
    pub(crate) fn variable(&self) -> Option<String> {
        let fits = |text: &str| {
            let begins = text.as_bytes().first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
            begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        // Read without replacing variables, and never shown: the secret itself may have been put here.
        let DeValue::String(name) = self.value.get_ref() else {
            return self.wanted(
                &text!("the name of an environment variable", "环境变量的名称"),
                text!("put it in quotes", "请加上引号"),
            );
        };
        if fits(name) {
            return Some(name.to_string());
        }
        self.problem(
            text!("this is not the name of an environment variable", "这不是环境变量的名称"),
            text!("write its name alone, such as \"STAFF_APP\"", "请只写变量名，例如 \"STAFF_APP\""),
        );
        None
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wanted(
                &text!("true or false", "true 或 false"),
                text!("write true or false without quotes", "请写 true 或 false，不加引号"),
            ),
        }
    }

    /// A whole number from 0.
    pub(crate) fn count(&self) -> Option<u64> {
        match self.value.get_ref() {
            DeValue::Integer(number) => match u64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number),
                Err(_) => {
                    self.problem(
                        text!("`{}` is out of range", "`{}` 超出范围", shorten(number.as_str())),
                        text!("write a whole number from 0", "请写 0 以上的整数"),
                    );
                    None
                }
            },
            _ => self.wanted(
                &text!("a whole number", "整数"),
                text!("write a whole number without quotes", "请写整数，不加引号"),
            ),
        }
    }

    /// A number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Integer(_) => self.count().map(|number| number as f64),
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            _ => self.wanted(&text!("a number", "数字"), text!("write a number without quotes", "请写数字，不加引号")),
        }
    }

    /// A duration: `"15m"`.
    pub(crate) fn duration(&self) -> Option<Duration> {
        match self.value.get_ref() {
            DeValue::String(_) => self.parsed(quantity::duration, Text::default()),
            _ => self.wanted(
                &text!("a duration", "时长"),
                text!(
                    "write it with its unit in quotes, such as \"30s\" or \"15m\"",
                    "请连同单位写在引号中，例如 \"30s\" 或 \"15m\""
                ),
            ),
        }
    }

    /// A size: `"64MiB"` or plain bytes.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self.value.get_ref() {
            DeValue::Integer(_) => self.count(),
            DeValue::String(_) => self.parsed(quantity::bytes, Text::default()),
            _ => self.wanted(
                &text!("a size", "字节数"),
                text!("write \"64MiB\", or plain bytes", "请写 \"64MiB\"，或直接写字节数"),
            ),
        }
    }

    /// The values of a list.
    pub(crate) fn list(&self) -> Option<Vec<Node<'a>>> {
        match self.value.get_ref() {
            DeValue::Array(items) => {
                let item = |(number, value): (usize, &'a Spanned<DeValue<'a>>)| {
                    Node::new(self.context, value, format!("{}[{number}]", self.key), value.span())
                };
                Some(items.iter().enumerate().map(item).collect())
            }
            _ => self.wanted(&text!("a list", "列表"), text!("write `[\"…\", \"…\"]`", "请写 `[\"…\", \"…\"]`")),
        }
    }

    /// Anything, as JSON, with the variables of its strings replaced. For what only the plugin understands.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        match self.value.get_ref() {
            DeValue::String(_) => self.text().map(|text| text.value.into()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number.into()),
                Err(_) => self.wanted(
                    &text!("a number of at most 64 bits", "64 位以内的数字"),
                    text!("put it in quotes", "请加上引号"),
                ),
            },
            DeValue::Float(_) => match self.number().and_then(serde_json::Number::from_f64) {
                Some(number) => Some(number.into()),
                None => self.wanted(
                    &text!("a finite number", "有限的数字"),
                    text!("JSON knows no inf and no nan", "JSON 中没有 inf 与 nan"),
                ),
            },
            DeValue::Boolean(flag) => Some((*flag).into()),
            DeValue::Datetime(when) => Some(when.to_string().into()),
            DeValue::Array(_) => {
                // Every item is looked at, so that every problem is told.
                let items: Vec<Option<serde_json::Value>> = self.list()?.iter().map(Node::json).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Into::into)
            }
            DeValue::Table(_) => {
                let items: Vec<Option<(String, serde_json::Value)>> =
                    self.section()?.nodes().map(|(key, node)| Some((key.to_owned(), node.json()?))).collect();
                items.into_iter().collect::<Option<serde_json::Map<_, _>>>().map(Into::into)
            }
        }
    }

    /// `flows.NAME.when`.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Where its key stands.
    pub(crate) fn key_span(&self) -> Range<usize> {
        self.key_span.clone()
    }

    /// Where its value stands.
    pub(crate) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The values of a list, when it is one; nothing is noted when it is not.
    pub(crate) fn as_list(&self) -> Option<Vec<Node<'a>>> {
        matches!(self.value.get_ref(), DeValue::Array(_)).then(|| self.list())?
    }

    /// A table, when it is one; nothing is noted when it is not.
    pub(crate) fn as_table(&self) -> Option<Section<'a>> {
        matches!(self.value.get_ref(), DeValue::Table(_)).then(|| self.section())?
    }

    /// Is it a string? For rules about what must not stand in clear.
    pub(crate) fn is_string(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    fn wanted<T>(&self, what: &Text, help: Text) -> Option<T> {
        let found = match self.value.get_ref() {
            DeValue::String(_) => text!("a string", "字符串"),
            DeValue::Integer(_) => text!("a whole number", "整数"),
            DeValue::Float(_) => text!("a number", "数字"),
            DeValue::Boolean(_) => text!("true or false", "true 或 false"),
            DeValue::Datetime(_) => text!("a date", "日期"),
            DeValue::Array(_) => text!("a list", "列表"),
            DeValue::Table(_) => text!("a table", "表"),
        };
        self.problem(text!("{what} is wanted here, this is {found}", "此处应为{what}，实际是{found}"), help);
        None
    }
}

/// A value within a message.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect::<String>().replace("\\\"", "\"")
}
