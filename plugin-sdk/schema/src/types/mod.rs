//! The shared types that every entity is made of.

mod coded;
mod currency;
mod date;
mod decimal;
mod ext;
mod instant;
mod localized;
mod media;
mod money;
mod pay;
mod policy;
mod reference;
mod score;
mod validity;
mod weight;

pub use coded::{CodeSet, Coded};
pub use currency::Currency;
pub use date::LocalDate;
pub use decimal::Decimal;
pub use ext::{EXT_FIELDS_MAX, Ext, ExtField, ExtKind, FieldState, FieldStates};
pub use instant::{Instant, ZonedInstant};
pub use localized::{LANGUAGES_MAX, Localized};
pub use media::MediaRef;
pub use money::Money;
pub use pay::{Incomparable, PayBasis, PayInterval, PayRange, PayRate};
pub use policy::{DataPolicy, GeoPolicy, GeoRestriction, Sensitivity};
pub use reference::{AlternateKey, EXTERNAL_ID_BYTES_MAX, ExternalId, Ref};
pub use score::{Score, ScoreScale};
pub use validity::{DateSpan, Validity};
pub use weight::{Weight, WeightSum};
