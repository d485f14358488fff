//! `renmen schema`: the canonical records as JSON Schema, or as a list of fields.

use renmen_schema::{EntityKind, Field, fields, text};
use serde_json::json;

use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(out: Output, entity: Option<&str>, list_fields: bool) -> anyhow::Result<Outcome> {
    let Some(name) = entity else {
        let document: Vec<_> = EntityKind::ALL
            .iter()
            .map(|kind| json!({ "entity": kind.name(), "collection": kind.collection() }))
            .collect();
        let rows =
            EntityKind::ALL.iter().map(|kind| vec![kind.name().to_owned(), format!("/v1/{}", kind.collection())]);
        out.table(&["entity", "read at"], rows, &document)?;
        return Ok(Outcome::Done);
    };
    let kind = EntityKind::from_name(name).or_else(|| EntityKind::from_collection(name)).ok_or_else(|| {
        Usage(text!(
            "there is no entity `{name}`: `renmen schema` lists them",
            "没有实体 `{name}`：`renmen schema` 列出全部实体"
        ))
    })?;
    if !list_fields {
        out.document(&renmen_schema::json_schema(kind))?;
        return Ok(Outcome::Done);
    }
    let head = ["field", "type", "required", "sensitivity", "description"];
    out.fitted_table(&head, &["description", "sensitivity"], fields(kind).iter().map(row), &fields(kind))?;
    Ok(Outcome::Done)
}

fn row(field: &Field) -> Vec<String> {
    let json_type = field.json_type.name();
    let type_shown = match &field.type_name {
        Some(name) => format!("{name} ({json_type})"),
        None => json_type.to_owned(),
    };
    let required = if field.required { "yes" } else { "" };
    let class = field.sensitivity.as_str();
    vec![field.pointer.clone(), type_shown, required.to_owned(), class.to_owned(), first_sentence(&field.description)]
}

fn first_sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn of_a_description_the_first_sentence_is_shown() {
        assert_eq!(first_sentence("What it is. And more of it."), "What it is.");
        assert_eq!(first_sentence("ISO 4217."), "ISO 4217.");
        assert_eq!(first_sentence("One.\nTwo."), "One.");
        assert_eq!(first_sentence(""), "");
    }
}
