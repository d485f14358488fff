//! A vendor's answer as a tree that borrows from its bytes and holds only the members that the mapping names: what it does not name is
//! passed over while it is read, as a typed row passes over it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond those.
    Big(u64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// The members that are needed.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Which members are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    whole: bool,
    /// Members of every name are items.
    keyed: bool,
    members: Vec<(String, Wanted)>,
    items: Option<Box<Wanted>>,
}

static EVERYTHING: Wanted = Wanted { whole: true, keyed: false, members: Vec::new(), items: None };

impl Wanted {
    /// All that is here.
    pub fn all(&mut self) {
        self.whole = true;
    }

    /// The member of this name; a number is an item of a list as well.
    pub fn member(&mut self, name: &str) -> &mut Self {
        if name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() {
            return self.item();
        }
        let at = self.members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.members.push((name.to_owned(), Self::default()));
            self.members.len() - 1
        });
        &mut self.members[at].1
    }

    /// Every item of a list.
    pub fn item(&mut self) -> &mut Self {
        self.items.get_or_insert_default()
    }

    /// Every member of an object that stands for a list.
    pub fn each_member(&mut self) -> &mut Self {
        self.keyed = true;
        self.item()
    }

    fn of_member(&self, name: &str) -> Option<&Self> {
        let by_name = self.members.iter().find(|(known, _)| known == name).map(|(_, wanted)| wanted);
        // A member that is an item, and is named besides, is kept whole.
        if self.whole || self.keyed && by_name.is_some() {
            return Some(&EVERYTHING);
        }
        // An object with members that are named by numbers, or that stand for the items of a list.
        let is_item = self.keyed || name.bytes().all(|byte| byte.is_ascii_digit());
        by_name.or_else(|| self.items.as_deref().filter(|_| is_item))
    }

    fn of_item(&self) -> Option<&Self> {
        if self.whole { Some(&EVERYTHING) } else { self.items.as_deref() }
    }
}

impl<'a> Node<'a> {
    /// Reads JSON as far as it is wanted.
    ///
    /// # Errors
    /// What is not JSON.
    pub fn read(json: &'a str, wanted: &Wanted) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let node = Seed(wanted).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(node)
    }

    /// The member of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }

    /// The text of a text, number or truth value.
    #[must_use]
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Text(text) => Cow::Borrowed(&**text),
            Self::Int(number) => number.to_string().into(),
            Self::Big(number) => number.to_string().into(),
            Self::Float(number) => number.to_string().into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Null | Self::List(_) | Self::Object(_) => return None,
        })
    }

    /// Is it null, or a text of blanks?
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// For messages: the type, never the value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Big(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// As JSON of its own.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => (*truth).into(),
            Self::Int(number) => (*number).into(),
            Self::Big(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Text(text) => (&**text).into(),
            Self::List(items) => items.iter().map(Self::value).collect(),
            Self::Object(members) => {
                Value::Object(members.iter().map(|(name, node)| (name.to_string(), node.value())).collect())
            }
        }
    }
}

impl From<&Value> for Node<'static> {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Self::Int(number),
                (None, Some(number)) => Self::Big(number),
                (None, None) => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Self::Text(text.clone().into()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.clone().into(), value.into())).collect())
            }
        }
    }
}

struct Seed<'w>(&'w Wanted);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(number).map_or(Node::Big(number), Node::Int))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        match self.0.of_item() {
            Some(wanted) => {
                while let Some(item) = list.next_element_seed(Seed(wanted))? {
                    items.push(item);
                }
            }
            None => while list.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members = Vec::with_capacity(self.0.members.len());
        while let Some(name) = map.next_key_seed(Name)? {
            match self.0.of_member(&name) {
                Some(wanted) => members.push((name, map.next_value_seed(Seed(wanted))?)),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Node::Object(members))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The bytes of one item of a list as the vendor wrote them, for a person who looks at what was refused. `names` lead to the list, whose
/// JSON was read before.
#[must_use]
pub fn raw_item(json: &str, names: &[String], index: usize) -> Vec<u8> {
    let items: Vec<&RawValue> =
        raw_at(json, names).and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    items.get(index).map_or_else(Vec::new, |item| item.get().as_bytes().to_vec())
}

/// The text of the member that these names lead to, as the vendor wrote it.
#[must_use]
pub fn raw_at<'j>(json: &'j str, names: &[String]) -> Option<&'j str> {
    names.iter().try_fold(json, |at, name| {
        let members: BTreeMap<Cow<'_, str>, &'j RawValue> = serde_json::from_str(at).ok()?;
        members.get(name.as_str()).map(|member| member.get())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_is_wanted_is_kept_and_numbers_stay_exact() {
        let mut wanted = Wanted::default();
        let row = wanted.member("data").item();
        row.member("id").all();
        row.member("pay").all();
        let json = r#"{"data":[{"id":9007199254740993,"pay":61234.56,"note":{"x":[1,2]}}],"more":true}"#;
        let node = Node::read(json, &wanted).unwrap();
        assert_eq!(node.value(), serde_json::json!({"data":[{"id":9_007_199_254_740_993_i64,"pay":61234.56}]}));
    }

    #[test]
    fn the_bytes_of_an_item_are_the_vendors_own() {
        let json = r#"{"a":{"b":[ {"id" : 1 }, 7 ]}}"#;
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(raw_item(json, &names, 0), br#"{"id" : 1 }"#);
        assert!(raw_item(json, &names, 5).is_empty() && raw_item(json, &["x".to_owned()], 0).is_empty());
        assert_eq!(raw_at(r#"{"a":{"7":{"id" : 1 }}}"#, &["a".to_owned(), "7".to_owned()]), Some(r#"{"id" : 1 }"#));
        assert_eq!(raw_at(json, &["a".to_owned(), "7".to_owned()]), None);
    }

    #[test]
    fn of_an_object_that_stands_for_a_list_every_member_is_kept_as_far_as_an_item_is_wanted() {
        let mut wanted = Wanted::default();
        wanted.member("code").all();
        wanted.each_member().member("id").all();
        let json = r#"{"7":{"id":1,"note":"x"},"k-9":{"id":2,"note":"x"},"code":{"id":3,"note":"x"}}"#;
        let kept = serde_json::json!({"7":{"id":1},"k-9":{"id":2},"code":{"id":3,"note":"x"}});
        assert_eq!(Node::read(json, &wanted).unwrap().value(), kept, "what is named besides is kept whole");
    }
}
