//! Links with which a person decides on one decision without an API key: a token that names the decision, the person it
//! was made for and its end, sealed with a key of the gateway. Nothing of it is kept; anyone who holds it counts as
//! that person until it ends.
//!
//! Must not know: addresses, HTTP. The code that serves the page puts the token into an address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use renmen_schema::id::{RecordId, TenantId};
use sha2::Sha256;
use uuid::Uuid;

use crate::decide::PERSON_CHARS_MAX;

/// The form of what is sealed. Another form is another number, so that no token is ever read in two ways.
const FORM: u8 = 1;
/// What the seal is for: the same key sealing anything else would make nothing that is a token.
const PURPOSE: &[u8] = b"renmen decision link\0";
/// Bytes of a seal.
const SEAL_BYTES: usize = 32;
/// Bytes before the tenant's name: form, end, decision, length of the name.
const HEAD_BYTES: usize = 1 + 8 + 16 + 1;
/// Characters of a token: more than any has.
const TOKEN_CHARS_MAX: usize = 1_400;
/// Ends are whole minutes, so that one that is made again a moment later is the same.
const MINUTE_MS: i64 = 60_000;

/// What seals links: one for all gateways of a deployment.
#[derive(Clone)]
pub struct LinkKey(Hmac<Sha256>);

impl LinkKey {
    /// From secret bytes; none for fewer than 32.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < 32 {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    fn over(&self, sealed: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(PURPOSE);
        mac.update(sealed);
        mac
    }
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionLink {
    /// The tenant that the decision belongs to.
    pub tenant: TenantId,
    /// The decision that the link opens.
    pub decision: RecordId,
    /// The person that it was made for.
    pub person: String,
    /// When it stops being valid, in milliseconds since the epoch.
    pub expires_at_ms: i64,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    /// No key of ours sealed it.
    NotOurs,
    /// It was good once.
    Expired,
}

/// Makes and opens links.
#[derive(Debug, Clone)]
pub struct LinkDesk {
    key: LinkKey,
    life_ms: i64,
}

impl LinkDesk {
    /// With a key, and how long a link is good.
    #[must_use]
    pub fn new(key: LinkKey, life_ms: i64) -> Self {
        Self { key, life_ms }
    }

    /// A token for a person; none for a name that is blank or too long.
    #[must_use]
    pub fn issue(&self, tenant: &TenantId, decision: RecordId, person: &str, now_ms: i64) -> Option<String> {
        let end = now_ms.saturating_add(self.life_ms);
        let expires_at_ms = end.saturating_add(MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS;
        let (tenant, person) = (tenant.clone(), person.to_owned());
        self.seal(&DecisionLink { tenant, decision, person, expires_at_ms })
    }

    /// The token of a link.
    #[must_use]
    pub fn seal(&self, link: &DecisionLink) -> Option<String> {
        let fits = !link.person.trim().is_empty() && link.person.chars().count() <= PERSON_CHARS_MAX;
        let name = u8::try_from(link.tenant.as_str().len()).ok().filter(|_| fits)?;
        let mut bytes = vec![FORM];
        bytes.extend(link.expires_at_ms.to_be_bytes());
        bytes.extend(link.decision.0.as_bytes());
        bytes.push(name);
        bytes.extend(link.tenant.as_str().as_bytes());
        bytes.extend(link.person.as_bytes());
        let seal = self.key.over(&bytes).finalize().into_bytes();
        bytes.extend(seal);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a token says.
    ///
    /// # Errors
    /// [`LinkFault`].
    pub fn open(&self, token: &str, now_ms: i64) -> Result<DecisionLink, LinkFault> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(LinkFault::NotOurs);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| LinkFault::NotOurs)?;
        let at = bytes.len().checked_sub(SEAL_BYTES).ok_or(LinkFault::NotOurs)?;
        let (sealed, seal) = bytes.split_at(at);
        self.key.over(sealed).verify_slice(seal).map_err(|_| LinkFault::NotOurs)?;
        let link = read(sealed).ok_or(LinkFault::NotOurs)?;
        if link.expires_at_ms <= now_ms { Err(LinkFault::Expired) } else { Ok(link) }
    }
}

fn read(sealed: &[u8]) -> Option<DecisionLink> {
    let (head, rest) = sealed.split_at_checked(HEAD_BYTES)?;
    let head = head.strip_prefix(&[FORM])?;
    let (end, head) = head.split_first_chunk::<8>()?;
    let (decision, name) = head.split_first_chunk::<16>()?;
    let (tenant, person) = rest.split_at_checked(usize::from(*name.first()?))?;
    Some(DecisionLink {
        tenant: TenantId::new(std::str::from_utf8(tenant).ok()?).ok()?,
        decision: RecordId(Uuid::from_bytes(*decision)),
        person: std::str::from_utf8(person).ok()?.to_owned(),
        expires_at_ms: i64::from_be_bytes(*end),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: i64 = 1_772_413_200_000;

    fn desk(key: u8) -> LinkDesk {
        LinkDesk::new(LinkKey::new(&[key; 32]).unwrap(), 3_600_000)
    }

    fn issue(person: &str) -> Option<String> {
        let id = "0192e5c0-0000-7000-8000-000000000001".parse().unwrap();
        desk(1).issue(&TenantId::new("acme").unwrap(), id, person, NOW + 1)
    }

    #[test]
    fn a_link_says_what_it_was_made_for_until_its_end() {
        let token = issue("李娜").unwrap();
        let link = desk(1).open(&token, NOW).unwrap();
        assert_eq!((link.tenant.as_str(), link.person.as_str()), ("acme", "李娜"));
        assert_eq!(link.decision.to_string(), "0192e5c0-0000-7000-8000-000000000001");
        assert_eq!(link.expires_at_ms, NOW + 3_660_000, "a whole minute");
        assert_eq!(desk(1).open(&token, link.expires_at_ms - 1).unwrap(), link);
        assert_eq!(desk(1).open(&token, link.expires_at_ms), Err(LinkFault::Expired));
    }

    #[test]
    fn no_changed_byte_and_no_other_key_opens_anything() {
        let token = issue("li.na").unwrap();
        assert_eq!(desk(2).open(&token, NOW), Err(LinkFault::NotOurs));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(desk(1).open(&changed, NOW), Err(LinkFault::NotOurs), "{at}");
        }
        let long = "A".repeat(100_000);
        for other in ["", "AA", &token[1..], &token[..token.len() - 1], &format!("{token}A"), &long] {
            assert_eq!(desk(1).open(other, NOW), Err(LinkFault::NotOurs));
        }
    }

    #[test]
    fn a_name_is_neither_blank_nor_longer_than_a_record_takes() {
        assert!(issue(&"张".repeat(200)).is_some_and(|token| desk(1).open(&token, NOW).is_ok()));
        for bad in ["", " ", "\u{3000}", &"张".repeat(201)] {
            assert_eq!(issue(bad), None);
        }
        assert!(LinkKey::new(&[0; 31]).is_none());
    }
}
