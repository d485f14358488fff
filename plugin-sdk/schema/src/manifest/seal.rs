//! What a slot is sealed for: the one scheme under which the gateway uses its secret as a key, and who may ask for it. Owns the
//! vocabulary of schemes and which of them may stand on the same secret; the cryptography is the gateway's.
//!
//! A scheme is added here together with its argument: the tests of the gateway play every attack against every scheme of
//! [`SealScheme::ALL`] and against every pair, and the section on sealing in the project's security page has a paragraph for each.

use serde::{Deserialize, Serialize};

/// What a slot's secret is a key for. A slot without this is never used as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealManifest {
    /// The one scheme of this slot.
    pub scheme: SealScheme,
    /// Who asks for it.
    #[serde(rename = "use")]
    pub used: SealUse,
}

/// Who asks for a slot's scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealUse {
    /// The connector, to find out whether a signature that came from outside is right (`seal.verify`). It is handed none.
    Verify,
    /// The connector, to sign what it sends (`seal.sign`); it may verify too.
    Sign,
    /// The gateway alone, as `[webhook.proof]` and `[webhook.answer]` say.
    Host,
}

/// What kind of scheme it is: rules are about kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealKind {
    /// A keyed digest (RFC 2104).
    Hmac,
    /// A plain digest with the key among what is hashed, in the order in which the parts stand.
    Digest,
    /// The same, of the parts sorted as bytes.
    SortedDigest,
    /// AES-256-CBC; a random IV stands before the cipher text.
    Cbc,
    /// AES-256-CBC; the IV is the first half of the key.
    CbcKeyIv,
    /// A text that is compared.
    Equal,
}

/// How the slot's text becomes the key. White space around the text does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// Its bytes.
    Raw,
    /// What its base64 stands for; padding may be missing. A `whsec_` before it (Standard Webhooks), `v1,` before that, quotes around it and
    /// white space in it are left out.
    Base64,
    /// SHA-256 of its bytes.
    Sha256,
}

macro_rules! schemes {
    ($( $(#[doc = $meaning:literal])+ $case:ident = $name:literal: $kind:ident, $form:ident; )+) => {
        /// A scheme: the algorithm, and after a colon how the slot's text becomes the key where that is not its bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum SealScheme {
            $( $(#[doc = $meaning])+ #[serde(rename = $name)] $case, )+
        }

        impl SealScheme {
            /// Every scheme that there is.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// As the manifest writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $name,)+ }
            }

            /// Its kind.
            #[must_use]
            pub const fn kind(self) -> SealKind {
                match self { $(Self::$case => SealKind::$kind,)+ }
            }

            /// How the slot's text becomes its key.
            #[must_use]
            pub const fn key_form(self) -> KeyForm {
                match self { $(Self::$case => KeyForm::$form,)+ }
            }
        }
    };
}

schemes! {
    /// HMAC-SHA1.
    HmacSha1 = "hmac-sha1": Hmac, Raw;
    /// HMAC-SHA1 with the key in base64.
    HmacSha1Base64 = "hmac-sha1:base64": Hmac, Base64;
    /// HMAC-SHA256.
    HmacSha256 = "hmac-sha256": Hmac, Raw;
    /// HMAC-SHA256 with the key in base64 (Standard Webhooks: `whsec_…`).
    HmacSha256Base64 = "hmac-sha256:base64": Hmac, Base64;
    /// HMAC-SHA512.
    HmacSha512 = "hmac-sha512": Hmac, Raw;
    /// HMAC-SHA512 with the key in base64.
    HmacSha512Base64 = "hmac-sha512:base64": Hmac, Base64;
    /// SHA-1 of what `signed` lists, the key where it lists `key`. For the gateway alone.
    Sha1 = "sha1": Digest, Raw;
    /// SHA-256 of what `signed` lists, the key where it lists `key`. For the gateway alone.
    Sha256 = "sha256": Digest, Raw;
    /// SHA-1 of the key and of what `signed` lists, sorted as bytes. For the gateway alone.
    Sha1Sorted = "sha1-sorted": SortedDigest, Raw;
    /// AES-256-CBC with PKCS#7; 16 bytes of random IV before the cipher text; the key is SHA-256 of the secret. For the gateway alone.
    Aes256CbcSha256 = "aes-256-cbc:sha256": Cbc, Sha256;
    /// The same, with the key of 32 bytes in base64. For the gateway alone.
    Aes256CbcBase64 = "aes-256-cbc:base64": Cbc, Base64;
    /// AES-256-CBC padded to blocks of 32; the IV is the first 16 bytes of the key; the key in base64. For the gateway alone.
    Aes256CbcKeyIvBase64 = "aes-256-cbc-key-iv:base64": CbcKeyIv, Base64;
    /// The secret is a text that the vendor repeats in what it sends; it is compared. For the gateway alone.
    Equal = "equal": Equal, Raw;
}

impl SealScheme {
    /// May both schemes stand on the same secret?
    ///
    /// Yes for two HMACs, for a scheme together with itself, and for the one pair that a vendor's protocol asks for:
    /// SHA-256 to prove and AES under SHA-256 of the secret to open. Everything else is refused, whether an attack on
    /// it is known or not.
    #[must_use]
    pub fn may_share(self, other: Self) -> bool {
        let pair = [self, other];
        self == other
            || (self.kind() == SealKind::Hmac && other.kind() == SealKind::Hmac)
            || pair == [Self::Sha256, Self::Aes256CbcSha256]
            || pair == [Self::Aes256CbcSha256, Self::Sha256]
    }
}

impl SealManifest {
    /// May the connector be answered whether a signature is right?
    #[must_use]
    pub fn verifies(self) -> bool {
        self.scheme.kind() == SealKind::Hmac && matches!(self.used, SealUse::Verify | SealUse::Sign)
    }

    /// Is the key asked for nothing but whether an HMAC is right? Such a key may also go onto requests: vendors sign their events with
    /// the token that they take requests with. An answer of yes or no about HMACs tells nothing of the key.
    #[must_use]
    pub fn only_checks(self) -> bool {
        self.scheme.kind() == SealKind::Hmac && self.used != SealUse::Sign
    }

    /// May the connector be handed signatures?
    #[must_use]
    pub fn signs(self) -> bool {
        self.scheme.kind() == SealKind::Hmac && self.used == SealUse::Sign
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_scheme_is_written_as_its_name_and_nothing_else_is_one() {
        for scheme in SealScheme::ALL {
            let written = serde_json::to_value(scheme).unwrap();
            assert_eq!(written, scheme.name());
            assert_eq!(serde_json::from_value::<SealScheme>(written).unwrap(), *scheme);
        }
        for wrong in ["", "md5", "HMAC-SHA1", "sha256:", "aes-256-cbc", "aes-256-cbc-key-iv", "hmac-sha256:sha256"] {
            assert!(serde_json::from_value::<SealScheme>(wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_an_hmac_is_ever_answered_to_a_connector() {
        for &scheme in SealScheme::ALL {
            for used in [SealUse::Verify, SealUse::Sign, SealUse::Host] {
                let seal = SealManifest { scheme, used };
                let hmac = scheme.kind() == SealKind::Hmac;
                assert_eq!(seal.signs(), hmac && used == SealUse::Sign, "{seal:?}");
                assert_eq!(seal.verifies(), hmac && used != SealUse::Host, "{seal:?}");
                assert_eq!(seal.only_checks(), hmac && !seal.signs(), "{seal:?}");
            }
        }
    }

    #[test]
    fn pairs_on_one_secret_are_those_with_an_argument() {
        let mut shared = Vec::new();
        for (at, &one) in SealScheme::ALL.iter().enumerate() {
            for &other in &SealScheme::ALL[at + 1..] {
                assert_eq!(one.may_share(other), other.may_share(one), "{one:?} {other:?}");
                if one.may_share(other) && one.kind() != SealKind::Hmac {
                    shared.push((one.name(), other.name()));
                }
            }
            assert!(one.may_share(one), "{one:?}");
        }
        assert_eq!(shared, [("sha256", "aes-256-cbc:sha256")]);
    }
}
