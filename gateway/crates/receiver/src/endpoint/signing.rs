//! The signing secrets of endpoints that were made over the API. The gateway makes them, keeps them in the vault under the
//! endpoint's tenant, and shows each once: no client names a place where a secret is.

use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_vault::{OWN_PREFIX, Secret, Vault};
use serde::{Deserialize, Serialize};

use super::{EndpointDefinition, EndpointError, PREVIOUS_SECRET, SECRET};

/// An endpoint of the API as the store keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptEndpoint {
    pub(super) definition: EndpointDefinition,
    pub(super) signing: Signing,
}

/// What signs an endpoint's events: names of entries in the vault, under the endpoint's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signing {
    current: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

/// What signed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Previous {
    name: String,
    until_ms: i64,
}

impl KeptEndpoint {
    /// What a row of the store says.
    ///
    /// # Errors
    /// It is not an endpoint, or one of a time when clients named the place of the secret: it must be made again.
    pub(super) fn read(definition: &str) -> Result<Self, EndpointError> {
        serde_json::from_str(definition).map_err(|error| {
            EndpointError::Fault(format!(
                "its definition cannot be read ({error}): make it again with PUT /v1/endpoints/NAME, which gives it a secret"
            ))
        })
    }
}

impl Signing {
    /// Under which names of the vault the secrets are, by slot.
    pub(super) fn slots(&self) -> impl Iterator<Item = (SlotName, &str)> {
        let slot = |name| SlotName::new(name).expect("the names of these slots are well formed");
        let previous = self.previous.as_ref().map(|previous| (slot(PREVIOUS_SECRET), previous.name.as_str()));
        [(slot(SECRET), self.current.as_str())].into_iter().chain(previous)
    }

    /// Until when the one before signs too.
    pub(super) fn previous_until_ms(&self) -> Option<i64> {
        self.previous.as_ref().map(|previous| previous.until_ms)
    }

    /// This one after that one, which signs too until then. Gives the names that nothing uses any more.
    pub(super) fn after(self, before: Self, until_ms: i64, now_ms: i64) -> (Self, Vec<String>) {
        let mut unused: Vec<String> = before.previous.into_iter().map(|previous| previous.name).collect();
        let overlaps = until_ms > now_ms;
        let previous = overlaps.then(|| Previous { name: before.current.clone(), until_ms });
        if !overlaps {
            unused.push(before.current);
        }
        (Self { previous, ..self }, unused)
    }

    /// Every name that it uses.
    pub(super) fn names(&self) -> Vec<String> {
        let previous = self.previous.as_ref().map(|previous| previous.name.clone());
        [self.current.clone()].into_iter().chain(previous).collect()
    }
}

/// Makes a signing secret and keeps it.
///
/// # Errors
/// What the vault says; [`EndpointError::Fault`] without random numbers.
pub(super) fn make(
    vault: &Vault,
    tenant: &TenantId,
    endpoint: &ConnectionName,
) -> Result<(Signing, Secret), EndpointError> {
    let (secret, number) = (new_secret()?, random::<8>()?);
    // A number of its own: a secret that was half made or half taken away is never taken for another one.
    let current = format!("{OWN_PREFIX}endpoint/{endpoint}/{}", hex::encode(number));
    vault.put_own(tenant, &current, &secret)?;
    Ok((Signing { current, previous: None }, secret))
}

/// Removes secrets that are no longer used. One that stays does no harm, so a failure is only logged.
pub(super) fn forget(vault: &Vault, tenant: &TenantId, names: &[String]) {
    for name in names.iter().filter(|name| name.starts_with(OWN_PREFIX)) {
        if let Err(error) = vault.remove(tenant, name) {
            tracing::warn!(%tenant, name, %error, "A signing secret that is no longer used stays in the vault");
        }
    }
}

/// 32 random bytes as Standard Webhooks writes them.
fn new_secret() -> Result<Secret, EndpointError> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(random::<32>()?);
    Ok(Secret::new(format!("whsec_{text}")))
}

fn random<const N: usize>() -> Result<[u8; N], EndpointError> {
    use rand::TryRngCore as _;
    let mut bytes = [0; N];
    let filled = rand::rngs::OsRng.try_fill_bytes(&mut bytes);
    filled.map_err(|error| EndpointError::Fault(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signing(name: &str) -> Signing {
        Signing { current: name.to_owned(), previous: None }
    }

    #[test]
    fn the_secret_before_signs_for_the_overlap_and_the_one_before_that_no_more() {
        let (second, unused) = signing("b").after(signing("a"), 2_000, 1_000);
        assert_eq!((second.previous_until_ms(), unused), (Some(2_000), vec![]));
        let slots: Vec<_> = second.slots().map(|(slot, name)| (slot.to_string(), name.to_owned())).collect();
        assert_eq!(slots, [("secret".into(), "b".into()), ("previous_secret".into(), "a".into())]);
        let (third, unused) = signing("c").after(second, 3_000, 1_500);
        assert_eq!((third.names(), unused), (vec!["c".to_owned(), "b".into()], vec!["a".to_owned()]));
        // Known to others: it signs no more at once.
        let (fourth, unused) = signing("d").after(third, 1_600, 1_600);
        assert_eq!((fourth.names(), unused), (vec!["d".to_owned()], vec!["b".to_owned(), "c".into()]));
    }

    #[test]
    fn two_secrets_are_32_random_bytes_each_and_differ() -> Result<(), EndpointError> {
        use base64::Engine as _;
        let (one, two) = (new_secret()?, new_secret()?);
        assert_ne!(one, two);
        let text = one.expose().strip_prefix("whsec_").unwrap_or_default();
        assert_eq!(base64::engine::general_purpose::STANDARD.decode(text).map(|bytes| bytes.len()), Ok(32));
        Ok(())
    }

    #[test]
    fn an_endpoint_whose_client_named_the_secret_is_told_to_be_made_again() {
        let old = r#"{"url":"https://a.example/","entities":["employee"],"secret":{"vault":"theirs"}}"#;
        let error = KeptEndpoint::read(old).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("make it again"), "{error}");
    }
}
