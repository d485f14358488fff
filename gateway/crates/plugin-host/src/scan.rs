//! Finds secrets in what a guest hands over. A connector never sees a secret; this is for a secret that a vendor sent
//! it in some disguise, and for one that was written into its configuration.
//!
//! A record is refused alone, without its bytes: what carries one form of a secret may carry others. What a run goes on
//! from, or what is sent outside (a cursor, a receipt, an answer), cannot be refused alone: it fails the call.

use renmen_egress::{FoundSecret, Scanner};

use crate::bindings::renmen::connector::types;
use crate::convert;
use crate::failure::CallError;
use crate::guest_text::MESSAGE_BYTES_MAX;
use crate::page::{Envelope, Reject};
use crate::state::CallState;
use crate::usage::Usage;

/// The code of what was refused here.
pub(crate) const CARRIES_SECRET: &str = "carries_secret";

/// Fails the call when a secret stands in one of the texts.
///
/// # Errors
/// [`CallError::Failure`] naming whose secret it is, and not the text.
pub(crate) fn told<'t>(
    state: &CallState,
    what: &str,
    texts: impl IntoIterator<Item = &'t [u8]>,
    usage: &Usage,
) -> Result<(), CallError> {
    match texts.into_iter().find_map(|text| state.secret_in(text)) {
        None => Ok(()),
        Some(found) => Err(CallError::unusable(CARRIES_SECRET, format!("{what} carries {found}"), usage.clone())),
    }
}

/// The records of a page, and its rejects with the records that were refused here.
pub(crate) fn items(
    state: &CallState,
    records: Vec<types::Envelope>,
    rejects: Vec<types::Reject>,
) -> (Vec<Envelope>, Vec<Reject>) {
    let mut scanner = state.outside.as_ref().map(|outside| outside.egress.scanner());
    let mut find = |bytes: &[u8]| scanner.as_mut().and_then(|scanner: &mut Scanner<'_>| scanner.find(bytes));
    let mut refused = Vec::new();
    let mut kept = Vec::with_capacity(records.len());
    for record in records {
        match of_record(&record, &mut find) {
            None => kept.push(convert::envelope(record)),
            Some(carrier) => refused.push(carrier.refuse(record.exchange, &mut find)),
        }
    }
    let rejects = rejects.into_iter().map(|reject| of_reject(state, reject, &mut find)).chain(refused).collect();
    (kept, rejects)
}

/// Where a secret was found, with the ids that may be told if they hold none.
struct Carrier {
    place: &'static str,
    found: FoundSecret,
    entity: String,
    external_id: Option<String>,
    pointer: String,
}

impl Carrier {
    fn refuse(self, exchange: u32, find: &mut impl FnMut(&[u8]) -> Option<FoundSecret>) -> Reject {
        let Self { place, found, entity, external_id, pointer } = self;
        let mut clean = |text: &String| find(text.as_bytes()).is_none();
        Reject {
            entity: if clean(&entity) { entity } else { String::new() },
            external_id: external_id.filter(&mut clean),
            exchange,
            pointer: if clean(&pointer) { pointer } else { String::new() },
            reason: format!("the {place} carries {found}; nothing of it was kept"),
            raw: Vec::new(),
            code: CARRIES_SECRET,
        }
    }
}

fn of_record(record: &types::Envelope, find: &mut impl FnMut(&[u8]) -> Option<FoundSecret>) -> Option<Carrier> {
    let places = [
        ("payload", record.payload.as_slice()),
        ("external id", record.external_id.as_bytes()),
        ("pointer", record.pointer.as_bytes()),
        ("entity", record.entity.as_bytes()),
    ];
    let (place, found) = places.into_iter().find_map(|(place, bytes)| Some((place, find(bytes)?)))?;
    Some(Carrier {
        place,
        found,
        entity: record.entity.clone(),
        external_id: Some(record.external_id.clone()),
        pointer: record.pointer.clone(),
    })
}

fn of_reject(state: &CallState, reject: types::Reject, find: &mut impl FnMut(&[u8]) -> Option<FoundSecret>) -> Reject {
    let id = reject.external_id.as_deref().unwrap_or_default();
    let places = [
        ("rejected record", reject.raw.as_slice()),
        ("rejected record's external id", id.as_bytes()),
        ("rejected record's pointer", reject.pointer.as_bytes()),
        ("rejected record's reason", reject.reason.as_bytes()),
        ("rejected record's entity", reject.entity.as_bytes()),
    ];
    let found = places.into_iter().find_map(|(place, bytes)| Some((place, find(bytes)?)));
    let types::Reject { entity, external_id, exchange, pointer, reason, raw } = reject;
    match found {
        Some((place, found)) => Carrier { place, found, entity, external_id, pointer }.refuse(exchange, find),
        None => Reject {
            entity,
            external_id,
            exchange,
            pointer,
            reason: state.clean(&reason, MESSAGE_BYTES_MAX),
            raw,
            code: "connector",
        },
    }
}
