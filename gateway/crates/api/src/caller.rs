//! Who is asking, as far as everything behind the check of the key needs to know.

use std::sync::{Arc, OnceLock};

use axum::http::HeaderMap;
use percent_encoding::percent_decode_str;
use renmen_schema::id::TenantId;
use renmen_store::{ApiKeyRow, KeyId, KeyRole};

use crate::header::single;

/// Header with the name of the person for whom something is done, percent-encoded; used where the key may say so.
pub(crate) const PERSON: &str = "renmen-person";

/// Characters of a person's name.
const PERSON_CHARS_MAX: usize = 200;

/// Who is asking: what a valid key says.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    /// Tells one key from another; of no use to anybody else.
    pub(crate) key: KeyId,
    /// What people call it.
    pub(crate) label: String,
    pub(crate) role: KeyRole,
    pub(crate) hash: [u8; 32],
    /// False: a key of this process, which no store knows.
    pub(crate) stored: bool,
    /// This key says for which person something is done: a command on the gateway's own machine, for the one who typed it.
    pub(crate) names_people: bool,
}

impl Caller {
    pub(crate) fn of(row: ApiKeyRow) -> Self {
        let key = row.id();
        Self {
            key,
            label: row.label,
            tenant: row.tenant,
            role: row.role,
            hash: row.hash,
            stored: true,
            names_people: false,
        }
    }

    /// The name under which people's work is kept that came with this key: its label, or what people call one without.
    pub(crate) fn person(&self) -> String {
        if self.label.trim().is_empty() { format!("key {}", self.key) } else { self.label.clone() }
    }

    /// The same, as the person that the request names, when this key may say so. Every other key is who it is.
    pub(crate) fn for_person(&self, headers: &HeaderMap) -> Self {
        let named = single(headers, PERSON).and_then(Result::ok).filter(|_| self.names_people);
        let named = named.and_then(|text| percent_decode_str(text).decode_utf8().ok());
        let fits = |name: &String| {
            let chars = name.chars().count();
            (1..=PERSON_CHARS_MAX).contains(&chars) && !name.trim().is_empty() && !name.chars().any(char::is_control)
        };
        let label = named.map(std::borrow::Cow::into_owned).filter(fits).unwrap_or_else(|| self.label.clone());
        Self { label, ..self.clone() }
    }
}

/// Where the layer outside, which logs, learns who asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker(Arc<OnceLock<Arc<Caller>>>);

impl Asker {
    /// The first who is told of a request is its asker.
    pub(crate) fn set(&self, caller: Arc<Caller>) {
        let _first = self.0.set(caller);
    }

    pub(crate) fn get(&self) -> Option<&Caller> {
        self.0.get().map(Arc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_key_of_this_machine_says_who_does_something() {
        let tenant = renmen_schema::id::TenantId::new("acme").unwrap();
        let caller = Caller::of(ApiKeyRow::new([7; 32], "payroll", tenant, KeyRole::Owner, 0));
        let machine = Caller { names_people: true, ..caller.clone() };
        let person = |caller: &Caller, names: &[&str]| {
            let mut headers = HeaderMap::new();
            for name in names {
                headers.append(PERSON, name.parse().unwrap());
            }
            caller.for_person(&headers).person()
        };
        assert_eq!(person(&machine, &["%E6%9D%8E%E6%98%8E"]), "李明");
        assert_eq!(person(&caller, &["mallory"]), "payroll", "any other key is who it is");
        for unfit in [&[][..], &["a", "b"], &["%20"], &["%00x"], &["%FF"], &["x".repeat(201).as_str()]] {
            assert_eq!(person(&machine, unfit), "payroll", "{unfit:?}");
        }
        assert_eq!(person(&machine, &["x".repeat(200).as_str()]).len(), 200);
    }
}
