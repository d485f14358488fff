//! `docs/manifest.md`, made from the manifest's types: what they say is what an author reads.

use std::fmt::Write as _;
use std::path::Path;

use renmen_schema::manifest::Manifest;
use serde_json::Value;

/// If this variable is set, the page is rewritten.
const WRITE: &str = "RENMEN_UPDATE_DOCS";

#[test]
fn the_page_says_what_the_types_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("docs/manifest.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == page, "docs/manifest.md is out of date: run this test with {WRITE}=1");
}

#[test]
fn every_key_is_on_the_page_with_what_it_means() {
    let page = page();
    for key in ["`name`", "`contract`", "`streams`", "`http`", "`hosts`", "`auth`", "json_token", "`lineage`", "`rate`"]
    {
        assert!(page.contains(key), "{key} is missing");
    }
    let wanting: Vec<&str> = page.lines().filter(|line| line.starts_with("| `") && line.ends_with("|  |")).collect();
    assert!(wanting.is_empty(), "keys without a meaning: {wanting:#?}");
}

fn page() -> String {
    let schema = schemars::schema_for!(Manifest).to_value();
    let mut page = String::from(
        "# The manifest\n\nMade from the types in `plugin-sdk/schema/src/manifest`: do not edit it; run the tests of renmen-schema with\n\
         `RENMEN_UPDATE_DOCS=1` instead.\n\n`plugin.toml` sits next to a connector's `Cargo.toml` and travels inside its component. A key that is not\n\
         known is an error with its line and column; `renmen plugin check` finds the contradictions too. The template\n\
         that `renmen plugin new` writes is an example of the whole.\n\n",
    );
    section(&mut page, "plugin.toml", &schema);
    for (name, shape) in schema["$defs"].as_object().into_iter().flatten() {
        // Names and codes are said where they stand.
        if shape.get("pattern").is_none() {
            section(&mut page, name, shape);
        }
    }
    page
}

fn section(page: &mut String, name: &str, shape: &Value) {
    write!(page, "## {name}\n\n{}\n", text(shape)).unwrap();
    if let Some(cases) = shape["oneOf"].as_array().or(shape["anyOf"].as_array()) {
        write!(page, "\nOne of:\n\n").unwrap();
        for case in cases {
            case_of(page, case);
        }
    } else if let Some(words) = shape["enum"].as_array() {
        write!(
            page,
            "\nOne of {}.\n",
            words.iter().map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", ")
        )
        .unwrap();
    }
    keys(page, shape, None);
    page.push('\n');
}

fn case_of(page: &mut String, case: &Value) {
    let tag = case["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .find_map(|(key, value)| Some((key.clone(), value["const"].as_str()?.to_owned())));
    match (&tag, case["const"].as_str()) {
        (Some((key, word)), _) => {
            writeln!(page, "- `{key} = \"{word}\"`: {}", text(case)).unwrap();
            keys(page, case, Some(key));
        }
        (None, Some(word)) => writeln!(page, "- `{word}`: {}", text(case)).unwrap(),
        (None, None) => {
            writeln!(page, "- {}: {}", kind(case), text(case)).unwrap();
            keys(page, case, None);
        }
    }
}

fn keys(page: &mut String, shape: &Value, tag: Option<&str>) {
    let Some(properties) = shape["properties"].as_object() else { return };
    let required: Vec<&str> = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rows = properties.iter().filter(|(key, _)| Some(key.as_str()) != tag);
    let mut table = String::new();
    for (key, value) in rows {
        let must = if required.contains(&key.as_str()) { "yes" } else { "" };
        writeln!(table, "| `{key}` | {} | {must} | {} |", kind(value), text(value)).unwrap();
    }
    if !table.is_empty() {
        write!(page, "\n| key | value | required | meaning |\n|---|---|---|---|\n{table}\n").unwrap();
    }
}

/// What a value is, with a link where it has a section of its own.
fn kind(value: &Value) -> String {
    if let Some(reference) = value["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return match reference {
            "StreamName" | "SlotName" => "name".to_owned(),
            other => format!("[{other}](#{})", other.to_ascii_lowercase()),
        };
    }
    if let Some(cases) = value["anyOf"].as_array() {
        let cases: Vec<String> = cases.iter().filter(|case| case["type"] != "null").map(kind).collect();
        return cases.join(" or ");
    }
    let types: Vec<&str> = match &value["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => vec![],
    };
    match types.first() {
        Some(&"array") => format!("list of {}", kind(&value["items"])),
        // Names as keys: the schema says so by a pattern.
        Some(&"object") if value["patternProperties"].is_object() => {
            let of = value["patternProperties"].as_object().into_iter().flat_map(|patterns| patterns.values());
            format!("table of {}", of.map(kind).collect::<Vec<_>>().join(" or "))
        }
        Some(&"object") if !value["additionalProperties"].is_null() && value["additionalProperties"] != false => {
            format!("table of {}", kind(&value["additionalProperties"]))
        }
        Some(&"object") => "table".to_owned(),
        Some(&"string") => "text".to_owned(),
        Some(&"integer") => "number".to_owned(),
        Some(&"boolean") => "true or false".to_owned(),
        Some(other) => (*other).to_owned(),
        None => "any value".to_owned(),
    }
}

/// The doc comment in one line.
fn text(value: &Value) -> String {
    let said = value["description"].as_str().unwrap_or_default();
    said.split_whitespace().collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}
