//! Where each field of each entity comes from: derived from the mapping, so that it is said once.

use std::collections::BTreeMap;

use crate::fields::Origin;
use crate::record::Record;

/// Entity, then canonical pointer, then the vendor's pointers and what was done.
pub(crate) type Lineage = BTreeMap<String, BTreeMap<String, (Vec<String>, Option<String>)>>;

/// Adds the fields of some records.
pub(crate) fn add(records: &[Record], lineage: &mut Lineage) {
    for record in records {
        let fields = lineage.entry(record.entity.clone()).or_default();
        for Origin { to, from, transform } in record.fields.origins() {
            let (known, how) = fields.entry(to).or_default();
            // Several lists that make one entity: each of their pointers counts.
            from.into_iter().for_each(|pointer| {
                if !known.contains(&pointer) {
                    known.push(pointer);
                }
            });
            *how = how.take().or(transform);
        }
    }
}

/// As the tables of a plugin.toml.
pub(crate) fn to_toml(lineage: &Lineage) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = String::new();
    for (entity, fields) in lineage.iter().filter(|(_, fields)| !fields.is_empty()) {
        text.push_str(&format!("\n[lineage.{entity}]\n"));
        for (to, (from, transform)) in fields {
            // A pointer with blanks would be read as two.
            let from = from.iter().filter(|from| !from.contains(' ')).cloned().collect::<Vec<_>>().join(" ");
            let from = if from.is_empty() { "/".to_owned() } else { from };
            match transform {
                None => text.push_str(&format!("{} = {}\n", quoted(to), quoted(&from))),
                Some(how) => text.push_str(&format!(
                    "{} = {{ from = {}, transform = {} }}\n",
                    quoted(to),
                    quoted(&from),
                    quoted(how)
                )),
            }
        }
    }
    text
}
