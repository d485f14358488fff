//! From a manifest's conditions to the tables of pointers and values that `mapping.toml` has.

use serde_json::{Map, Value};

use super::jinja::{Expr, Piece, parse, path, pointer};

/// Lines that must all hold.
pub(super) type Lines = Map<String, Value>;

/// Translates a condition on what `root` names (`record`, `response`). `is_truth` tells of a pointer whether true or false stands there.
///
/// # Errors
/// What has no counterpart.
pub(super) fn condition(text: &str, root: &str, is_truth: &dyn Fn(&str) -> bool) -> Result<Lines, String> {
    let pieces: Vec<Piece> = parse(text)?.into_iter().filter(|piece| !is_blank(piece)).collect();
    let [Piece::Expr(expr)] = pieces.as_slice() else { return Err("a condition that is a text".to_owned()) };
    let mut lines = Lines::new();
    Reader { root, is_truth }.add(expr, &mut lines)?;
    Ok(lines)
}

fn is_blank(piece: &Piece) -> bool {
    matches!(piece, Piece::Text(text) if text.trim().is_empty())
}

struct Reader<'r> {
    root: &'r str,
    is_truth: &'r dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn add(&self, expr: &Expr, lines: &mut Lines) -> Result<(), String> {
        if let Expr::Both("and", left, right) = expr {
            self.add(left, lines)?;
            return self.add(right, lines);
        }
        let (at, value) = self.line(expr)?;
        match lines.get(&at) {
            Some(known) if *known != value => Err(format!("two conditions on {at}")),
            _ => {
                lines.insert(at, value);
                Ok(())
            }
        }
    }

    fn line(&self, expr: &Expr) -> Result<(String, Value), String> {
        let line = |at: String, value: Value| Ok((at, value));
        if let Some(at) = self.at(expr) {
            let value = if (self.is_truth)(&at) { Value::Bool(true) } else { "*".into() };
            return line(at, value);
        }
        match expr {
            Expr::Not(of) => self.not(of),
            Expr::Is(of, test) => match (self.at(of), test.as_str()) {
                (Some(at), "none") => line(at, "".into()),
                (Some(at), "defined") => line(at, "*".into()),
                (Some(at), "true") => line(at, true.into()),
                (Some(at), "false") => line(at, false.into()),
                _ => Err(format!("the test `is {test}`")),
            },
            Expr::Both("==", left, right) => {
                let (at, value) = self.sides(left, right)?;
                line(at, value)
            }
            Expr::Both("!=", left, right) => match self.sides(left, right)? {
                (at, Value::String(text)) if text.is_empty() => line(at, "*".into()),
                (at, Value::Bool(truth)) => line(at, Value::Bool(!truth)),
                _ => Err("`!=`".to_owned()),
            },
            Expr::Both("in", left, right) => self.within(left, right, "*"),
            Expr::Both("not in", left, right) => match &**right {
                Expr::List(_) => Err("`not in` a list".to_owned()),
                _ => self.within(left, right, ""),
            },
            Expr::Both("or", left, right) => {
                let ((one, mut values), (other, more)) = (self.line(left)?, self.line(right)?);
                if one != other || [&values, &more].into_iter().any(|value| value == &Value::from("*")) {
                    return Err("`or` between different members".to_owned());
                }
                let mut list: Vec<Value> = Vec::new();
                for value in [values.take(), more] {
                    match value {
                        Value::Array(values) => list.extend(values),
                        one => list.push(one),
                    }
                }
                line(one, list.into())
            }
            Expr::Both(operator, ..) => Err(format!("`{operator}`")),
            Expr::Filter(of, name, _) if name == "length" => self.line(of),
            _ => Err("a condition of another kind".to_owned()),
        }
    }

    fn not(&self, of: &Expr) -> Result<(String, Value), String> {
        if let Some(at) = self.at(of) {
            let value = if (self.is_truth)(&at) { vec![Value::from(""), false.into()] } else { vec!["".into()] };
            return Ok((at, if value.len() == 1 { "".into() } else { value.into() }));
        }
        match of {
            Expr::Is(inner, test) => match (self.at(inner), test.as_str()) {
                (Some(at), "none") => Ok((at, "*".into())),
                (Some(at), "defined") => Ok((at, "".into())),
                (Some(at), "true") => Ok((at, vec![Value::from(""), false.into()].into())),
                (Some(at), "false") => Ok((at, true.into())),
                _ => Err(format!("the test `is not {test}`")),
            },
            _ => Err("`not` before a condition".to_owned()),
        }
    }

    /// `'a' in record` looks for a member, `record.a in ['x', 'y']` for a value.
    fn within(&self, left: &Expr, right: &Expr, member: &str) -> Result<(String, Value), String> {
        match (left, right) {
            (Expr::Text(name), holder) => {
                let holder = self.at_or_root(holder).ok_or("`in` what is not a member")?;
                Ok((format!("{holder}{}", pointer(std::slice::from_ref(name))), member.into()))
            }
            (left, Expr::List(values)) => {
                let at = self.at(left).ok_or("`in` on what is not a member")?;
                let values =
                    values.iter().map(constant).collect::<Option<Vec<_>>>().ok_or("a list of what is not constant")?;
                Ok((at, values.into()))
            }
            _ => Err("`in`".to_owned()),
        }
    }

    fn sides(&self, left: &Expr, right: &Expr) -> Result<(String, Value), String> {
        let sides = [(left, right), (right, left)];
        let found = sides.into_iter().find_map(|(at, value)| Some((self.at(at)?, constant(value)?)));
        found.ok_or_else(|| "a comparison of what is not a member and a constant".to_owned())
    }

    fn at(&self, expr: &Expr) -> Option<String> {
        self.at_or_root(expr).filter(|at| !at.is_empty())
    }

    fn at_or_root(&self, expr: &Expr) -> Option<String> {
        path(expr).filter(|(name, ..)| *name == self.root).map(|(_, members, _)| pointer(&members))
    }
}

fn constant(expr: &Expr) -> Option<Value> {
    Some(match expr {
        // A lone star and braces mean something else in a mapping.
        Expr::Text(text) if text == "*" || text.contains(['{', '}']) => return None,
        Expr::Text(text) => Value::from(text.as_str()),
        Expr::Number(digits) => serde_json::from_str(digits).ok()?,
        Expr::Bool(truth) => (*truth).into(),
        Expr::None => "".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        condition(text, "record", &|at| at == "/live").map(Value::Object)
    }

    #[test]
    fn conditions_become_lines() {
        for (text, wanted) in [
            ("{{ record['a']['b'] == 'x' }}", json!({ "/a/b": "x" })),
            ("{{ record.a in ['x', 2] }}", json!({ "/a": ["x", 2] })),
            ("{{ record.get('a') and not record.b }}", json!({ "/a": "*", "/b": "" })),
            ("{{ record.live }}", json!({ "/live": true })),
            ("{{ not record.live }}", json!({ "/live": ["", false] })),
            ("{{ record.a is not none and record.b is none }}", json!({ "/a": "*", "/b": "" })),
            ("{{ record.a != '' }}", json!({ "/a": "*" })),
            ("{{ 'a' in record }}", json!({ "/a": "*" })),
            ("{{ 'next' not in record['paging'] }}", json!({ "/paging/next": "" })),
            ("{{ record.a == 'x' or record.a == 'y' }}", json!({ "/a": ["x", "y"] })),
            ("{{ record.more is false }}", json!({ "/more": false })),
        ] {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_told() {
        for text in [
            "{{ record.a > 1 }}",
            "{{ record.a == record.b }}",
            "{{ record.a != 'x' }}",
            "{{ record.a or record.b }}",
            "{{ record.a == 1 and record.a == 2 }}",
            "{{ record.a not in ['x'] }}",
            "{{ config.a }}",
            "text",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
