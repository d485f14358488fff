//! Steps 4 and 11: live secrets in what a connector sends (refused) and in what it gets (taken out).
//! Owns which secrets live: those of the slots, and the tokens that were fetched. What a secret is, in which forms it is found
//! and where, is `secrecy`'s.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use renmen_schema::id::SlotName;
use renmen_turns::{Account, Class};
use zeroize::Zeroizing;

use crate::secrecy::{FoundSecret, Part, Parts, Scratch, Search, Sight};
use crate::{EgressError, Request};

/// Old tokens stay sensitive: vendors go on taking them for a while.
const TOKENS_KEPT_MAX: usize = 4;

/// Bytes that are looked through on the reactor; more are given to a thread for such work.
const AT_ONCE_MAX: usize = 256 << 10;

/// Where a secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SightingPlace {
    /// In a request, which was not sent.
    Request,
    /// In a vendor's answer, out of which it was taken.
    Answer,
    /// In what the connector handed over: a record, a cursor, a receipt, an answer to a delivery.
    Output,
}

/// How often a secret was found in a place since the connection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The secret that was found.
    pub found: FoundSecret,
    /// Where it was found.
    pub place: SightingPlace,
    /// How often it was found there.
    pub times: u64,
}

/// Looks for secrets in many texts one after the other, about which the connector hears nothing more: the records of a
/// page.
pub struct Scanner<'r> {
    redactor: &'r Redactor,
    search: Option<Arc<Search>>,
    scratch: Scratch,
}

impl Scanner<'_> {
    /// The live secret that these bytes contain, whole or in a piece.
    pub fn find(&mut self, bytes: &[u8]) -> Option<FoundSecret> {
        let found = self.search.as_ref()?.find_with(bytes, Sight::Kept, &mut self.scratch)?;
        self.redactor.note(found, SightingPlace::Output);
        Some(found.clone())
    }
}

impl std::fmt::Debug for Scanner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").finish_non_exhaustive()
    }
}

/// Looks for every secret of one connection at once.
pub(crate) struct Redactor {
    /// Where the time counts that a long answer takes.
    account: Arc<Account>,
    known: RwLock<Known>,
    sightings: Mutex<BTreeMap<(FoundSecret, SightingPlace), u64>>,
}

struct Known {
    fixed: BTreeMap<SlotName, Parts>,
    tokens: BTreeMap<SlotName, VecDeque<Zeroizing<String>>>,
    /// `None`: there is nothing to look for.
    search: Option<Arc<Search>>,
}

impl Redactor {
    /// Takes what is secret of every slot, and the connection's account.
    ///
    /// # Errors
    /// [`EgressError::Auth`] when it is more than can be looked for.
    pub(crate) fn new(fixed: BTreeMap<SlotName, Parts>, account: Arc<Account>) -> Result<Self, EgressError> {
        let mut known = Known { fixed, tokens: BTreeMap::new(), search: None };
        known.rebuild()?;
        Ok(Self { account, known: RwLock::new(known), sightings: Mutex::default() })
    }

    /// From now on this token of the slot is sensitive. Cheap when it is known already.
    ///
    /// # Errors
    /// As [`Redactor::new`].
    pub(crate) fn learn(&self, slot: &SlotName, token: &str) -> Result<(), EgressError> {
        if self.known.read().tokens.get(slot).is_some_and(|tokens| tokens.iter().any(|known| known.as_str() == token)) {
            return Ok(());
        }
        let mut known = self.known.write();
        let tokens = known.tokens.entry(slot.clone()).or_default();
        if tokens.len() == TOKENS_KEPT_MAX {
            tokens.pop_front();
        }
        tokens.push_back(Zeroizing::new(token.to_owned()));
        known.rebuild()
    }

    /// Refuses a request that carries a secret in any part.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] naming the slot and the place, never the secret.
    pub(crate) fn check_outgoing(&self, request: &Request) -> Result<(), EgressError> {
        let Some(search) = self.search() else { return Ok(()) };
        let headers = request.headers.iter().flat_map(|(name, value)| [("header", name), ("header", value)]);
        let texts = [("method", &request.method), ("URL", &request.url)].into_iter().chain(headers);
        let mut parts = texts.map(|(place, text)| (place, text.as_bytes()));
        let body = || request.body.as_deref().map(|body| ("body", body));
        let found =
            parts.by_ref().chain(body()).find_map(|(place, bytes)| Some((place, search.find(bytes, Sight::Told)?)));
        let Some((place, found)) = found else { return Ok(()) };
        self.note(found, SightingPlace::Request);
        let public = found.public_hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        Err(EgressError::NotGranted(format!("the {place} carries {found}; name the slot instead{public}")))
    }

    /// The secret in what the connector hands over, if there is one.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<FoundSecret> {
        let found = self.search()?.find(bytes, Sight::Told).cloned()?;
        self.note(&found, SightingPlace::Output);
        Some(found)
    }

    pub(crate) fn scanner(&self) -> Scanner<'_> {
        Scanner { redactor: self, search: self.search(), scratch: Scratch::default() }
    }

    /// Takes secrets out of an answer's body; hands back the same bytes, uncopied, when there are none. Done where it is asked:
    /// in a call that is the connection's own turn, so that it gives way to others however much it fetches.
    pub(crate) fn redact_answer(&self, body: Bytes) -> Bytes {
        let Some((clean, found)) = self.search().and_then(|search| search.redact(&body, Sight::Told)) else {
            return body;
        };
        self.note(&found, SightingPlace::Answer);
        clean.into()
    }

    /// The same for a task of the reactor: a long body is looked through in a turn of the connection.
    pub(crate) async fn redact_answer_aside(self: &Arc<Self>, body: Bytes) -> Bytes {
        if body.len() <= AT_ONCE_MAX {
            return self.redact_answer(body);
        }
        let own = Arc::clone(self);
        renmen_turns::work(&self.account, Class::Urgent, move || own.redact_answer(body)).await
    }

    /// The same for a header of an answer; none when its name carries a secret.
    pub(crate) fn redact_header(&self, name: String, value: String) -> Option<(String, String)> {
        let Some(search) = self.search() else { return Some((name, value)) };
        if let Some(found) = search.find(name.as_bytes(), Sight::Told) {
            self.note(found, SightingPlace::Answer);
            return None;
        }
        let Some((clean, found)) = search.redact(value.as_bytes(), Sight::Told) else { return Some((name, value)) };
        self.note(&found, SightingPlace::Answer);
        Some((name, String::from_utf8_lossy(&clean).into_owned()))
    }

    /// Takes secrets out of bytes that the connector does not get to see again.
    pub(crate) fn redact_kept(&self, bytes: Bytes) -> Bytes {
        let redacted = self.search().and_then(|search| search.redact(&bytes, Sight::Kept));
        redacted.map_or(bytes, |(clean, _)| clean.into())
    }

    /// The same for a text.
    pub(crate) fn redact_text(&self, text: String) -> String {
        match self.search().and_then(|search| search.redact(text.as_bytes(), Sight::Kept)) {
            // What is taken out may end inside a character of the text only if the secret did; then the rest is shown as unknown.
            Some((clean, _)) => String::from_utf8_lossy(&clean).into_owned(),
            None => text,
        }
    }

    pub(crate) fn sightings(&self) -> Vec<Sighting> {
        let sightings = self.sightings.lock();
        let of = |((found, place), times): (&(FoundSecret, SightingPlace), &u64)| Sighting {
            found: found.clone(),
            place: *place,
            times: *times,
        };
        sightings.iter().map(of).collect()
    }

    fn note(&self, found: &FoundSecret, place: SightingPlace) {
        *self.sightings.lock().entry((found.clone(), place)).or_default() += 1;
    }

    fn search(&self) -> Option<Arc<Search>> {
        self.known.read().search.clone()
    }
}

impl Known {
    fn rebuild(&mut self) -> Result<(), EgressError> {
        let token = |text: &Zeroizing<String>| Part { member: Some("token".to_owned()), text: text.clone() };
        let tokens: Vec<(&SlotName, Parts)> = self
            .tokens
            .iter()
            .map(|(slot, tokens)| (slot, Parts { secret: tokens.iter().map(token).collect(), ..Parts::default() }))
            .collect();
        let all = self.fixed.iter().chain(tokens.iter().map(|(slot, parts)| (*slot, parts)));
        self.search = Search::new(all).map_err(EgressError::Auth)?.map(Arc::new);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
