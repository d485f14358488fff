//! `seal`: signatures with a slot's key, for a connector to have or to compare. The key stays on the other side of egress, which
//! decides what a slot may be asked for; here it is counted and paid for.
//!
//! Linked by hand rather than from the bindings: hashing is the connector's work done by the host, so it costs the connector's
//! fuel, and the store that holds it is only given here. A long message is hashed a slice at a time, and others get their turn
//! between two slices.

use renmen_egress::{EgressError, SEAL_PARTS_MAX, Seal, Signing};
use renmen_schema::id::SlotName;
use wasmtime::component::Linker;
use wasmtime::{StoreContextMut, Trap};

use super::failure::{failure, told};
use super::http::slot_name;
use crate::bindings::renmen::connector::types::{Failure, FailureKind};
use crate::release::CONTRACT;
use crate::state::CallState;

/// What a byte costs that is hashed, in fuel: a unit is about an instruction, and a slow digest takes some for each byte.
const FUEL_A_BYTE: u64 = 8;
/// What each call costs besides.
const FUEL_A_CALL: u64 = 5_000;
/// Bytes that are hashed before others get their turn: far below a millisecond's worth.
const SLICE: usize = 64 << 10;

type Begin = fn(&Seal, &SlotName) -> Result<Signing, EgressError>;

/// Puts the interface into a linker.
pub(super) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    let mut instance = linker.instance(&format!("renmen:connector/seal@{CONTRACT}"))?;
    instance.func_wrap_async(
        "sign",
        |mut store: StoreContextMut<'_, CallState>, (slot, parts): (String, Vec<Vec<u8>>)| {
            Box::new(async move {
                let made = hash(&mut store, &slot, &parts, Seal::signing).await?;
                Ok((made.map(Signing::finish),))
            })
        },
    )?;
    instance.func_wrap_async(
        "verify",
        |mut store: StoreContextMut<'_, CallState>, (slot, parts, signature): (String, Vec<Vec<u8>>, Vec<u8>)| {
            Box::new(async move {
                let made = hash(&mut store, &slot, &parts, Seal::verifying).await?;
                let matches = made.map(|signing| signing.matches(&signature));
                store.data_mut().signature_matched |= matches.as_ref().is_ok_and(|matches| *matches);
                Ok((matches,))
            })
        },
    )
}

/// Counts the call, charges it, and hashes.
async fn hash(
    store: &mut StoreContextMut<'_, CallState>,
    slot: &str,
    parts: &[Vec<u8>],
    begin: Begin,
) -> wasmtime::Result<Result<Signing, Failure>> {
    store.data_mut().count_seal_call()?;
    charge(store, FUEL_A_CALL)?;
    let mut signing = match begun(store.data_mut(), slot, parts, begin)? {
        Ok(signing) => signing,
        Err(failure) => return Ok(Err(failure)),
    };
    let bytes = parts.iter().map(|part| part.len() as u64).sum::<u64>().saturating_add(signing.key_bytes() as u64);
    store.data_mut().count_sealed(bytes)?;
    charge(store, bytes.saturating_mul(FUEL_A_BYTE))?;
    let mut since_turn = 0;
    for slice in parts.iter().flat_map(|part| part.chunks(SLICE)) {
        signing.update(slice);
        since_turn += slice.len();
        if since_turn >= SLICE {
            since_turn = 0;
            tokio::task::yield_now().await;
        }
    }
    Ok(Ok(signing))
}

fn begun(
    state: &mut CallState,
    slot: &str,
    parts: &[Vec<u8>],
    begin: Begin,
) -> wasmtime::Result<Result<Signing, Failure>> {
    if parts.len() > SEAL_PARTS_MAX {
        let message = format!("{} parts to seal; at most {SEAL_PARTS_MAX}: join them", parts.len());
        return Ok(Err(failure(FailureKind::Internal, Some("bad_request"), message)));
    }
    let slot = match slot_name(slot) {
        Ok(slot) => slot,
        Err(failure) => return Ok(Err(failure)),
    };
    let Some(outside) = &state.outside else {
        let message = "there are no keys while a plugin is being loaded";
        return Ok(Err(failure(FailureKind::NotGranted, None, message)));
    };
    match begin(outside.egress.seal(), &slot) {
        Ok(signing) => Ok(Ok(signing)),
        Err(error) => Ok(Err(told(state, error)?)),
    }
}

/// Takes fuel from the connector for what the host does in its place.
fn charge(store: &mut StoreContextMut<'_, CallState>, fuel: u64) -> wasmtime::Result<()> {
    let left = store.get_fuel()?;
    store.set_fuel(left.saturating_sub(fuel))?;
    if left < fuel { Err(Trap::OutOfFuel.into()) } else { Ok(()) }
}

impl CallState {
    fn count_seal_call(&mut self) -> wasmtime::Result<()> {
        self.seal_calls = self.seal_calls.saturating_add(1);
        let (calls, allowed) = (self.seal_calls, self.limits.seal_calls_max);
        if calls > allowed {
            let message = format!("the connector asked `seal` {calls} times in one call, allowed are {allowed}");
            return Err(self.stop("seal_calls_max", message));
        }
        Ok(())
    }

    /// Bytes of parts and key of one signature, and all of them together.
    fn count_sealed(&mut self, bytes: u64) -> wasmtime::Result<()> {
        let allowed = self.limits.seal_bytes_max;
        if bytes > allowed {
            let message = format!(
                "the connector handed {bytes} bytes to `seal` at once, the key included; allowed are {allowed}"
            );
            return Err(self.stop("seal_bytes_max", message));
        }
        self.sealed_bytes = self.sealed_bytes.saturating_add(bytes);
        let (sealed, allowed) = (self.sealed_bytes, self.limits.hostcall_bytes_max);
        if sealed > allowed {
            let message = format!("the connector handed {sealed} bytes to `seal` in one call, allowed are {allowed}");
            return Err(self.stop("hostcall_bytes_max", message));
        }
        Ok(())
    }
}
