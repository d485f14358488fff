//! `seal`: cryptography with a slot's key. The key stays on the other side of egress.

use renmen_egress::{EgressError, Part as EgressPart, Seal};
use renmen_schema::id::SlotName;

use super::failure::{failure, told};
use super::http::slot_name;
use crate::bindings::renmen::connector::seal::{Host, Part};
use crate::bindings::renmen::connector::types::{Failure, FailureKind};
use crate::state::CallState;

/// What a call to `seal` costs at least, in bytes: it burns host time that fuel does not see.
const CALL_BYTES_MIN: u64 = 1 << 10;

impl Host for CallState {
    fn sign(&mut self, slot: String, scheme: String, parts: Vec<Part>) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        let (bytes, parts) = for_egress(parts);
        self.seal(&slot, bytes, |seal, slot| seal.sign(slot, &scheme, &parts))
    }

    fn verify(
        &mut self,
        slot: String,
        scheme: String,
        parts: Vec<Part>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, Failure>> {
        let (bytes, parts) = for_egress(parts);
        self.seal(&slot, bytes, |seal, slot| seal.verify(slot, &scheme, &parts, &signature))
    }

    fn encrypt(&mut self, slot: String, scheme: String, plain: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        self.seal(&slot, plain.len(), |seal, slot| seal.encrypt(slot, &scheme, &plain))
    }

    fn decrypt(&mut self, slot: String, scheme: String, cipher: Vec<u8>) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        self.seal(&slot, cipher.len(), |seal, slot| seal.decrypt(slot, &scheme, &cipher))
    }
}

impl CallState {
    fn seal<T>(
        &mut self,
        slot: &str,
        bytes: usize,
        work: impl FnOnce(&Seal, &SlotName) -> Result<T, EgressError>,
    ) -> wasmtime::Result<Result<T, Failure>> {
        self.sealed_bytes = self.sealed_bytes.saturating_add((bytes as u64).max(CALL_BYTES_MIN));
        if self.sealed_bytes > self.limits.hostcall_bytes_max {
            let (sealed, allowed) = (self.sealed_bytes, self.limits.hostcall_bytes_max);
            let message = format!("the connector handed {sealed} bytes to `seal` in one call, allowed are {allowed}");
            return Err(self.stop("hostcall_bytes_max", message));
        }
        let slot = match slot_name(slot) {
            Ok(slot) => slot,
            Err(failure) => return Ok(Err(failure)),
        };
        let Some(outside) = &self.outside else {
            let message = "there are no keys while a plugin is being loaded";
            return Ok(Err(failure(FailureKind::NotGranted, None, message)));
        };
        match work(outside.egress.seal(), &slot) {
            Ok(done) => Ok(Ok(done)),
            Err(error) => Ok(Err(told(self, error)?)),
        }
    }
}

/// The parts with the sum of their bytes.
fn for_egress(parts: Vec<Part>) -> (usize, Vec<EgressPart>) {
    let mut bytes = 0;
    let parts = parts
        .into_iter()
        .map(|part| match part {
            Part::Bytes(part) => {
                bytes += part.len();
                EgressPart::Bytes(part)
            }
            Part::Key => EgressPart::Key,
        })
        .collect();
    (bytes, parts)
}
