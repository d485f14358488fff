//! Why something could not be done about an endpoint.

use renmen_egress::EgressError;
use renmen_flow::FlowError;
use renmen_schema::id::ConnectionName;
use renmen_schema::{Language, Text};
use renmen_store::StoreError;
use renmen_vault::VaultError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The tenant has no endpoint of this name.
    #[error("there is no endpoint `{0}`")]
    NotFound(ConnectionName),
    /// The definition cannot be used. Text for the person who asked.
    #[error("{en}")]
    Invalid {
        /// What is wrong with it, and what to write instead, in English.
        en: String,
        /// The same in Chinese.
        zh: String,
    },
    /// The definition may be good, but the state of the gateway does not allow it. Text for the person who asked.
    #[error("{en}")]
    Refused {
        /// Why, and what to do, in English.
        en: String,
        /// The same in Chinese.
        zh: String,
    },
    /// The vault cannot be used. Its text names files of the gateway's: for the operator alone.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The vault cannot be opened; for the operator alone.
    #[error("the vault cannot be opened: {0}")]
    VaultUnavailable(String),
    /// The store refused or is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of the gateway.
    #[error("fault: {0}")]
    Fault(String),
}

impl EndpointError {
    pub(super) fn invalid(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::Invalid { en: en.into(), zh: zh.into() }
    }

    pub(super) fn refused(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::Refused { en: en.into(), zh: zh.into() }
    }
}

impl From<FlowError> for EndpointError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Store(error) => Self::Store(error),
            FlowError::Defects(_) => {
                let (en, zh) = forms(&error);
                Self::invalid(en, zh)
            }
            error => {
                let (en, zh) = forms(&error);
                Self::refused(en, zh)
            }
        }
    }
}

/// An error in both languages.
fn forms(error: &FlowError) -> (String, String) {
    let text = Text::rendered(|| error.to_string());
    (text.in_language(Language::English).to_owned(), text.in_language(Language::Chinese).to_owned())
}

impl From<EgressError> for EndpointError {
    fn from(error: EgressError) -> Self {
        Self::refused(error.to_string(), error.to_string())
    }
}
