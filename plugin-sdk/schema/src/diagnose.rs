//! Why a body could not be read. Runs only when reading failed, so it may take its time; what it says never holds the value of
//! a field that is PERSONAL or above.

use serde_json::Value;

use crate::check::Defect;
use crate::kind::{Entity, EntityKind};
use crate::pointer::escape;
use crate::trail::{Segment, trailed};
use crate::{Language, Text, text};

/// The codes that the shared types refuse a value with.
const VALUE_CODES: &[&str] =
    &["bad_currency", "bad_date", "bad_decimal", "bad_instant", "bad_language", "duplicate_field", "unknown_code"];

/// Characters of a value or name that are shown.
const SHOWN_MAX: usize = 80;

/// Reads again, this time asking where it stops, and once more for the words in Chinese: serde keeps of an error only its text.
pub(crate) fn parse_defect<E: Entity>(kind: EntityKind, payload: &[u8]) -> Defect {
    let (outcome, trail) = trailed(|| serde_json::from_slice::<E>(payload).map(drop));
    let chinese = Language::Chinese.show(|| serde_json::from_slice::<E>(payload).map(drop));
    let path = pointer(&trail);
    match (outcome, chinese) {
        (Err(english), Err(chinese)) => defect_of(kind, payload, &english, &chinese, path),
        // It could not be read a moment ago: this is not reached.
        _ => {
            Defect { path, code: "not_json", message: text!("a body that could not be read", "无法读取的正文") }
        }
    }
}

/// The part that is the same for every entity.
fn defect_of(
    kind: EntityKind,
    payload: &[u8],
    english: &serde_json::Error,
    chinese: &serde_json::Error,
    path: String,
) -> Defect {
    let why = without_place(english);
    if !english.is_data() {
        let (line, column) = (english.line(), english.column());
        let message = text!(
            "unreadable JSON at line {line}, column {column}: {why}",
            "第 {line} 行第 {column} 列的 JSON 无法读取：{why}"
        );
        return Defect { path, code: "not_json", message };
    }
    let value_code = |error: &str| {
        let (code, message) = error.split_once(": ")?;
        Some((*VALUE_CODES.iter().find(|known| **known == code)?, message.to_owned()))
    };
    if let (Some((code, english)), Some((_, chinese))) = (value_code(&why), value_code(&without_place(chinese))) {
        let expected = Text::kept(english, chinese);
        let message = match shown_value(kind, &path, payload) {
            Some(value) => Text::rendered(|| format!("`{value}`: {expected}")),
            None => expected,
        };
        return Defect { path, code, message };
    }
    explain(path, &why)
}

/// What serde says in English alone, in words of ours.
fn explain(path: String, why: &str) -> Defect {
    if let Some(field) = why.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let message = text!("nothing; this field is required", "缺少内容；此字段必填");
        return Defect { path: format!("{path}/{field}"), code: "missing_field", message };
    }
    if let Some((name, expected)) =
        why.strip_prefix("unknown field `").and_then(|rest| rest.rsplit_once("`, expected "))
    {
        let (name, expected) = (shown_name(name), Text::kept(expected, names_in_chinese(expected)));
        let message = text!("the unknown field {name}; expected {expected}", "未知的字段 {name}；可用的为 {expected}");
        return Defect { path, code: "unknown_field", message };
    }
    if let Some(name) = why.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
        let message = text!("the field {name} twice; expected once", "字段 {name} 出现两次；应只出现一次");
        return Defect { path, code: "duplicate_field", message };
    }
    if let Some((found, expected)) = why.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        let (found, expected) = (json_type(found), expected_type(expected));
        return Defect {
            path,
            code: "wrong_type",
            message: text!("{found}; expected {expected}", "{found}；应为{expected}"),
        };
    }
    // A bad name tells its rule behind the name itself; the name is not repeated.
    if why.contains(" name: use ") {
        let message = text!(
            "a name that cannot be one; use 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter",
            "不是有效的名称；请使用 1 到 63 个字符：a-z、0-9、'-' 与 '_'，以字母开头"
        );
        return Defect { path, code: "bad_name", message };
    }
    let expected = why.strip_prefix("invalid value: ").and_then(|rest| rest.rsplit_once(", expected "));
    let expected =
        expected.map_or_else(|| text!("one of another form", "其他形式的值"), |(_, expected)| expected_type(expected));
    let message =
        text!("a value that this field does not take; expected {expected}", "此字段不接受的值；应为{expected}");
    Defect { path, code: "bad_value", message }
}

/// The text of an error without serde_json's place in the bytes.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn pointer(trail: &[Segment]) -> String {
    let mut pointer = String::new();
    for segment in trail {
        pointer.push('/');
        match segment {
            Segment::Field(name) => pointer.push_str(&escape(name)),
            Segment::Index(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

/// A name is shown when it looks like one: a connector that used a person's data as a key must not leak it here.
fn shown_name(name: &str) -> String {
    let plain = name.len() <= SHOWN_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain { format!("`{name}`") } else { "(not shown)".to_owned() }
}

/// ``one of `a`, `b` `` and `` `a` or `b` `` as a list.
fn names_in_chinese(expected: &str) -> String {
    expected.trim_start_matches("one of ").replace(" or ", "、").replace(", ", "、")
}

/// The JSON type of what serde names with its value: `string "…"`, ``integer `5` ``.
fn json_type(found: &str) -> Text {
    let begins = |word: &str| found.starts_with(word);
    match () {
        () if begins("string") => text!("a string", "字符串"),
        () if begins("integer") || begins("floating point") => text!("a number", "数字"),
        () if begins("boolean") => text!("a boolean", "布尔值"),
        () if begins("null") || begins("unit") => text!("null", "空值 null"),
        () if begins("sequence") => text!("a list", "列表"),
        () if begins("map") => text!("an object", "对象"),
        () => text!("another type", "其他类型"),
    }
}

/// What serde says that it wanted: the names of its own types and those of ours.
fn expected_type(expected: &str) -> Text {
    let chinese = match expected {
        "a string" => "字符串",
        "a boolean" => "布尔值",
        "a sequence" => "列表",
        "a map" | "an object" => "对象",
        "u16" | "u32" | "u64" | "i64" | "usize" => "整数",
        "a time as a JSON string" => "JSON 字符串形式的时间",
        "a date as a JSON string" => "JSON 字符串形式的日期",
        "an ISO 4217 code as a JSON string" => "JSON 字符串形式的 ISO 4217 货币代码",
        "a decimal as a JSON string" => "JSON 字符串形式的小数",
        "a code as a JSON string" | "a code" => "JSON 字符串形式的代码",
        "an object of language tags to texts" => "以语言标签为键的文本对象",
        "UUID string" | "a formatted UUID string" => "UUID 字符串",
        other if other.starts_with("struct ") => "对象",
        _ => "其他形式的值",
    };
    Text::kept(expected, chinese)
}

/// The value itself, where its class allows that.
fn shown_value(kind: EntityKind, path: &str, payload: &[u8]) -> Option<String> {
    if !crate::sensitivity::class_of(kind, path)?.may_be_shown() {
        return None;
    }
    let body: Value = serde_json::from_slice(payload).ok()?;
    let text = body.pointer(path)?.as_str()?;
    Some(text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect())
}
