//! What a request for a token needs besides the slot's secret: the slot, the configuration, the clock, and where refresh tokens are kept.

use std::sync::Arc;

use super::keeper::{RefreshTokens, SlotOf, Unkept};
use crate::ClockMs;
use crate::recipe::Moment;

/// What a request for a token needs besides the slot's secret.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) slot: SlotOf,
    pub(crate) config: Arc<serde_json::Value>,
    pub(crate) clock: ClockMs,
    /// Where refresh tokens are kept that change; none where nothing can be kept.
    pub(crate) keeper: Option<Arc<dyn RefreshTokens>>,
    /// Those that could not be kept yet.
    pub(crate) unkept: Arc<Unkept>,
}

impl Surroundings {
    /// The time and the random text of a request.
    pub(crate) fn moment(&self) -> Moment {
        Moment::at((self.clock)())
    }

    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Self {
            slot: SlotOf::for_test(),
            config: Arc::default(),
            clock: Arc::new(|| 1_700_000_000_000),
            keeper: None,
            unkept: Arc::default(),
        }
    }
}
