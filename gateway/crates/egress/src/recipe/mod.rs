//! What recipes share: the values that their texts name, and keys in PEM. Owns how a text with places becomes what is sent; where it goes is
//! `credential`'s and `token`'s business.

mod body;
mod key;
mod member;
mod signed;
mod values;

pub(crate) use body::put as put_into_body;
pub(crate) use key::sign as sign_with;
pub(crate) use member::{member_text, members};
pub(crate) use signed::{SignedRecipe, named as read_named};
pub(crate) use values::{Moment, Values};
