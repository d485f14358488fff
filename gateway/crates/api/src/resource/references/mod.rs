//! What references mean: those of the records of an answer, each with the record that it leads to; of a tenant, how many by alternate
//! key lead to none.

mod expand;
mod follow;
mod unresolved;
mod view;

pub use expand::Expand;
pub(crate) use expand::asked;
pub use follow::{FollowLimits, Followed, Shown, follow};
pub(crate) use unresolved::UnresolvedReferences;
pub use view::ReferenceView;
