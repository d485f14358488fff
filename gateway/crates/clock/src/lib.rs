//! What time it is, and how long to wait before trying again. A leaf: it must not know who waits and for what.

mod backoff;
mod clock;

pub use backoff::{Backoff, up_to_whole, upper_half};
pub use clock::{Clock, ManualClock, SystemClock, now_ms};
