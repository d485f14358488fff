//! The document as text. A `Value` sorts its members, and a client that is generated from the document takes the first media type
//! of an answer: here JSON comes before every other one.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

const FIRST: &str = "application/json";

pub(super) struct Ordered<'v>(pub(super) &'v Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                let (first, others): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| *name == FIRST);
                for (name, member) in first.into_iter().chain(others) {
                    map.serialize_entry(name, &Ordered(member))?;
                }
                map.end()
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            plain => plain.serialize(serializer),
        }
    }
}
