//! What can be wrong with a connector without code: its mapping, and the component that the two files make now.

use std::collections::BTreeSet;
use std::path::Path;

use renmen_declarative::author::Wrong;
use renmen_plugin_host::Inspection;
use renmen_schema::manifest::Manifest;

use super::{Lints, built, exchanges, sheet};
use crate::declared::{Declared, Mapping};
use crate::{KitError, component};

/// Checks the folder; `text` is that of its `plugin.toml`, which `manifest` was read of. The component is made once more and written nowhere, so
/// that what is checked is what the files say.
pub(super) async fn check(
    folder: &Path,
    text: &str,
    manifest: Manifest,
    lints: &mut Lints,
) -> Result<Option<Inspection>, KitError> {
    let file = folder.join("plugin.toml");
    let place = |key: &str| sheet::place(&file, text, key);
    exchanges::check(&folder.join("fixtures"), &manifest, exchanges::Named::Freely, lints);
    let Mapping { file: mapping, read, .. } = Mapping::read(folder, &manifest)?;
    let at = |wrong: &Wrong| match wrong.key.as_str() {
        "" => format!("{}:{}:{}", mapping.display(), wrong.line, wrong.column),
        key => format!("{}:{}:{}: {key}", mapping.display(), wrong.line, wrong.column),
    };
    let checked = match read {
        Ok(checked) => checked,
        Err(wrong) => {
            // What the mapping would add to it is not known.
            sheet::check(&manifest, &place, lints);
            lints.0.retain(|lint| lint.code != "no_lineage");
            wrong.iter().for_each(|wrong| lints.error("mapping", at(wrong), &wrong.message));
            return Ok(None);
        }
    };
    checked.warnings.iter().for_each(|wrong| lints.warning("mapping", at(wrong), &wrong.message));
    unused_config(&manifest, text, &checked.config_keys, &place, lints);
    let declared = Declared { sheet: file.clone(), text: text.to_owned(), manifest, checked };
    let made = declared.made()?;
    match Manifest::parse(&made.manifest) {
        Ok(whole) => sheet::check(&whole, &place, lints),
        Err(error) => lints.error("manifest", mapping.display().to_string(), format!("its lineage: {}", error.message)),
    }
    let (bytes, _) = match component::joined(&made.module, &made.manifest, &file) {
        Ok(joined) => joined,
        Err(error) => {
            lints.error("component", folder.display().to_string(), error.to_string());
            return Ok(None);
        }
    };
    let out = folder.join(format!("{}.wasm", declared.manifest.name));
    if out.is_file() && component::read(&out)? != bytes {
        let hint = "it was built of other files than those that lie here: run `renmen plugin build`";
        lints.warning("stale", out.display().to_string(), hint);
    }
    built::check_bytes(bytes, &out, lints).await
}

/// A key that an operator would set for nothing.
fn unused_config(
    manifest: &Manifest,
    text: &str,
    named: &BTreeSet<String>,
    place: &dyn Fn(&str) -> String,
    lints: &mut Lints,
) {
    let properties = manifest.config_schema.as_ref().and_then(|schema| schema.get("properties"));
    for name in properties.and_then(serde_json::Value::as_object).into_iter().flatten().map(|(name, _)| name) {
        let in_manifest = text.contains(&format!("{{{name}}}")) || text.contains(&format!("{{config/{name}}}"));
        if !named.contains(name) && !in_manifest {
            let message = format!("nothing uses `{name}`: write {{config/{name}}} where it belongs, or take it out");
            lints.warning("unused_config", place(&format!("config_schema.properties.{name}")), message);
        }
    }
}
