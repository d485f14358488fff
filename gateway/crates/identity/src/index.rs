//! What the engine asks of the keeper of the facts, in bulk: one question a step, however many records it is about.

use std::sync::Arc;

use crate::decision::Decision;
use crate::facts::{Facts, Key};
use crate::id::{IdentityId, MemberId};

/// A record that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// Which one.
    pub member: MemberId,
    /// [`Facts::place`].
    pub place: u32,
    /// [`Facts::name`].
    pub name: u64,
}

/// Where a member belongs, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// To this one.
    pub identity: IdentityId,
    /// As [`Identity::too_large`](crate::Identity::too_large).
    pub too_large: bool,
}

/// The facts and decisions of one tenant, of people or of units, and what was found last. Each answer has as many items as the question, in
/// its order.
pub trait Index {
    /// Why there is no answer.
    type Error;

    /// The facts of members; none for one that is no more.
    ///
    /// # Errors
    /// There is no answer.
    fn facts(&self, members: &[MemberId]) -> Result<Vec<Option<Arc<Facts>>>, Self::Error>;

    /// Who has these keys. Of a key that more than `most` have, any `most` of them.
    ///
    /// # Errors
    /// There is no answer.
    fn holders(&self, keys: &[Key], most: usize) -> Result<Vec<Vec<Holder>>, Self::Error>;

    /// The decisions in force that name these members.
    ///
    /// # Errors
    /// There is no answer.
    fn decisions(&self, members: &[MemberId]) -> Result<Vec<Vec<Decision>>, Self::Error>;

    /// Where members belong; none for one that was never settled.
    ///
    /// # Errors
    /// There is no answer.
    fn standing(&self, members: &[MemberId]) -> Result<Vec<Option<Standing>>, Self::Error>;

    /// The members of identities.
    ///
    /// # Errors
    /// There is no answer.
    fn members(&self, identities: &[IdentityId]) -> Result<Vec<Vec<MemberId>>, Self::Error>;
}
