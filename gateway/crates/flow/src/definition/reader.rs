//! Reading a definition's JSON: every defect is noted with its key, and reading goes on.

use std::time::Duration;

use renmen_schema::{Text, text};
use serde_json::{Map, Value};

use super::Defect;

/// Durations have a whole number and a unit.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// One object of the definition, which knows the keys that were asked for.
pub(super) struct Reader<'v, 'd> {
    object: &'v Map<String, Value>,
    key: String,
    known: Vec<&'static str>,
    pub(super) defects: &'d mut Vec<Defect>,
}

impl<'v, 'd> Reader<'v, 'd> {
    /// `None`, and a defect, for a value that is not an object.
    pub(super) fn of(value: &'v Value, key: &str, defects: &'d mut Vec<Defect>) -> Option<Self> {
        let Value::Object(object) = value else {
            note(
                defects,
                key,
                text!("a table is wanted here, this is {}", "此处应为表，实际是{}", word(value)),
                Text::default(),
            );
            return None;
        };
        Some(Self { object, key: key.to_owned(), known: Vec::new(), defects })
    }

    /// The full key of a name in here.
    pub(super) fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    pub(super) fn get(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn require(&mut self, name: &'static str, help: Text) -> Option<&'v Value> {
        let found = self.get(name);
        if found.is_none() {
            let key = self.key.clone();
            note(self.defects, &key, text!("the key `{name}` is missing", "缺少配置项 `{name}`"), help);
        }
        found
    }

    pub(super) fn note(&mut self, name: &str, message: Text, help: Text) {
        let key = self.path(name);
        note(self.defects, &key, message, help);
    }

    pub(super) fn text(&mut self, name: &'static str, value: &'v Value) -> Option<&'v str> {
        if value.as_str().is_none() {
            self.note(
                name,
                text!("a text is wanted here, this is {}", "此处应为文本，实际是{}", word(value)),
                text!("put it in quotes", "请加上引号"),
            );
        }
        value.as_str()
    }

    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        let Some(value) = self.get(name) else { return default };
        if value.as_bool().is_none() {
            self.note(
                name,
                text!("true or false is wanted here, this is {}", "此处应为 true 或 false，实际是{}", word(value)),
                Text::default(),
            );
        }
        value.as_bool().unwrap_or(default)
    }

    /// A whole number within limits.
    pub(super) fn count(&mut self, name: &'static str, default: u32, most: u32) -> u32 {
        let Some(value) = self.get(name) else { return default };
        match value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|n| (1..=most).contains(n)) {
            Some(number) => number,
            None => {
                self.note(
                    name,
                    text!("a whole number from 1 to {most} is wanted here", "此处应为 1 到 {most} 的整数"),
                    Text::default(),
                );
                default
            }
        }
    }

    /// A duration within limits, such as `"5m"`.
    pub(super) fn duration(&mut self, name: &'static str, least: Duration, most: Duration) -> Option<Duration> {
        let value = self.get(name)?;
        let text = self.text(name, value)?;
        match duration(text) {
            Some(found) if found >= least && found <= most => Some(found),
            Some(_) => {
                self.note(
                    name,
                    text!("from {least:?} to {most:?} are taken", "范围为 {least:?} 到 {most:?}"),
                    Text::default(),
                );
                None
            }
            None => {
                self.note(
                    name,
                    text!("this is not a duration", "不是时长"),
                    text!(
                        "write a whole number with ms, s, m, h or d, such as \"15m\"",
                        "请写整数加 ms、s、m、h 或 d，例如 \"15m\""
                    ),
                );
                None
            }
        }
    }

    /// A list of texts, or one text.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<&'v str> {
        match self.get(name) {
            None => Vec::new(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
                items.iter().filter_map(Value::as_str).collect()
            }
            Some(_) => {
                self.note(
                    name,
                    text!("a list of texts is wanted here", "此处应为文本列表"),
                    text!("write `[\"…\", \"…\"]`", "请写 `[\"…\", \"…\"]`"),
                );
                Vec::new()
            }
        }
    }

    /// Ends the reading: what was never asked for is not known.
    pub(super) fn finish(self) {
        for key in self.object.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let shown: String = key.chars().take(80).collect();
            let path = if self.key.is_empty() { shown.clone() } else { format!("{}.{shown}", self.key) };
            let help = text!("take it out, or use one of: {}", "请删除，或使用其中之一：{}", self.known.join(", "));
            note(self.defects, &path, text!("unknown key `{shown}`", "未知的配置项 `{shown}`"), help);
        }
    }
}

pub(super) fn note(defects: &mut Vec<Defect>, key: &str, message: Text, help: Text) {
    defects.push(Defect { key: key.to_owned(), at: None, message, help });
}

pub(super) fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == text[split..].trim())?;
    number.checked_mul(*factor).map(Duration::from_millis)
}

fn word(value: &Value) -> Text {
    match value {
        Value::Null => text!("nothing", "空值"),
        Value::Bool(_) => text!("true or false", "true 或 false"),
        Value::Number(_) => text!("a number", "数字"),
        Value::String(_) => text!("a text", "文本"),
        Value::Array(_) => text!("a list", "列表"),
        Value::Object(_) => text!("a table", "表"),
    }
}
