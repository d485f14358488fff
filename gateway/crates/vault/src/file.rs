//! The vault's file format: JSON with each entry sealed on its own, so that one damaged entry does not take the others along.
//!
//! An entry is XChaCha20-Poly1305 with a random 24-byte nonce; its tenant and its name are the associated data, so that an entry
//! moved to another tenant or under another name does not open. `check` is an entry of a known text that stands under no name:
//! it tells a wrong key from a damaged entry. Tenants, names, and how many entries there are, are not hidden.
//!
//! Files of the first format had one namespace for all tenants. They are read as files of one tenant, which the caller
//! names, and written in this format with the next change.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key::{MasterKey, fill_random};
use crate::name::is_name;
use crate::{Secret, VaultError};

const FORMAT: &str = "renmen-vault/2";
/// One space of names for all tenants; the name alone was the associated data.
const FIRST_FORMAT: &str = "renmen-vault/1";
const FIRST_CHECK: &str = "renmen vault check";
const CHECK_TEXT: &str = "this key opens this vault";
const NONCE_BYTES: usize = 24;

/// The whole file, read.
#[derive(Debug)]
pub(crate) struct VaultFile {
    check: Sealed,
    entries: BTreeMap<TenantId, BTreeMap<String, Entry>>,
    /// Was it of the first format?
    pub(crate) first_format: bool,
}

/// One sealed value, and what it was sealed under.
#[derive(Debug)]
struct Entry {
    sealed: Sealed,
    bound: Bound,
}

/// The associated data of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// The first format.
    ToName,
    ToTenantAndName,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    check: Sealed,
    entries: BTreeMap<TenantId, BTreeMap<String, Sealed>>,
}

/// As it was written in the first format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFirst {
    #[serde(rename = "format")]
    _format: String,
    check: Sealed,
    entries: BTreeMap<String, Sealed>,
}

/// One sealed value, base64.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    nonce: String,
    sealed: String,
}

impl VaultFile {
    /// An empty vault under a key.
    pub(crate) fn new(key: &MasterKey) -> Result<Self, VaultError> {
        let check = seal(key, &bound_to(None), &Secret::new(CHECK_TEXT.to_owned()))?;
        Ok(Self { check, entries: BTreeMap::new(), first_format: false })
    }

    /// Reads a file and proves the key on it. `owner`: the tenant that owns the entries of a file of the first format.
    pub(crate) fn parse(bytes: &[u8], key: &MasterKey, path: &Path, owner: &TenantId) -> Result<Self, VaultError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let damaged = |reason: Text| VaultError::Damaged { path: path.to_owned(), reason };
        let unread = |error: serde_json::Error| {
            damaged(text!(
                "line {} column {} is not what a vault holds",
                "第 {} 行第 {} 列不是保险库的内容",
                error.line(),
                error.column()
            ))
        };
        let head: Head = serde_json::from_slice(bytes).map_err(unread)?;
        let (file, check_bound) = match head.format.as_str() {
            FORMAT => (Self::of(serde_json::from_slice(bytes).map_err(unread)?), bound_to(None)),
            FIRST_FORMAT => {
                let first: WrittenFirst = serde_json::from_slice(bytes).map_err(unread)?;
                (Self::of_first(first, owner), FIRST_CHECK.as_bytes().to_vec())
            }
            _ => {
                return Err(damaged(text!(
                    "its format is not `{FORMAT}`, so it was written by another version",
                    "其格式不是 `{FORMAT}`，由其他版本写入"
                )));
            }
        };
        match open(key, &check_bound, &file.check) {
            Some(text) if text.expose() == CHECK_TEXT => {}
            _ => return Err(VaultError::WrongKey { path: path.to_owned() }),
        }
        // Our programs never write another name: one that is there is meant to be taken for something else.
        match file.entries.values().flat_map(BTreeMap::keys).find(|name| !is_name(name)) {
            Some(_) => Err(damaged(text!("it has an entry under what no name can be", "其中有名称无效的条目"))),
            None => Ok(file),
        }
    }

    fn of(written: Written) -> Self {
        let entry = |(name, sealed)| (name, Entry { sealed, bound: Bound::ToTenantAndName });
        let of_tenant =
            |(tenant, own): (TenantId, BTreeMap<String, Sealed>)| (tenant, own.into_iter().map(entry).collect());
        Self {
            check: written.check,
            entries: written.entries.into_iter().map(of_tenant).collect(),
            first_format: false,
        }
    }

    fn of_first(written: WrittenFirst, owner: &TenantId) -> Self {
        let entry = |(name, sealed)| (name, Entry { sealed, bound: Bound::ToName });
        let entries = BTreeMap::from([(owner.clone(), written.entries.into_iter().map(entry).collect())]);
        Self { check: written.check, entries, first_format: true }
    }

    /// As bytes for the disk: every entry bound to its tenant and its name, under `key`, which was read with.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] naming the entry of a file of the first format that does not open.
    pub(crate) fn to_bytes(&self, key: &MasterKey, path: &Path) -> Result<Vec<u8>, VaultError> {
        let mut entries: BTreeMap<TenantId, BTreeMap<String, Sealed>> = BTreeMap::new();
        for (tenant, name, entry) in self.iter() {
            let sealed = match entry.bound {
                Bound::ToTenantAndName => entry.sealed.clone(),
                Bound::ToName => seal(key, &bound_to(Some((tenant, name))), &entry.open(key, tenant, name, path)?)?,
            };
            entries.entry(tenant.clone()).or_default().insert(name.to_owned(), sealed);
        }
        let check = if self.first_format { Self::new(key)?.check } else { self.check.clone() };
        let written = Written { format: FORMAT.to_owned(), check, entries };
        let mut bytes = serde_json::to_vec_pretty(&written).expect("maps of strings always serialise");
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The same secrets under another key.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] naming an entry that does not open.
    pub(crate) fn under(&self, key: &MasterKey, fresh: &MasterKey, path: &Path) -> Result<Self, VaultError> {
        let mut rotated = Self::new(fresh)?;
        for (tenant, name, entry) in self.iter() {
            rotated.put(fresh, tenant, name, &entry.open(key, tenant, name, path)?)?;
        }
        Ok(rotated)
    }

    /// One secret; `None` when this tenant has no such entry.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it was altered or moved.
    pub(crate) fn get(
        &self,
        key: &MasterKey,
        tenant: &TenantId,
        name: &str,
        path: &Path,
    ) -> Result<Option<Secret>, VaultError> {
        let entry = self.entries.get(tenant).and_then(|own| own.get(name));
        entry.map(|entry| entry.open(key, tenant, name, path)).transpose()
    }

    /// Puts one in or replaces it.
    pub(crate) fn put(
        &mut self,
        key: &MasterKey,
        tenant: &TenantId,
        name: &str,
        secret: &Secret,
    ) -> Result<(), VaultError> {
        let sealed = seal(key, &bound_to(Some((tenant, name))), secret)?;
        let entry = Entry { sealed, bound: Bound::ToTenantAndName };
        self.entries.entry(tenant.clone()).or_default().insert(name.to_owned(), entry);
        Ok(())
    }

    /// Takes one out. False when there is none.
    pub(crate) fn remove(&mut self, tenant: &TenantId, name: &str) -> bool {
        let Some(own) = self.entries.get_mut(tenant) else { return false };
        let was = own.remove(name).is_some();
        if own.is_empty() {
            self.entries.remove(tenant);
        }
        was
    }

    /// Tenants and names.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&TenantId, &str)> {
        self.iter().map(|(tenant, name, _)| (tenant, name))
    }

    fn iter(&self) -> impl Iterator<Item = (&TenantId, &str, &Entry)> {
        let entries = self.entries.iter();
        entries.flat_map(|(tenant, own)| own.iter().map(move |(name, entry)| (tenant, name.as_str(), entry)))
    }
}

impl Entry {
    fn open(&self, key: &MasterKey, tenant: &TenantId, name: &str, path: &Path) -> Result<Secret, VaultError> {
        let bound = match self.bound {
            Bound::ToName => name.as_bytes().to_vec(),
            Bound::ToTenantAndName => bound_to(Some((tenant, name))),
        };
        open(key, &bound, &self.sealed).ok_or_else(|| VaultError::Damaged {
            path: path.to_owned(),
            reason: text!(
                "its entry `{name}` of tenant `{tenant}` was altered or moved from another name or tenant",
                "租户 `{tenant}` 的条目 `{name}` 被篡改，或从其他名称或租户移来"
            ),
        })
    }
}

/// The associated data: neither a tenant nor a name can hold the byte between them, so no two entries have the same.
fn bound_to(entry: Option<(&TenantId, &str)>) -> Vec<u8> {
    match entry {
        None => format!("{FORMAT}\0check").into_bytes(),
        Some((tenant, name)) => format!("{FORMAT}\0{tenant}\0{name}").into_bytes(),
    }
}

fn seal(key: &MasterKey, bound: &[u8], value: &Secret) -> Result<Sealed, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    fill_random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new(&(*key.bytes()).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: value.expose().as_bytes(), aad: bound })
        .expect("the cipher takes any text below 256 GiB");
    Ok(Sealed { nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(sealed) })
}

/// `None`: another key, another tenant or name, or altered bytes.
fn open(key: &MasterKey, bound: &[u8], entry: &Sealed) -> Option<Secret> {
    let nonce: [u8; NONCE_BYTES] = STANDARD.decode(&entry.nonce).ok()?.try_into().ok()?;
    let sealed = STANDARD.decode(&entry.sealed).ok()?;
    let plain = XChaCha20Poly1305::new(&(*key.bytes()).into())
        .decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: bound })
        .map(Zeroizing::new)
        .ok()?;
    Some(Secret::new(std::str::from_utf8(&plain).ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// A file as the first format had it.
    fn first(key: &MasterKey, entries: &[(&str, &str)]) -> Vec<u8> {
        let sealed = |bound: &str, text: &str| {
            serde_json::to_value(seal(key, bound.as_bytes(), &secret(text)).unwrap()).unwrap()
        };
        let entries: BTreeMap<_, _> = entries.iter().map(|(name, text)| (*name, sealed(name, text))).collect();
        serde_json::to_vec(&serde_json::json!({
            "format": FIRST_FORMAT, "check": sealed(FIRST_CHECK, CHECK_TEXT), "entries": entries,
        }))
        .unwrap()
    }

    #[test]
    fn a_file_of_the_first_format_is_one_tenants_and_is_written_in_this_one() {
        let (key, path) = (MasterKey::generate().unwrap(), Path::new("v"));
        let acme = tenant("acme");
        let old = VaultFile::parse(&first(&key, &[("app", "one"), ("b/c", "two")]), &key, path, &acme).unwrap();
        assert!(old.first_format);
        assert_eq!(old.get(&key, &acme, "app", path).unwrap().unwrap().expose(), "one");
        assert!(old.get(&key, &tenant("beta"), "app", path).unwrap().is_none());

        let bytes = old.to_bytes(&key, path).unwrap();
        // The owner of the old names is settled by now: another default tenant changes nothing.
        let new = VaultFile::parse(&bytes, &key, path, &tenant("beta")).unwrap();
        assert!(!new.first_format);
        assert_eq!(
            new.names().map(|(tenant, name)| format!("{tenant} {name}")).collect::<Vec<_>>(),
            ["acme app", "acme b/c"]
        );
        assert_eq!(new.get(&key, &acme, "b/c", path).unwrap().unwrap().expose(), "two");
    }

    #[test]
    fn an_entry_of_this_format_is_none_of_the_first() {
        let (key, path) = (MasterKey::generate().unwrap(), Path::new("v"));
        let acme = tenant("acme");
        let mut new = VaultFile::new(&key).unwrap();
        new.put(&key, &acme, "app", &secret("one")).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&new.to_bytes(&key, path).unwrap()).unwrap();
        let mut old: serde_json::Value = serde_json::from_slice(&first(&key, &[("x", "y")])).unwrap();
        // Under its own name it does not open; under what it was bound to it is not read.
        old["entries"]["app"] = written["entries"]["acme"]["app"].clone();
        let read = VaultFile::parse(old.to_string().as_bytes(), &key, path, &tenant("beta")).unwrap();
        assert!(matches!(read.get(&key, &tenant("beta"), "app", path), Err(VaultError::Damaged { .. })));
        assert!(matches!(read.to_bytes(&key, path), Err(VaultError::Damaged { .. })), "nothing is lost in silence");
        old["entries"]["renmen-vault/2\0acme\0app"] = written["entries"]["acme"]["app"].clone();
        let read = VaultFile::parse(old.to_string().as_bytes(), &key, path, &tenant("beta"));
        assert!(matches!(read, Err(VaultError::Damaged { .. })));
    }
}
