//! Counts what is in a component, before anybody compiles it: a few megabytes can hold what takes a compiler all memory.

use wasmparser::{ComponentType, ElementItems, Parser, Payload};

use super::CompileLimits;

/// What was found so far.
#[derive(Default)]
struct ModuleCounts {
    functions: u64,
    items: u64,
}

/// Refuses a component with more than the limits allow. What cannot be parsed is not this function's business: it was read before.
///
/// # Errors
/// Which limit, what was found and what to do.
pub(super) fn check(bytes: &[u8], limits: &CompileLimits) -> Result<(), String> {
    let mut found = ModuleCounts::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| error.to_string())?;
        if let Payload::CodeSectionEntry(body) = &payload {
            let bytes = body.as_bytes().len() as u64;
            if bytes > limits.function_bytes_max {
                return Err(beyond(
                    "function_bytes_max",
                    &format!("a function of {bytes} bytes"),
                    limits.function_bytes_max,
                ));
            }
        }
        found.functions += functions_of(&payload);
        if found.functions > limits.functions_max {
            let seen = format!("{} functions", found.functions);
            return Err(beyond("functions_max", &seen, limits.functions_max));
        }
        found.items = found.items.saturating_add(items_of(payload).map_err(|error| error.to_string())?);
        if found.items > limits.items_max {
            let seen = format!("{} types, imports, exports, segments and other items", found.items);
            return Err(beyond("items_max", &seen, limits.items_max));
        }
    }
    Ok(())
}

fn beyond(limit: &str, seen: &str, allowed: u64) -> String {
    format!(
        "it has {seen} or more, `plugins.{limit}` allows {allowed}; build a smaller one, or raise the limit if you trust it"
    )
}

fn functions_of(payload: &Payload<'_>) -> u64 {
    match payload {
        Payload::FunctionSection(section) => u64::from(section.count()),
        _ => 0,
    }
}

/// Everything that is listed besides functions.
fn items_of(payload: Payload<'_>) -> wasmparser::Result<u64> {
    let count = match payload {
        Payload::TypeSection(section) => {
            let mut types = 0;
            for group in section {
                types += group?.types().len() as u64;
            }
            return Ok(types);
        }
        Payload::ElementSection(section) => {
            let mut items = 0;
            for element in section {
                items += 1 + match element?.items {
                    ElementItems::Functions(functions) => u64::from(functions.count()),
                    ElementItems::Expressions(_, expressions) => u64::from(expressions.count()),
                };
            }
            return Ok(items);
        }
        Payload::ComponentTypeSection(section) => {
            let mut items = 0;
            for one in section {
                items += 1 + match one? {
                    ComponentType::Component(within) => within.len() as u64,
                    ComponentType::Instance(within) => within.len() as u64,
                    _ => 0,
                };
            }
            return Ok(items);
        }
        Payload::ModuleSection { .. } | Payload::ComponentSection { .. } | Payload::CustomSection(_) => 1,
        Payload::ImportSection(section) => section.into_imports().count() as u32,
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::TagSection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        Payload::CoreTypeSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        _ => 0,
    };
    Ok(u64::from(count))
}
