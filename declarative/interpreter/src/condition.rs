//! What must stand where, for something to count: pointers with the values that each may have.

use serde_json::Value;

use crate::answer::{Node, Wanted};
use crate::pointer::Pointer;
use crate::template::{Scope, Template, text_of};

/// All of its lines must hold. Without lines it always holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    lines: Vec<(Pointer, Vec<Accepted>)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Accepted {
    /// `"*"`: something.
    Something,
    /// `""`: nothing, null or a text of blanks.
    Nothing,
    /// This text or number, in whichever of the two ways the vendor writes it.
    Text(Template),
}

impl Condition {
    /// Reads a table of pointers to a value or a list of values.
    ///
    /// # Errors
    /// What is not a pointer, and values that are neither text, number nor truth value.
    pub fn parse<'v>(table: impl IntoIterator<Item = (&'v String, &'v Value)>) -> Result<Self, String> {
        let mut lines = Vec::new();
        for (pointer, values) in table {
            let values = match values {
                Value::Array(values) => values.iter().map(Accepted::parse).collect::<Result<Vec<_>, _>>()?,
                one => vec![Accepted::parse(one)?],
            };
            lines.push((Pointer::parse(pointer)?, values));
        }
        Ok(Self { lines })
    }

    /// Has it no line?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Notes what it looks at.
    pub fn want(&self, from: &mut Wanted) {
        self.lines.iter().for_each(|(pointer, _)| pointer.want(from).all());
    }

    /// Does it hold? Values with places are filled first; one whose place has nothing fits nothing.
    #[must_use]
    pub fn holds(&self, root: &Node<'_>, scope: &Scope) -> bool {
        self.lines.iter().all(|(pointer, accepted)| {
            let found = pointer.filled(root);
            accepted.iter().any(|accepted| match (accepted, found) {
                (Accepted::Something, found) => found.is_some(),
                (Accepted::Nothing, found) => found.is_none(),
                (Accepted::Text(template), Some(found)) => {
                    let wanted = template.text(scope).ok().flatten();
                    found.scalar().is_some_and(|found| wanted.is_some_and(|wanted| wanted == *found))
                }
                (Accepted::Text(_), None) => false,
            })
        })
    }

    /// Every template in it.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.lines.iter().flat_map(|(_, accepted)| accepted).filter_map(|accepted| match accepted {
            Accepted::Text(template) => Some(template),
            Accepted::Something | Accepted::Nothing => None,
        })
    }
}

impl Accepted {
    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) if text == "*" => Ok(Self::Something),
            Value::String(text) if text.is_empty() => Ok(Self::Nothing),
            Value::String(text) => Ok(Self::Text(Template::parse(text)?)),
            Value::Number(_) | Value::Bool(_) => Ok(Self::Text(Template::parse(&text_of(value))?)),
            _ => Err("expected a text, a number, true or false, or a list of these".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn holds(condition: &Value, answer: &Value) -> bool {
        let condition = Condition::parse(condition.as_object().unwrap()).unwrap();
        condition.holds(&Node::from(answer), &Scope::default())
    }

    #[test]
    fn each_line_must_hold_by_one_of_its_values() {
        let answer = json!({ "errcode": 0, "ok": "true", "data": { "x": "" }, "n": null });
        for good in [
            json!({ "/errcode": 0 }),
            json!({ "/errcode": ["0", 7] }),
            json!({ "/ok": true }),
            json!({ "/data/x": "" }),
            json!({ "/none": "", "/n": "" }),
            json!({ "/errcode": "*" }),
            json!({}),
        ] {
            assert!(holds(&good, &answer), "{good}");
        }
        for bad in [
            json!({ "/errcode": 1 }),
            json!({ "/errcode": 0, "/ok": false }),
            json!({ "/errcode": "" }),
            json!({ "/none": "*" }),
            json!({ "/data": "x" }),
        ] {
            assert!(!holds(&bad, &answer), "{bad}");
        }
    }
}
