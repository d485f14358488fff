//! Steps 4 and 11: finding live secrets, in what a connector sends (refused) and in what it gets (taken out).
//! Owns the search; when a secret lives and dies is its slot's business.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use bytes::{Bytes, BytesMut};
use parking_lot::RwLock;
use percent_encoding::percent_decode;
use renmen_schema::id::SlotName;

use zeroize::Zeroizing;

use crate::sensitive::forms;
use crate::{EgressError, Request};

/// What stands where a secret was. Valid inside JSON and headers.
const REDACTED: &str = "[redacted]";

/// Old tokens stay sensitive: vendors go on taking them for a while.
const TOKENS_KEPT_MAX: usize = 4;

/// Looks for every secret of one connection at once.
pub(crate) struct Redactor {
    known: RwLock<Known>,
}

struct Known {
    fixed: BTreeMap<Vec<u8>, SlotName>,
    tokens: BTreeMap<SlotName, VecDeque<String>>,
    /// `None`: there is nothing to look for.
    search: Option<Arc<Search>>,
}

struct Search {
    automaton: AhoCorasick,
    /// By pattern.
    slots: Vec<SlotName>,
}

impl Redactor {
    /// Takes the sensitive texts of every slot.
    ///
    /// # Errors
    /// [`EgressError::Auth`] when they are more than an automaton can hold.
    pub(crate) fn new(texts: impl IntoIterator<Item = (SlotName, Zeroizing<String>)>) -> Result<Self, EgressError> {
        let mut fixed = BTreeMap::new();
        for (slot, text) in texts {
            fixed.extend(forms(&text).into_iter().map(|form| (form, slot.clone())));
        }
        let mut known = Known { fixed, tokens: BTreeMap::new(), search: None };
        known.rebuild()?;
        Ok(Self { known: RwLock::new(known) })
    }

    /// From now on this token of the slot is sensitive. Cheap when it is known already.
    ///
    /// # Errors
    /// As [`Redactor::new`].
    pub(crate) fn learn(&self, slot: &SlotName, token: &str) -> Result<(), EgressError> {
        if self.known.read().tokens.get(slot).is_some_and(|tokens| tokens.iter().any(|t| t == token)) {
            return Ok(());
        }
        let mut known = self.known.write();
        let tokens = known.tokens.entry(slot.clone()).or_default();
        if tokens.len() == TOKENS_KEPT_MAX {
            tokens.pop_front();
        }
        tokens.push_back(token.to_owned());
        known.rebuild()
    }

    /// Refuses a request that carries a secret in any part, also when its URL writes it with needless percent signs.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] naming the slot and the place, never the secret.
    pub(crate) fn check_outgoing(&self, request: &Request) -> Result<(), EgressError> {
        let Some(search) = self.search() else { return Ok(()) };
        let refuse = |place: &str, slot: &SlotName| {
            Err(EgressError::NotGranted(format!(
                "the {place} carries the secret of slot `{slot}`; name the slot instead"
            )))
        };
        if let Some(slot) = search.find(request.url.as_bytes()) {
            return refuse("URL", slot);
        }
        let decoded: Vec<u8> = percent_decode(request.url.as_bytes()).collect();
        if let Some(slot) = search.find(&decoded) {
            return refuse("URL", slot);
        }
        for (name, value) in &request.headers {
            if let Some(slot) = search.find(value.as_bytes()).or_else(|| search.find(name.as_bytes())) {
                return refuse("header", slot);
            }
        }
        match request.body.as_deref().and_then(|body| search.find(body)) {
            Some(slot) => refuse("body", slot),
            None => Ok(()),
        }
    }

    /// The slot whose secret stands in these bytes.
    pub(crate) fn slot_in(&self, bytes: &[u8]) -> Option<SlotName> {
        self.search()?.find(bytes).cloned()
    }

    /// Takes secrets out of a body; hands back the same bytes, uncopied, when there are none.
    pub(crate) fn redact_body(&self, body: Bytes) -> Bytes {
        match self.search() {
            Some(search) => search.replace(&body).unwrap_or(body),
            None => body,
        }
    }

    /// Takes secrets out of a text.
    pub(crate) fn redact_text(&self, text: String) -> String {
        let Some(search) = self.search() else { return text };
        match search.replace(text.as_bytes()) {
            // A form may end inside a character of the text only if the secret did; then the rest is shown as unknown.
            Some(clean) => String::from_utf8_lossy(&clean).into_owned(),
            None => text,
        }
    }

    fn search(&self) -> Option<Arc<Search>> {
        self.known.read().search.clone()
    }
}

impl Known {
    fn rebuild(&mut self) -> Result<(), EgressError> {
        let mut patterns: BTreeMap<Vec<u8>, SlotName> = self.fixed.clone();
        for (slot, tokens) in &self.tokens {
            let all: BTreeSet<Vec<u8>> = tokens.iter().flat_map(|token| forms(token)).collect();
            patterns.extend(all.into_iter().map(|form| (form, slot.clone())));
        }
        self.search = if patterns.is_empty() {
            None
        } else {
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(patterns.keys())
                .map_err(|_| EgressError::Auth("the connection's secrets are too long to be looked for".into()))?;
            Some(Arc::new(Search { automaton, slots: patterns.into_values().collect() }))
        };
        Ok(())
    }
}

impl Search {
    fn find(&self, bytes: &[u8]) -> Option<&SlotName> {
        self.automaton.find(bytes).map(|found| &self.slots[found.pattern().as_usize()])
    }

    fn replace(&self, bytes: &[u8]) -> Option<Bytes> {
        let mut clean = BytesMut::new();
        let mut copied = 0;
        for found in self.automaton.find_iter(bytes) {
            clean.extend_from_slice(&bytes[copied..found.start()]);
            clean.extend_from_slice(REDACTED.as_bytes());
            copied = found.end();
        }
        if copied == 0 {
            return None;
        }
        clean.extend_from_slice(&bytes[copied..]);
        Some(clean.freeze())
    }
}

#[cfg(test)]
mod tests;
