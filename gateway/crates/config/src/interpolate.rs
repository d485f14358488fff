//! Variables in string values: `${NAME}`, `${NAME:-default}`, and `$$` for a dollar sign. Never in keys.

use std::ops::Range;

use renmen_schema::{Text, text};

/// Bytes of a string after its variables are replaced.
pub(crate) const STRING_BYTES_MAX: usize = 64 * 1024;

/// Why a string could not be completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    /// What to look for in the source line, to point at it.
    pub(crate) at: String,
    pub(crate) message: Text,
    pub(crate) help: Text,
}

/// Replaces the variables of one string.
pub(crate) fn complete(raw: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Unresolved> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let (inner, after) = braced(rest)?;
        rest = after;
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        check_name(name)?;
        // As in a shell, `:-` also stands in for a variable that is set to nothing.
        match env(name).filter(|value| default.is_none() || !value.is_empty()) {
            Some(value) => text.push_str(&value),
            None => text.push_str(default.ok_or_else(|| missing(name))?),
        }
        if text.len() > STRING_BYTES_MAX {
            return Err(Unresolved {
                at: format!("${{{name}"),
                message: text!(
                    "the text with `{name}` filled in has more than {STRING_BYTES_MAX} bytes",
                    "代入 `{name}` 后的文本超过 {STRING_BYTES_MAX} 字节"
                ),
                help: text!("name a file instead", "请改为指定文件"),
            });
        }
    }
    text.push_str(rest);
    Ok(text)
}

/// The bytes of `at` within the source of a string, else the whole string.
pub(crate) fn point(source: &str, span: &Range<usize>, at: &str) -> Range<usize> {
    match source.get(span.clone()).and_then(|text| text.find(at)) {
        Some(offset) => span.start + offset..span.start + offset + at.len(),
        None => span.clone(),
    }
}

fn braced(after_dollar: &str) -> Result<(&str, &str), Unresolved> {
    let unclear = |message: Text| Unresolved {
        at: "$".to_owned(),
        message,
        help: text!(
            "write `${{NAME}}` or `${{NAME:-default}}` for a variable, `$$` for a dollar sign",
            "变量请写 `${{NAME}}` 或 `${{NAME:-默认值}}`，美元符号请写 `$$`"
        ),
    };
    let inner = after_dollar
        .strip_prefix('{')
        .ok_or_else(|| unclear(text!("a `$` that begins no variable", "`$` 之后不是变量")))?;
    inner.split_once('}').ok_or_else(|| unclear(text!("a variable whose `}}` is missing", "变量缺少 `}}`")))
}

fn check_name(name: &str) -> Result<(), Unresolved> {
    let begins = name.as_bytes().first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if begins && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(());
    }
    Err(Unresolved {
        at: "${".to_owned(),
        message: text!("the name of a variable is made of letters, digits and `_`", "变量名由字母、数字与 `_` 组成"),
        help: text!("write `${{NAME}}` or `${{NAME:-default}}`", "请写 `${{NAME}}` 或 `${{NAME:-默认值}}`"),
    })
}

fn missing(name: &str) -> Unresolved {
    Unresolved {
        at: format!("${{{name}}}"),
        message: text!("the environment variable `{name}` is not set", "环境变量 `{name}` 未设置"),
        help: text!(
            "set {name} before starting, or give a default: `${{{name}:-…}}`",
            "请在启动前设置 {name}，或给出默认值：`${{{name}:-…}}`"
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("h.example".to_owned()),
            "EMPTY" => Some(String::new()),
            "TRICK" => Some("${HOST} $$".to_owned()),
            "HUGE" => Some("x".repeat(STRING_BYTES_MAX + 1)),
            "FULL" => Some("x".repeat(STRING_BYTES_MAX)),
            _ => None,
        }
    }

    #[test]
    fn variables_defaults_and_dollar_signs_are_replaced() {
        for (raw, want) in [
            ("plain", "plain"),
            ("https://${HOST}/a", "https://h.example/a"),
            ("${ABSENT:-https://d.example:1}/x", "https://d.example:1/x"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("${ABSENT:-}", ""),
            ("5$$ and $${HOST}", "5$ and ${HOST}"),
            ("名${HOST}名", "名h.example名"),
        ] {
            assert_eq!(complete(raw, &env).unwrap(), want, "{raw}");
        }
    }

    #[test]
    fn a_value_is_not_replaced_again() {
        assert_eq!(complete("${TRICK}", &env).unwrap(), "${HOST} $$");
    }

    #[test]
    fn what_cannot_be_replaced_says_why() {
        for (raw, word) in [
            ("${ABSENT}", "ABSENT"),
            ("$HOST", "begins no variable"),
            ("${HOST", "missing"),
            ("${a b}", "letters"),
            ("${}", "letters"),
        ] {
            let error = complete(raw, &env).unwrap_err();
            assert!(error.message.english().contains(word), "{raw}: {}", error.message);
            assert!(!error.help.is_empty());
        }
    }

    #[test]
    fn a_huge_value_is_refused_and_the_largest_is_not() {
        assert!(complete("${FULL}", &env).is_ok());
        assert!(complete("${HUGE}", &env).is_err());
    }
}
