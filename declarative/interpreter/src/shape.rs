//! JSON with templates in it: the bodies of requests, and what webhooks are answered.

use serde_json::{Map, Value, json};

use crate::template::{Scope, Template};

/// JSON in which texts may have places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// As it is.
    Value(Value),
    /// A text with places.
    Text(Template),
    /// A list; an item that has nothing is left out.
    List(Vec<Shape>),
    /// An object; a member that has nothing is left out.
    Object(Vec<(String, Shape)>),
    /// A list, or an object with the same member names: one entry for each item of a value.
    Each {
        /// What is gone through.
        of: Template,
        /// Does it become an object?
        members: bool,
        /// What each becomes, with `{each}`.
        entry: Box<Shape>,
    },
}

/// The keys of an object that stands for a list, or for an object with the member names of another.
const EACH: &str = "@each";
const MEMBERS: &str = "@members";

impl Shape {
    /// Reads JSON whose texts are templates.
    ///
    /// # Errors
    /// As [`Template::parse`], with the pointer to the text.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        let within = |at: &str, value: &Value| Self::parse(value).map_err(|why| format!("{at}: {why}"));
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(at, item)| within(&at.to_string(), item));
                Self::List(items.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let of = [EACH, MEMBERS].into_iter().find(|key| members.contains_key(*key));
                let own = members.iter().filter(|(name, _)| Some(name.as_str()) != of);
                let shape = Self::Object(
                    own.map(|(name, value)| Ok((name.clone(), within(name, value)?))).collect::<Result<_, String>>()?,
                );
                match of {
                    None => shape,
                    Some(key) => Self::Each {
                        of: Template::parse(
                            members[key]
                                .as_str()
                                .ok_or_else(|| format!("{key}: expected a place, as {{input/lines}}"))?,
                        )
                        .map_err(|why| format!("{key}: {why}"))?,
                        members: key == MEMBERS,
                        entry: Box::new(shape.alone()),
                    },
                }
            }
            other => Self::Value(other.clone()),
        })
    }

    /// An entry that is one value: `{ "@each" = "…", "@is" = "{each/id}" }`.
    fn alone(self) -> Self {
        match self {
            Self::Object(members) if members.len() == 1 && members[0].0 == "@is" => {
                members.into_iter().next().map_or(Self::Value(Value::Null), |(_, shape)| shape)
            }
            other => other,
        }
    }

    /// Does a place name `{each}` where nothing is gone through?
    #[must_use]
    pub(crate) fn has_stray_each(&self) -> bool {
        let names = |template: &Template| template.places().any(|place| place.root.as_deref() == Some("each"));
        match self {
            Self::Value(_) => false,
            Self::Text(template) => names(template),
            Self::List(items) => items.iter().any(Self::has_stray_each),
            Self::Object(members) => members.iter().any(|(_, shape)| shape.has_stray_each()),
            Self::Each { of, .. } => names(of),
        }
    }

    /// Every template in it.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Value(_) => Vec::new(),
            Self::Text(template) => vec![template],
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, shape)| shape.templates()).collect(),
            Self::Each { of, entry, .. } => std::iter::once(of).chain(entry.templates()).collect(),
        }
    }

    /// The JSON; none where it is a text whose place has nothing.
    ///
    /// # Errors
    /// As [`Template::value`].
    pub(crate) fn value(&self, scope: &Scope) -> Result<Option<Value>, String> {
        Ok(match self {
            Self::Value(value) => Some(value.clone()),
            Self::Text(template) => template.value(scope)?,
            Self::List(items) => {
                let values = items.iter().map(|item| item.value(scope)).collect::<Result<Vec<_>, _>>()?;
                Some(values.into_iter().flatten().collect())
            }
            Self::Object(members) => {
                let mut object = Map::new();
                for (name, shape) in members {
                    if let Some(value) = shape.value(scope)? {
                        object.insert(name.clone(), value);
                    }
                }
                Some(Value::Object(object))
            }
            Self::Each { of, members, entry } => {
                let Some(of) = of.value(scope)? else { return Ok(None) };
                if *members && !of.is_object() {
                    return Err("`@members` goes through an object; expected one, as {each/dimensions}".to_owned());
                }
                let pair = |(key, value): (&String, &Value)| json!({ "key": key, "value": value });
                let items: Vec<Value> = match &of {
                    Value::Array(items) => items.clone(),
                    Value::Object(members) => members.iter().map(pair).collect(),
                    one => vec![one.clone()],
                };
                let mut entries = Vec::with_capacity(items.len());
                for item in items {
                    let mut inner = scope.clone();
                    let key = item["key"].as_str().unwrap_or_default().to_owned();
                    inner.set("each", item);
                    entries.extend(entry.value(&inner)?.map(|value| (key, value)));
                }
                Some(match members {
                    true => Value::Object(entries.into_iter().collect()),
                    false => entries.into_iter().map(|(_, value)| value).collect(),
                })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_body_goes_through_lists_and_members() {
        let mut scope = Scope::default();
        let lines = json!([{ "account": "6601", "side": "DEBIT", "dimensions": { "DEPT": "d1" } }, { "account": "2211", "side": "CREDIT" }]);
        scope.set("input", json!({ "lines": lines }));
        let shape = Shape::parse(&json!({
            "rows": {
                "@each": "{input/lines}",
                "acc": "{each/account}",
                "mark": "{each/side | if 'DEBIT' 'S' 'H'}",
                "dims": { "@members": "{each/dimensions}", "number": "{each/value}" },
                "list": { "@each": "{each/dimensions}", "name": "{each/key}", "code": "{each/value}" },
            },
            "accounts": { "@each": "{input/lines}", "@is": "{each/account}" },
            "none": { "@each": "{input/none}", "x": "{each}" },
        }))
        .unwrap();
        let wanted = json!({
            "rows": [
                { "acc": "6601", "mark": "S", "dims": { "DEPT": { "number": "d1" } }, "list": [{ "name": "DEPT", "code": "d1" }] },
                { "acc": "2211", "mark": "H" },
            ],
            "accounts": ["6601", "2211"],
        });
        assert_eq!(shape.value(&scope).unwrap(), Some(wanted));
        assert!(!shape.has_stray_each());
        assert!(Shape::parse(&json!({ "a": "{each/b}" })).unwrap().has_stray_each());
        assert!(Shape::parse(&json!({ "a": { "@each": ["x"] } })).unwrap_err().contains("@each: expected a place"));
        assert!(Template::parse("{each | if 'x'}").unwrap_err().contains("two or three texts"));
        scope.set("each", json!("other"));
        assert_eq!(Template::parse("{each | if 'DEBIT' 'S'}").unwrap().value(&scope).unwrap(), None);
    }
}
