//! Where to go on: the cursors that vendors use, as text in the gateway's opaque cursor.
//!
//! [`Listing`] for whole lists by offset, [`Offset`] and [`PageNumber`] for other vendors that count, [`link_next`] for those that
//! send a `Link` header, and [`Token`] for a vendor's own `next_cursor`, however it tells the end. [`Since`] is for vendors that are
//! asked for what changed.

mod count;
mod link;
mod listing;
mod since;
mod token;

pub use count::{Offset, PageNumber};
pub use link::link_next;
pub use listing::Listing;
pub use since::{Since, Window};
pub use token::Token;

use crate::http::{Request, Response};
use crate::{Failure, ListEnds};
use serde::de::DeserializeOwned;

/// Names the request for the next page while this one is still to be mapped, for a list with a cursor of the vendor's: `list` and `next`
/// are the pointers to the list and to the cursor, `ask` makes the request from the cursor.
pub fn prefetch_next(answer: &Response, (list, next): (&str, &str), ask: impl FnOnce(&str) -> Request) {
    let token = ListEnds::of(answer, list).and_then(|ends| ends.get::<Token>(next));
    if let Some(token) = token.and_then(Token::text) {
        ask(&token).prefetch();
    }
}

/// A cursor of ours that cannot be read is the gateway's to explain: a stream that was renamed, a plugin that was
/// replaced by an older one.
fn resume<T: DeserializeOwned + Default>(cursor: Option<&str>) -> Result<T, Failure> {
    match cursor {
        None => Ok(T::default()),
        Some(text) => crate::locate::parse(text.as_bytes())
            .map_err(|fault| Failure::invalid_input(format!("the cursor is not of this connector: {fault}"))),
    }
}

/// Cursors are structs of numbers and texts: such JSON can always be written.
fn text_of(cursor: &impl serde::Serialize) -> String {
    serde_json::to_string(cursor).unwrap_or_default()
}
