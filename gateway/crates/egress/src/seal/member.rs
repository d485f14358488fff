//! One text out of a JSON body that anybody may have sent: read without keeping the rest, however much there is of it, and only where
//! there is one reading. The body must be JSON from its first to its last byte.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The text that the pointer leads to. None where it leads to something else, where a member on the way stands there twice, and
/// for what is not JSON. Pointers lead through objects alone.
pub(super) fn text_at(json: &[u8], pointer: &str) -> Option<String> {
    let path: Vec<String> = pointer.starts_with('/').then(|| renmen_schema::pointer::names(pointer))?;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = Way(&path).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    found
}

/// Is it JSON from its first to its last byte?
pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// What is left of the way; at its end a text is what was looked for.
struct Way<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if self.0.first() != Some(&name) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            if found.is_some() {
                return Err(A::Error::custom("a member that stands there twice"));
            }
            found = Some(members.next_value_seed(Way(&self.0[1..]))?);
        }
        Ok(found.flatten())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_the_pointer_leads_and_nowhere_else() {
        let body = br#" {"a":[1,{"encrypt":"no"}],"x":{"en/c~":"deep","n":null},"encrypt":"y\u0065s","t":true,"f":1.5,"z":{}} "#;
        assert_eq!(text_at(body, "/encrypt").as_deref(), Some("yes"));
        assert_eq!(text_at(body, "/x/en~1c~0").as_deref(), Some("deep"));
        for nowhere in
            ["/a", "/a/1/encrypt", "/x", "/x/n", "/x/none", "/t/encrypt", "/f/encrypt", "/f", "/z", "", "encrypt", "/"]
        {
            assert_eq!(text_at(body, nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn what_has_two_readings_or_is_not_json_to_its_end_has_no_text() {
        for body in [
            &br#"{"encrypt":"a","encrypt":"b"}"#[..],
            br#"{"x":{"encrypt":"a"},"x":{"encrypt":"a"}}"#,
            br#"{"encrypt":"a"}x"#,
            b"{\"encrypt\":\"a\"}\x80",
            br#"{"encrypt":"a""#,
            br#"[{"encrypt":"a"}]"#,
            b"\"encrypt\"",
            b"7",
            b"",
            b"{\"encrypt\":\"\xff\"}",
        ] {
            assert_eq!(text_at(body, "/encrypt").or_else(|| text_at(body, "/x/encrypt")), None, "{body:?}");
        }
        let deep = [b"{\"encrypt\":\"a\",\"x\":".as_slice(), &b"[".repeat(100_000)].concat();
        assert_eq!(text_at(&deep, "/encrypt"), None, "nesting ends somewhere");
    }
}
