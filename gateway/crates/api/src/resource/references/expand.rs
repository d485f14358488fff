//! `expand`: which references of the records of an answer are followed.

use std::collections::BTreeSet;

use renmen_schema::{EntityKind, Language, Text, ref_places, text};

use crate::params::Params;
use crate::problem::Problem;

/// Every one of them.
const ALL: &str = "all";
/// Characters of the parameter: more than all names of an entity have together.
const CHARS_MAX: usize = 2_000;

/// Names of references: those of [`RefPlace`](renmen_schema::RefPlace).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expand(BTreeSet<&'static str>);

impl Expand {
    /// Every reference of records of a kind.
    #[must_use]
    pub fn all(kind: EntityKind) -> Self {
        Self(ref_places(kind).iter().map(|place| place.name.as_str()).collect())
    }

    /// Some of them, separated by commas, or `all`.
    ///
    /// # Errors
    /// What is expected instead: the names.
    pub fn of(kind: EntityKind, names: &str) -> Result<Self, Text> {
        let mut found = BTreeSet::new();
        for name in names.split(',') {
            match ref_places(kind).iter().find(|place| place.name == name) {
                Some(place) if !found.contains(place.name.as_str()) => _ = found.insert(place.name.as_str()),
                _ if name == ALL => return Ok(Self::all(kind)),
                _ => return Err(expected(kind)),
            }
        }
        Ok(Self(found))
    }

    /// Is this one of them?
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Nothing is followed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn expected(kind: EntityKind) -> Text {
    let names: Vec<&str> = ref_places(kind).iter().map(|place| place.name.as_str()).collect();
    let (quoted, quoted_zh) = (names.join("`, `"), names.join("`、`"));
    text!(
        "`{ALL}` or some of `{quoted}`, each once, separated by commas",
        "`{ALL}`，或 `{quoted_zh}` 中的一个或多个（每个一次，用逗号分隔）"
    )
}

/// The parameter.
pub(crate) fn asked(kind: EntityKind, params: &mut Params) -> Result<Expand, Problem> {
    let Some(names) = params.text_of("expand", CHARS_MAX)? else { return Ok(Expand::default()) };
    Expand::of(kind, &names)
        .map_err(|expected| Problem::parameter("expand", expected.english(), expected.in_language(Language::Chinese)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_of_the_entity_each_once_or_all() {
        let of = |names| Expand::of(EntityKind::Application, names);
        assert!(of("candidate").unwrap().has("candidate") && !of("candidate").unwrap().has("job"));
        assert_eq!(of("candidate,job").unwrap(), of("job,candidate").unwrap());
        assert_eq!(of("all").unwrap(), Expand::all(EntityKind::Application));
        assert_eq!(of("job,all").unwrap(), Expand::all(EntityKind::Application));
        for wrong in ["", "candidates", "candidate,candidate", "candidate,", "/candidate", "ALL"] {
            let told = of(wrong).unwrap_err();
            let names = "`all` or some of `candidate`, `data_policy.consent`, `job`, each once, separated by commas";
            assert_eq!(told.english(), names, "{wrong}");
        }
    }
}
