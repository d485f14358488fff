//! `docs/contract.md`, made from the WIT: the contract and its page cannot say two things.

use std::fmt::Write as _;
use std::path::Path;

use wit_parser::{Docs, Function, Handle, Resolve, Type, TypeDefKind, TypeId, WorldItem};

/// Set this variable to write the page again.
const WRITE: &str = "RENMEN_UPDATE_DOCS";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap()
}

#[test]
fn the_page_says_what_the_contract_says() {
    let file = root().join("docs/contract.md");
    let page = page();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == page, "docs/contract.md is out of date: run this test with {WRITE}=1");
}

#[test]
fn every_function_is_on_the_page() {
    let page = page();
    for name in [
        "### send-all",
        "### pull",
        "### push",
        "### receive",
        "### check",
        "### now-ms",
        "failure-kind",
        "max-records",
    ] {
        assert!(page.contains(name), "{name} is missing");
    }
}

fn page() -> String {
    let text = std::fs::read_to_string(root().join("plugin-sdk/wit/connector.wit")).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("connector.wit", &text).unwrap();
    let package = &resolve.packages[package];
    let mut page = format!(
        "# The contract\n\nMade from `plugin-sdk/wit/connector.wit`: do not edit it; run the tests of renmen-plugin-host with\n\
         `RENMEN_UPDATE_DOCS=1` instead. How it changes: `plugin-sdk/wit/VERSIONING.md`.\n\n`{}`\n\n{}\n\n",
        package.name,
        said(&package.docs)
    );
    page.push_str("A connector in Rust sees none of this: `renmen-plugin` wraps it. Other languages bind to it as it stands here.\n\n");
    for (name, id) in &package.worlds {
        let world = &resolve.worlds[*id];
        write!(page, "## world {name}\n\n{}\n\n", said(&world.docs)).unwrap();
        for (what, items) in [("imports", &world.imports), ("exports", &world.exports)] {
            let names: Vec<String> = items
                .values()
                .filter_map(|item| match item {
                    WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone(),
                    _ => None,
                })
                .map(|name| format!("[{name}](#{name})"))
                .collect();
            if !names.is_empty() {
                writeln!(page, "- {what}: {}", names.join(", ")).unwrap();
            }
        }
        page.push('\n');
    }
    for (name, id) in &package.interfaces {
        let interface = &resolve.interfaces[*id];
        write!(page, "## {name}\n\n{}\n\n", said(&interface.docs)).unwrap();
        for function in interface.functions.values() {
            function_of(&mut page, &resolve, function);
        }
        for (name, id) in &interface.types {
            type_of(&mut page, &resolve, name, *id);
        }
    }
    page
}

fn function_of(page: &mut String, resolve: &Resolve, function: &Function) {
    let params: Vec<String> =
        function.params.iter().map(|param| format!("{}: {}", param.name, name_of(resolve, &param.ty))).collect();
    let result = function.result.as_ref().map(|ty| format!(" -> {}", name_of(resolve, ty))).unwrap_or_default();
    write!(page, "### {0}\n\n`{0}({1}){result}`\n\n{2}\n\n", function.name, params.join(", "), said(&function.docs))
        .unwrap();
}

fn type_of(page: &mut String, resolve: &Resolve, name: &str, id: TypeId) {
    let definition = &resolve.types[id];
    let rows: Vec<(String, String, String)> = match &definition.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|field| (field.name.clone(), name_of(resolve, &field.ty), said(&field.docs)))
            .collect(),
        TypeDefKind::Enum(cases) => {
            cases.cases.iter().map(|case| (case.name.clone(), String::new(), said(&case.docs))).collect()
        }
        TypeDefKind::Variant(cases) => {
            let of = |ty: &Option<Type>| ty.as_ref().map(|ty| name_of(resolve, ty)).unwrap_or_default();
            cases.cases.iter().map(|case| (case.name.clone(), of(&case.ty), said(&case.docs))).collect()
        }
        // A name from another interface: it stands there.
        _ => return,
    };
    write!(
        page,
        "### {name}\n\n{}\n\n| {} | type | meaning |\n|---|---|---|\n",
        said(&definition.docs),
        definition.kind.as_str()
    )
    .unwrap();
    for (name, ty, meaning) in rows {
        let ty = if ty.is_empty() { ty } else { format!("`{ty}`") };
        writeln!(page, "| `{name}` | {ty} | {meaning} |").unwrap();
    }
    page.push('\n');
}

fn name_of(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else { return primitive(ty).to_owned() };
    let definition = &resolve.types[*id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let part = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), |ty| name_of(resolve, ty));
    match &definition.kind {
        TypeDefKind::Option(of) => format!("option<{}>", name_of(resolve, of)),
        TypeDefKind::List(of) => format!("list<{}>", name_of(resolve, of)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", part(&result.ok), part(&result.err)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(|ty| name_of(resolve, ty)).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Handle(Handle::Own(of) | Handle::Borrow(of)) => {
            resolve.types[*of].name.clone().unwrap_or_default()
        }
        other => other.as_str().to_owned(),
    }
}

fn primitive(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S64 => "s64",
        Type::String => "string",
        // Not in the contract: the page would show it, and a reader would ask.
        _ => "another primitive",
    }
}

fn said(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
