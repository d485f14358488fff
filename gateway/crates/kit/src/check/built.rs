//! What can be wrong with the component.

use std::path::Path;

use renmen_plugin_host::{HostOptions, Inspection, PluginHost, inspect};

use renmen_schema::manifest::SealUse;

use super::Lints;
use crate::{KitError, component};

/// A Rust connector has 0.1 to 1 MiB, one with an interpreter inside 20; far above the first something is left in that is not
/// needed. Bytes.
const SIZE_NOTED: u64 = 30 << 20;

/// Loads it as a gateway would, without calling anything.
pub(super) async fn check(file: &Path, lints: &mut Lints) -> Result<Option<Inspection>, KitError> {
    check_bytes(component::read(file)?, file, lints).await
}

/// The same of what is in memory; `file` is where it belongs.
pub(super) async fn check_bytes(
    bytes: Vec<u8>,
    file: &Path,
    lints: &mut Lints,
) -> Result<Option<Inspection>, KitError> {
    let shown = file.display().to_string();
    let inspection = match inspect(&bytes) {
        Ok(inspection) => inspection,
        Err(error) => {
            lints.error("component", shown, error.to_string());
            return Ok(None);
        }
    };
    if inspection.bytes > SIZE_NOTED {
        let message =
            format!("{} bytes: build it in release, with `strip = \"debuginfo\"` in its profile", inspection.bytes);
        lints.warning("size", shown.clone(), message);
    }
    for (slot, wish) in &inspection.manifest.slots {
        // What the gateway alone uses is named in the manifest.
        let named_there = wish.seal.is_some_and(|seal| seal.used == SealUse::Host);
        if !named_there && !is_named(&bytes, slot.as_str()) {
            let message = format!(
                "the code never names the slot `{slot}`: take it out, an operator would have to fill it for nothing"
            );
            lints.warning("unused_slot", format!("{shown}: slots.{slot}"), message);
        }
    }
    let host = PluginHost::new(HostOptions { cache_dir: None, dev: true });
    let host = host.map_err(|error| KitError::component(file, error))?;
    if let Err(error) = host.load_bytes(bytes, None).await {
        lints.error("component", shown, error.to_string());
    }
    Ok(Some(inspection))
}

/// Does the name stand anywhere but in the manifest? A slot is a text in the code's data, as its author wrote it.
fn is_named(component: &[u8], name: &str) -> bool {
    let section = renmen_schema::manifest::SECTION.as_bytes();
    let manifest = component.windows(section.len()).rposition(|window| window == section).unwrap_or(component.len());
    component[..manifest].windows(name.len()).any(|window| window == name.as_bytes())
}
