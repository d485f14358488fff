//! What a manifest may not seal: the rules by which no slot can be asked for more than a signature.

use super::check::fault;
use super::{Manifest, ManifestFault, OpenManifest, Place, ProofManifest, SealKind, SealManifest, SealUse, SignedPart};
use crate::id::SlotName;

impl Manifest {
    pub(super) fn check_seals(&self, faults: &mut Vec<ManifestFault>) {
        self.check_sealed_slots(faults);
        self.check_shared_secrets(faults);
        let Some(webhook) = &self.webhook else { return };
        if let Some(proof) = &webhook.proof {
            self.check_proof(proof, faults);
        }
        if webhook.answer.is_some() {
            self.check_answer(faults);
        }
    }

    fn check_sealed_slots(&self, faults: &mut Vec<ManifestFault>) {
        for (name, slot) in &self.slots {
            let Some(seal) = slot.seal else { continue };
            let key = format!("slots.{name}.seal");
            if slot.auth.is_some() {
                let message = "a slot with an auth recipe is never sealed: its secret goes onto requests; \
                               give the key a slot of its own (with same_as, where the vendor signs events with the same secret)";
                fault(faults, &key, message);
            }
            let socket = self.webhook.iter().filter_map(|webhook| webhook.socket.as_ref());
            if socket.into_iter().any(|socket| socket.slot == *name) {
                fault(faults, &key, "the slot that opens webhook.socket is never sealed: its secret is sent there");
            }
            if seal.scheme.kind() != SealKind::Hmac && seal.used != SealUse::Host {
                let scheme = seal.scheme.name();
                let message = format!(
                    "`{scheme}` is for the gateway alone; write use = \"host\" and say under [webhook.proof] what it is for"
                );
                fault(faults, &key, message);
            }
        }
    }

    /// Slots that share a secret by `same_as`.
    fn check_shared_secrets(&self, faults: &mut Vec<ManifestFault>) {
        let owner = |name: &SlotName| self.slots[name].same_as.clone().unwrap_or_else(|| name.clone());
        for (name, slot) in &self.slots {
            let Some(seal) = slot.seal else { continue };
            for (other, beside) in &self.slots {
                if other == name || owner(other) != owner(name) {
                    continue;
                }
                let key = format!("slots.{name}.seal");
                if beside.auth.is_some() && slot.auth.is_none() && !seal.only_checks() {
                    let message = format!(
                        "slot `{other}` has the same secret and an auth recipe: what goes onto requests may only check \
                         HMACs (use = \"verify\" or \"host\")"
                    );
                    fault(faults, &key, message);
                }
                if let Some(beside) = beside.seal.filter(|beside| name < other && !seal.scheme.may_share(beside.scheme))
                {
                    let (one, two) = (seal.scheme.name(), beside.scheme.name());
                    let message = format!(
                        "`{one}` here and `{two}` in slot `{other}` may not stand on one secret; give each a slot of its own"
                    );
                    fault(faults, &key, message);
                }
            }
        }
    }

    /// The seal of a slot that the gateway itself uses.
    fn host_seal(&self, key: &str, slot: &SlotName, faults: &mut Vec<ManifestFault>) -> Option<SealManifest> {
        let Some(found) = self.slots.get(slot) else {
            fault(faults, key, format!("`{slot}` is not a slot; declare it as [slots.{slot}]"));
            return None;
        };
        let seal = found.seal.filter(|seal| seal.used == SealUse::Host);
        if seal.is_none() {
            fault(faults, key, format!("slot `{slot}` is not sealed with use = \"host\""));
        }
        seal
    }

    fn check_proof(&self, proof: &ProofManifest, faults: &mut Vec<ManifestFault>) {
        let key = "webhook.proof.slot";
        let kind = self.host_seal(key, &proof.slot, faults).map(|seal| seal.scheme.kind());
        if kind.is_some_and(|kind| !matches!(kind, SealKind::Hmac | SealKind::Digest | SealKind::SortedDigest)) {
            fault(faults, key, format!("slot `{}` does not hold the key of a signature", proof.slot));
        }
        let mut places: Vec<&Place> = vec![&proof.signature];
        for part in &proof.signed {
            if let SignedPart::TimeMs { at } | SignedPart::TimeS { at } | SignedPart::Nonce { at } = part {
                places.push(at);
            }
        }
        if places.iter().any(|place| match place {
            Place::Query { query } => query.is_empty() || query.iter().any(String::is_empty),
            Place::Header { header } => header.is_empty(),
        }) {
            fault(faults, "webhook.proof", "a place without a name; expected a query parameter or a header");
        }
        let opened = proof.open.as_ref().and_then(|open| self.check_open(open, proof, faults));
        if let Some(kind) = kind {
            check_signed(proof, kind, opened, faults);
        }
    }

    /// Gives the kind of the cipher.
    fn check_open(
        &self,
        open: &OpenManifest,
        proof: &ProofManifest,
        faults: &mut Vec<ManifestFault>,
    ) -> Option<SealKind> {
        let key = "webhook.proof.open";
        let kind = self.host_seal(&format!("{key}.slot"), &open.slot, faults).map(|seal| seal.scheme.kind());
        if kind.is_some_and(|kind| !matches!(kind, SealKind::Cbc | SealKind::CbcKeyIv)) {
            fault(faults, key, format!("slot `{}` does not hold the key of a cipher", open.slot));
        }
        if open.slot == proof.slot {
            fault(faults, key, "the slot that proves; a slot has one scheme, so name another one");
        }
        if let Some(owner) = &open.owner {
            self.check_place_holder(owner, key, faults);
        }
        let mut pointers = vec![&open.cipher];
        if let Some(token) = &open.token {
            let seal = self.host_seal(&format!("{key}.token.slot"), &token.slot, faults);
            if seal.is_some_and(|seal| seal.scheme.kind() != SealKind::Equal) {
                fault(faults, key, format!("slot `{}` is not sealed with `equal`", token.slot));
            }
            if token.at.is_empty() {
                fault(faults, key, "token.at names nothing; expected JSON Pointers");
            }
            pointers.extend(&token.at);
        }
        if let Some(question) = &open.question {
            if kind == Some(SealKind::CbcKeyIv) {
                fault(
                    faults,
                    key,
                    "a cipher whose IV is from the key opens nothing that is not proved: take `question` out",
                );
            }
            if question.when.is_empty() || question.answer.is_empty() {
                fault(faults, key, "question.when and question.answer must each name something");
            }
            pointers.extend(question.when.keys().chain(question.answer.values()));
        }
        for pointer in pointers.into_iter().filter(|pointer| !pointer.starts_with('/')) {
            fault(faults, key, format!("`{pointer}` is not a JSON Pointer; expected one, as /encrypt"));
        }
        kind
    }

    fn check_answer(&self, faults: &mut Vec<ManifestFault>) {
        let key = "webhook.answer";
        let Some(webhook) = &self.webhook else { return };
        let Some(answer) = &webhook.answer else { return };
        let Some(proof) = webhook.proof.as_ref().filter(|proof| proof.open.is_some()) else {
            return fault(faults, key, "there is no [webhook.proof.open] with whose slots an answer could be sealed");
        };
        if proof.signs("body") {
            fault(faults, key, "an answer is signed over key, time, nonce and cipher; [webhook.proof] signs the body");
        }
        let all = answer.body.values().map(String::as_str).collect::<Vec<_>>().concat();
        for needed in ["{cipher}", "{signature}"].into_iter().filter(|needed| !all.contains(needed)) {
            fault(faults, key, format!("no member holds `{needed}`"));
        }
        let known = ["{cipher}", "{signature}", "{time}", "{nonce}"];
        for text in answer.body.values() {
            let rest = known.iter().fold(text.clone(), |rest, place| rest.replace(place, ""));
            if rest.contains(['{', '}']) {
                fault(
                    faults,
                    key,
                    format!("`{text}`: the places are {{cipher}}, {{signature}}, {{time}} and {{nonce}}"),
                );
            }
        }
    }
}

/// The shapes that leave one reading of what was signed; see the section on sealing in the project's security page.
fn check_signed(proof: &ProofManifest, kind: SealKind, opened: Option<SealKind>, faults: &mut Vec<ManifestFault>) {
    let key = "webhook.proof.signed";
    let count = |name: &str| proof.signed.iter().filter(|part| part.name() == name).count();
    for name in ["key", "nonce", "cipher", "body"].into_iter().filter(|name| count(name) > 1) {
        fault(faults, key, format!("`{name}` stands there more than once"));
    }
    if count("time_ms") + count("time_s") > 1 {
        fault(faults, key, "more than one time");
    }
    match (kind == SealKind::Digest, count("key")) {
        (true, 0) => fault(faults, key, "a plain digest proves nothing without the key: say where `key` stands"),
        (false, 1..) => fault(faults, key, "`key` is for sha1 and sha256 alone: this scheme puts the key in itself"),
        _ => {}
    }
    if count("cipher") + count("body") == 0 {
        fault(faults, key, "neither the body nor its cipher text is signed: anybody could change it");
    }
    if count("cipher") > 0 && proof.open.is_none() {
        fault(faults, key, "`cipher` needs [webhook.proof.open]");
    }
    if kind == SealKind::SortedDigest
        && (proof.signed.len() != 3
            || count("nonce") != 1
            || count("cipher") != 1
            || opened != Some(SealKind::CbcKeyIv))
    {
        let message = "sha1-sorted takes one time, one nonce and the cipher text of an aes-256-cbc-key-iv slot: \
                       with other pieces a signature could be read in two ways";
        fault(faults, key, message);
    }
    if opened == Some(SealKind::CbcKeyIv) && count("cipher") == 0 {
        fault(faults, key, "a cipher whose IV is from the key must be signed as a piece of its own: add `cipher`");
    }
}
