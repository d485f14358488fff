//! What is exported and what of it: entities, and the classes of fields that may leave. Without a word nothing personal does.

use std::collections::BTreeSet;

use renmen_schema::{Classes, Column, ColumnKind, EntityKind, Sensitivity, Text, columns, sensitivity, text};
use renmen_store::ContentHash;
use serde_json::{Map, Value};

use crate::table::Format;

/// What an export is made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// In the order of the schema.
    pub entities: Vec<EntityKind>,
    /// Which files.
    pub format: Format,
    /// Classes of fields besides PUBLIC and INTERNAL.
    pub classes: BTreeSet<Sensitivity>,
}

/// Why terms cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTerms(pub Text);

impl Terms {
    /// Of these entities; none: all of them. Classes beyond INTERNAL only as far as they are named.
    ///
    /// # Errors
    /// An entity that only an auditor reads.
    pub fn new(
        entities: &[EntityKind],
        format: Format,
        classes: impl IntoIterator<Item = Sensitivity>,
    ) -> Result<Self, BadTerms> {
        if let Some(kind) = entities.iter().find(|kind| kind.is_for_audits_only()) {
            return Err(BadTerms(text!(
                "{kind} is never exported: a key with the role `auditor` reads it over the API",
                "{kind} 不可导出：请用角色为 `auditor` 的密钥通过 API 读取"
            )));
        }
        let wanted =
            |kind: &&EntityKind| !kind.is_for_audits_only() && (entities.is_empty() || entities.contains(kind));
        let entities = EntityKind::ALL.iter().filter(wanted).copied().collect();
        let always = [Sensitivity::Public, Sensitivity::Internal];
        Ok(Self { entities, format, classes: classes.into_iter().chain(always).collect() })
    }

    /// Eight digits that differ where anything of this does.
    pub(crate) fn mark(&self) -> String {
        let names: Vec<&str> = self.entities.iter().map(|kind| kind.name()).collect();
        let said = format!("{names:?} {:?} {:?} {}", self.format, self.classes, renmen_schema::SCHEMA_VERSION);
        hex::encode(&ContentHash::of(said.as_bytes()).0[..4])
    }

    /// The columns of an entity that may leave.
    pub(crate) fn columns(&self, kind: EntityKind) -> Vec<&'static Column> {
        let classes = sensitivity(kind);
        let may = |column: &&Column| match column.kind {
            ColumnKind::Json => {
                let place = format!("/{}", column.path.join("/"));
                below(classes, &place).any(|class| self.classes.contains(&class))
            }
            _ => self.classes.contains(&column.sensitivity),
        };
        columns(kind).iter().filter(may).collect()
    }

    /// What of the value at a place may leave; none: nothing of it.
    pub(crate) fn cut(&self, kind: EntityKind, place: &mut String, value: &Value) -> Option<Value> {
        let classes = sensitivity(kind);
        if let Some(class) = classes.get(place.as_str()) {
            return self.classes.contains(class).then(|| value.clone());
        }
        match value {
            Value::Object(members) => {
                let mut kept = Map::new();
                for (name, inner) in members {
                    let length = place.len();
                    place.push('/');
                    place.push_str(name);
                    if below(classes, place).next().is_none() {
                        // A member of any name.
                        place.truncate(length);
                        place.push_str("/*");
                    }
                    if let Some(inner) = self.cut(kind, place, inner) {
                        kept.insert(name.clone(), inner);
                    }
                    place.truncate(length);
                }
                Some(Value::Object(kept))
            }
            Value::Array(items) => {
                let length = place.len();
                place.push_str("/*");
                let kept = items.iter().map(|item| self.cut(kind, place, item).unwrap_or(Value::Null)).collect();
                place.truncate(length);
                Some(Value::Array(kept))
            }
            // The schema does not have it, so what it is is not known.
            _ => None,
        }
    }
}

/// The classes at a place and below it.
fn below<'c>(classes: &'c Classes, place: &str) -> impl Iterator<Item = Sensitivity> + use<'c> {
    let (at, inner) = (place.to_owned(), format!("{place}/"));
    let own = classes.get(&at).copied();
    let from = classes.range(inner.clone()..).take_while(move |(pattern, _)| pattern.starts_with(&inner));
    own.into_iter().chain(from.map(|(_, class)| *class))
}
