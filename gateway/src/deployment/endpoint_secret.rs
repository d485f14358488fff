//! The signing secrets of endpoints that were made over the API. The gateway makes them, keeps them in the vault under the
//! endpoint's tenant, and shows each once: no client names a place where a secret is.

use renmen_api::EndpointDefinition;
use renmen_flow::endpoint::{PREVIOUS_SECRET, SECRET};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_vault::{OWN_PREFIX, Secret, Vault};
use serde::{Deserialize, Serialize};

use super::Deployment;
use crate::exit::Usage;

/// An endpoint of the API as the store keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptEndpoint {
    pub(crate) definition: EndpointDefinition,
    pub(crate) signing: Signing,
}

/// What signs an endpoint's events: names of entries in the vault, under the endpoint's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signing {
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
    pub(crate) fn read(definition: &str) -> anyhow::Result<Self> {
        serde_json::from_str(definition).map_err(|error| {
            anyhow::anyhow!("its definition cannot be read ({error}): make it again with PUT /v1/endpoints/NAME, which gives it a secret")
        })
    }
}

impl Signing {
    /// Under which names of the vault the secrets are, by slot.
    pub(super) fn slots(&self) -> impl Iterator<Item = (SlotName, &str)> {
        let slot = |name| SlotName::new(name).expect("the flow crate's slots are well formed");
        let previous = self.previous.as_ref().map(|previous| (slot(PREVIOUS_SECRET), previous.name.as_str()));
        [(slot(SECRET), self.current.as_str())].into_iter().chain(previous)
    }

    /// Until when the one before signs too.
    pub(super) fn previous_until_ms(&self) -> Option<i64> {
        self.previous.as_ref().map(|previous| previous.until_ms)
    }

    /// This one after that one, which signs too until then. Gives the names that nothing uses any more.
    pub(crate) fn after(self, before: Self, until_ms: i64, now_ms: i64) -> (Self, Vec<String>) {
        let mut unused: Vec<String> = before.previous.into_iter().map(|previous| previous.name).collect();
        let overlaps = until_ms > now_ms;
        let previous = overlaps.then(|| Previous { name: before.current.clone(), until_ms });
        if !overlaps {
            unused.push(before.current);
        }
        (Self { previous, ..self }, unused)
    }

    /// Every name that it uses.
    pub(crate) fn names(&self) -> Vec<String> {
        let previous = self.previous.as_ref().map(|previous| previous.name.clone());
        [self.current.clone()].into_iter().chain(previous).collect()
    }
}

impl Deployment {
    /// The vault, for secrets that the gateway makes.
    ///
    /// # Errors
    /// [`Usage`] saying what to do where there is none.
    fn vault_for_endpoints(&self) -> anyhow::Result<Vault> {
        self.vault()?.ok_or_else(|| {
            Usage(
                "this gateway has no vault, so it has nowhere to keep the secret that would sign these events: whoever runs it \
                 adds [vault] to its configuration, or defines the endpoint there"
                    .into(),
            )
            .into()
        })
    }

    /// Makes a signing secret and keeps it.
    ///
    /// # Errors
    /// [`Usage`] without a vault; what the vault says.
    pub(crate) fn make_signing_secret(
        &self,
        tenant: &TenantId,
        endpoint: &ConnectionName,
    ) -> anyhow::Result<(Signing, Secret)> {
        let vault = self.vault_for_endpoints()?;
        let (secret, number) = (new_secret()?, random::<8>()?);
        // A number of its own: a secret that was half made or half taken away is never taken for another one.
        let number: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
        let current = format!("{OWN_PREFIX}endpoint/{endpoint}/{number}");
        vault.put_own(tenant, &current, &secret)?;
        Ok((Signing { current, previous: None }, secret))
    }

    /// Takes secrets out that nothing uses any more. One that stays harms nobody, so a fault is told and no more.
    pub(crate) fn forget_signing_secrets(&self, tenant: &TenantId, names: &[String]) {
        let Ok(Some(vault)) = self.vault() else { return };
        for name in names.iter().filter(|name| name.starts_with(OWN_PREFIX)) {
            if let Err(error) = vault.remove(tenant, name) {
                tracing::warn!(%tenant, name, %error, "A signing secret that is used no more stays in the vault");
            }
        }
    }
}

/// 32 random bytes as Standard Webhooks writes them.
fn new_secret() -> anyhow::Result<Secret> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(random::<32>()?);
    Ok(Secret::new(format!("whsec_{text}")))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    use rand::TryRngCore as _;
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes)?;
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
    fn two_secrets_are_32_random_bytes_each_and_differ() -> anyhow::Result<()> {
        use base64::Engine as _;
        let (one, two) = (new_secret()?, new_secret()?);
        assert_ne!(one, two);
        let text = one.expose().strip_prefix("whsec_").unwrap_or_default();
        assert_eq!(base64::engine::general_purpose::STANDARD.decode(text)?.len(), 32);
        Ok(())
    }

    #[test]
    fn an_endpoint_whose_client_named_the_secret_is_told_to_be_made_again() {
        let old = r#"{"url":"https://a.example/","entities":["employee"],"secret":{"vault":"theirs"}}"#;
        let error = KeptEndpoint::read(old).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("make it again"), "{error}");
    }
}
