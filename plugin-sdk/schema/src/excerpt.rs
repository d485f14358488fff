//! The parts of a body that pointer patterns lead to, read without keeping the rest: of a long body that is asked for three members,
//! most bytes are only passed over. It takes half the time of reading it whole.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Where pointer patterns lead to.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// A pattern ends here: everything below is read.
    whole: bool,
    named: Vec<(String, Paths)>,
    /// By `*`: each item of a list and each member of a map.
    each: Option<Box<Paths>>,
}

/// What is read where one pattern names a member and another means each.
static WHOLE: Paths = Paths { whole: true, named: Vec::new(), each: None };

impl Paths {
    /// Adds a pattern.
    pub(crate) fn add(&mut self, pattern: &str) {
        let Some(rest) = pattern.strip_prefix('/') else {
            self.whole = true;
            return;
        };
        let (member, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if member == "*" {
            return self.each.get_or_insert_default().add(rest);
        }
        let at = self.named.iter().position(|(name, _)| name == member).unwrap_or_else(|| {
            self.named.push((member.to_owned(), Self::default()));
            self.named.len() - 1
        });
        self.named[at].1.add(rest);
    }

    fn member(&self, member: &str) -> Option<&Self> {
        let named = self.named.iter().find(|(name, _)| name == member).map(|(_, paths)| paths);
        match (named, &self.each) {
            (Some(_), Some(_)) => Some(&WHOLE),
            (named, each) => named.or(each.as_deref()),
        }
    }
}

/// A body with nothing in it but what the patterns lead to. None for what is not JSON, as far as it was read.
pub(crate) fn excerpt(body: &[u8], paths: &Paths) -> Option<Value> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = Excerpt(paths).deserialize(&mut json).ok()?;
    json.end().ok().map(|()| value)
}

struct Excerpt<'p>(&'p Paths);

impl<'de> DeserializeSeed<'de> for Excerpt<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        if self.0.whole { serde::Deserialize::deserialize(json) } else { json.deserialize_any(self) }
    }
}

/// A text, a number or nothing has no members: no pattern leads on from it.
impl<'de> Visitor<'de> for Excerpt<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        match &self.0.each {
            Some(paths) => {
                while let Some(item) = items.next_element_seed(Excerpt(paths))? {
                    kept.push(item);
                }
            }
            None => while items.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(member) = members.next_key_seed(Member(self.0))? {
            match member {
                Some((name, paths)) => {
                    kept.insert(name, members.next_value_seed(Excerpt(paths))?);
                }
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

/// The name of a member that a pattern leads to. Another one is not even copied.
struct Member<'p>(&'p Paths);

impl<'de, 'p> DeserializeSeed<'de> for Member<'p> {
    type Value = Option<(String, &'p Paths)>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'p> Visitor<'_> for Member<'p> {
    type Value = Option<(String, &'p Paths)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.member(name).map(|paths| (name.to_owned(), paths)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
    use serde_json::json;

    use super::*;
    use crate::refers::each;

    const PATTERNS: [&str; 6] = ["/a", "/b/c", "/b/*/a", "/c/*/b", "/c/*/*", "/a/b/c"];

    fn found(body: &Value, patterns: &[&str]) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for pattern in patterns {
            each(body, pattern, &mut String::new(), &mut |pointer, value| {
                found.push((pointer.to_owned(), value.clone()));
            });
        }
        found
    }

    fn paths(patterns: &[&str]) -> Paths {
        let mut paths = Paths::default();
        patterns.iter().for_each(|pattern| paths.add(pattern));
        paths
    }

    fn body() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            "[a-c\"\\\\é]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[a-d]|é\"", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn patterns_find_in_an_excerpt_what_they_find_in_the_body(body in body(), chosen in any::<u8>()) {
            let patterns: Vec<&str> =
                PATTERNS.into_iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, p)| p).collect();
            let short = excerpt(body.to_string().as_bytes(), &paths(&patterns)).unwrap();
            prop_assert_eq!(found(&short, &patterns), found(&body, &patterns));
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_not_a_body_are_read_without_a_panic(
            bytes in proptest::collection::vec(prop_oneof![
                any::<u8>(), Just(b'"'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b','), Just(b':'), Just(b'\\'), Just(b'a'),
            ], 0..40),
        ) {
            let _ = excerpt(&bytes, &paths(&PATTERNS));
            let _ = excerpt(&[b"{\"b\":", bytes.as_slice()].concat(), &paths(&PATTERNS));
        }
    }

    #[test]
    fn what_no_pattern_leads_to_is_left_out_and_what_is_not_json_is_nothing() {
        let body = json!({ "a": { "b": 1, "x": 2 }, "b": [{ "c": 3 }], "y": "long" });
        assert_eq!(
            excerpt(body.to_string().as_bytes(), &paths(&["/a/b", "/b/*/d"])),
            Some(json!({
                "a": { "b": 1 }, "b": [{}]
            }))
        );
        for bad in [&b"{"[..], b"{\"a\":1} 2", b"{\"a\"", b"{\"a\":\"\\\"}", b"[[1}", b"{\"a\":tru}", b""] {
            assert_eq!(excerpt(bad, &paths(&["/a"])), None);
        }
    }
}
