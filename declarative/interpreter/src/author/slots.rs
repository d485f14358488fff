//! Slots that a mapping names: plugin.toml must have them, sealed where the mapping needs a key.

use renmen_schema::id::SlotName;
use renmen_schema::manifest::{Manifest, SealManifest};

use super::within_all;
use crate::faults::Faults;
use crate::language::Document;
use crate::nearest::known;
use crate::record::pseudonym_slots;

pub(super) fn slots(document: &Document, manifest: &Manifest, faults: &mut Faults) {
    let mut look = |keys: &[&str], slot: Option<&String>| {
        if let Some(slot) = slot.filter(|slot| !slot.is_empty()) {
            declared(keys, slot, manifest, faults);
        }
    };
    look(&["api", "slot"], document.api.slot.as_ref());
    for (name, reads) in &document.streams {
        reads.0.iter().for_each(|read| look(&["streams", name, "request", "slot"], read.request.slot.as_ref()));
    }
    for (name, action) in &document.actions {
        look(&["actions", name, "request", "slot"], action.request.slot.as_ref());
    }
    let signature = document.webhook.as_ref().and_then(|hook| hook.signature.as_ref());
    look(&["webhook", "signature", "slot"], signature.map(|signature| &signature.slot));
    for (name, reads) in &document.streams {
        let slots = reads.0.iter().flat_map(|read| &read.records).flat_map(pseudonym_slots);
        slots.for_each(|slot| signing(&["streams", name], &slot, manifest, faults));
    }
    if let Some(hook) = &document.webhook {
        let slots = hook.events.iter().flat_map(|event| &event.records).flat_map(pseudonym_slots);
        slots.for_each(|slot| signing(&["webhook"], &slot, manifest, faults));
    }
}

fn declared(keys: &[&str], slot: &str, manifest: &Manifest, faults: &mut Faults) {
    let names: Vec<&str> = manifest.slots.keys().map(SlotName::as_str).collect();
    if let Err(message) = known(slot, &names, "slot of plugin.toml") {
        within_all(faults, keys, &message);
    }
}

/// A slot by whose key pseudonyms are made.
fn signing(keys: &[&str], slot: &str, manifest: &Manifest, faults: &mut Faults) {
    declared(keys, slot, manifest, faults);
    let found = manifest.slots.iter().find(|(name, _)| name.as_str() == slot).map(|(_, slot)| slot);
    if found.is_some_and(|found| !found.seal.is_some_and(SealManifest::signs)) {
        let message = format!(
            "`pseudonym '{slot}'` needs the slot to be sealed for it: seal = {{ scheme = \"hmac-sha256\", use = \"sign\" }} in plugin.toml"
        );
        within_all(faults, keys, &message);
    }
}
