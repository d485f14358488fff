//! What may be done with data: the class of a field, and the policy that travels with a record.

use super::{Coded, LocalDate, Ref};
use crate::check::Walk;
use crate::code::LegalBasis;
use crate::entity::Consent;
use crate::shape::{codes, shape};
use crate::text;

codes! {
    /// How much harm a field can do, in rising order. PERSONAL and above can be encrypted at rest, masked for a role and withheld
    /// from a connection. SENSITIVE: identity documents, bank accounts, pay. SPECIAL: face, voice, health, protected groups.
    pub closed enum Sensitivity {
        Public "PUBLIC",
        Internal "INTERNAL",
        Personal "PERSONAL",
        Sensitive "SENSITIVE",
        Special "SPECIAL",
    }
}

impl Sensitivity {
    /// May its value stand in a log or an error?
    #[must_use]
    pub fn may_be_shown(self) -> bool {
        self < Self::Personal
    }
}

shape! {
    /// Purpose, legal basis and retention. Of `retain_until` and the operator's own period the earlier one wins.
    pub struct DataPolicy {
        /// What the data may be used for.
        pub purpose: Vec<String>,
        /// On what legal basis: consent, contract, legal obligation.
        pub legal_basis: Option<Coded<LegalBasis>>,
        /// The consent that it rests on.
        pub consent: Option<Ref<Consent>>,
        /// The last day on which it may be kept.
        pub retain_until: Option<LocalDate>,
        /// What may be done in which country.
        pub geo_restrictions: Vec<GeoRestriction>,
    }
}

shape! {
    /// What may be done with the data in one country.
    pub struct GeoRestriction {
        /// ISO 3166-1 alpha-2.
        #[keyword("pattern", "^[A-Z]{2}$")]
        pub country: String,
        /// The most that is allowed.
        pub policy: GeoPolicy,
    }
    rules country_rules
}

fn country_rules(restriction: &GeoRestriction, walk: &mut Walk<'_>) {
    let country = restriction.country.as_bytes();
    if country.len() != 2 || !country.iter().all(u8::is_ascii_uppercase) {
        walk.defect_in(
            "country",
            "bad_country",
            text!(
                "a text that is not a country code; expected ISO 3166-1 alpha-2, as CN",
                "文本不是国家代码；应为 ISO 3166-1 两位代码，例如 CN"
            ),
        );
    }
}

codes! {
    /// What may be done with data in a country, in rising order.
    pub closed enum GeoPolicy {
        Read "READ",
        Modify "MODIFY",
        Store "STORE",
        FullControl "FULL_CONTROL",
    }
}
