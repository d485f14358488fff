//! What one call holds on the host: its requests and the answers to them, counted before they are read.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{GATEWAY_MEMORY, Held, NoMemory, Share, WAIT_MAX};
use crate::EgressError;

/// The smallest piece in which an answer of unknown length is reserved, in bytes.
const PIECE_BYTES: u64 = 64 << 10;

/// An exchange is kept as it is and packed: until its page is committed both are there.
const COPIES: u64 = 2;

/// The account of one call, and of what it brought until that is committed.
pub struct CallMemory {
    share: Share,
    /// Of what the call may hold, exchanges once.
    bytes_max: u64,
    state: Mutex<State>,
}

struct State {
    /// Bytes of requests and answers, those under way included.
    counted: u64,
    /// Reserved in the process's budget.
    held: Held,
}

impl CallMemory {
    /// For a call that may hold `bytes_max` bytes of requests and answers.
    #[must_use]
    pub fn new(share: &Share, bytes_max: u64) -> Arc<Self> {
        let held = share.try_take(0).unwrap_or_else(|_| unreachable!("nothing always fits"));
        Arc::new(Self { share: share.clone(), bytes_max, state: Mutex::new(State { counted: 0, held }) })
    }

    /// Bytes of requests and answers that it holds now.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.state.lock().counted
    }

    /// Room for one answer that is about to be read.
    #[must_use]
    pub fn room(self: &Arc<Self>) -> Room {
        Room { call: Arc::clone(self), bytes: 0 }
    }

    /// Room for what the call keeps besides its exchanges, such as the records of its page: at once or not at all. It does not
    /// count against the call's own limit, which has others for that.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub fn keep(&self, bytes: u64) -> Result<(), NoMemory> {
        let held = self.share.try_take(bytes)?;
        self.state.lock().held.join(held);
        Ok(())
    }

    /// Takes over what another account of the same connection holds: that account is empty then.
    ///
    /// # Errors
    /// [`EgressError::Limit`] beyond what this call may hold; nothing is taken over then.
    pub(crate) fn take_over(&self, other: &Self) -> Result<(), EgressError> {
        let counted = other.counted();
        self.count(counted)?;
        let nothing = self.share.try_take(0).map_err(out_of_memory)?;
        let held = {
            let mut state = other.state.lock();
            state.counted -= counted;
            std::mem::replace(&mut state.held, nothing)
        };
        self.state.lock().held.join(held);
        Ok(())
    }

    /// Room for a moment: given back when the answer is dropped.
    ///
    /// # Errors
    /// [`EgressError::OutOfMemory`].
    pub async fn lend(&self, bytes: u64) -> Result<Held, EgressError> {
        self.share.take(bytes, WAIT_MAX).await.map_err(out_of_memory)
    }

    fn count(&self, bytes: u64) -> Result<(), EgressError> {
        let mut state = self.state.lock();
        let counted = state.counted.saturating_add(bytes);
        if counted > self.bytes_max {
            return Err(EgressError::Limit {
                limit: "memory_bytes_max",
                message: format!(
                    "the requests and answers of one call would hold {counted} bytes or more, allowed are {}",
                    self.bytes_max
                ),
            });
        }
        state.counted = counted;
        Ok(())
    }

    async fn add(&self, bytes: u64) -> Result<(), EgressError> {
        // Before the wait: two answers that are read side by side must not both think that there is room.
        self.count(bytes)?;
        match self.share.take(bytes.saturating_mul(COPIES), WAIT_MAX).await {
            Ok(held) => {
                self.state.lock().held.join(held);
                Ok(())
            }
            Err(refused) => {
                self.state.lock().counted -= bytes;
                Err(out_of_memory(refused))
            }
        }
    }

    fn give_back(&self, bytes: u64) {
        let mut state = self.state.lock();
        state.counted -= bytes;
        let left = state.held.bytes().saturating_sub(bytes.saturating_mul(COPIES));
        state.held.shrink_to(left);
    }
}

impl std::fmt::Debug for CallMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallMemory").field("counted", &self.counted()).finish_non_exhaustive()
    }
}

fn out_of_memory(refused: NoMemory) -> EgressError {
    let waited = Duration::as_secs(&WAIT_MAX);
    EgressError::OutOfMemory(format!(
        "{refused}, and nothing was given back within {waited} s; it is tried again later. Raise `{GATEWAY_MEMORY}`, or lower \
         `memory_bytes_max` and `parallel_max` of the connections"
    ))
}

/// Room for one message, which grows as it is read. Dropped without [`Room::keep`] it gives everything back.
pub struct Room {
    call: Arc<CallMemory>,
    bytes: u64,
}

impl Room {
    /// Makes sure that `bytes` bytes fit. To be called before they are there.
    ///
    /// # Errors
    /// [`EgressError::Limit`] beyond the call's `memory_bytes_max`; [`EgressError::OutOfMemory`] when the process has none.
    pub async fn fit(&mut self, bytes: u64) -> Result<(), EgressError> {
        let missing = bytes.saturating_sub(self.bytes);
        if missing > 0 {
            self.call.add(missing).await?;
            self.bytes += missing;
        }
        Ok(())
    }

    /// The same for a message of which more may follow: in pieces, so that a body of many chunks does not ask for each; near the
    /// limit by the byte.
    ///
    /// # Errors
    /// As [`Room::fit`].
    pub async fn fit_more(&mut self, bytes: u64) -> Result<(), EgressError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let room_left = self.call.bytes_max.saturating_sub(self.call.counted());
        let ahead = self.bytes.saturating_add(PIECE_BYTES).max(bytes);
        self.fit(if ahead - self.bytes <= room_left { ahead } else { bytes }).await
    }

    /// The message is whole and has so many bytes: they stay reserved for as long as the call's account is there.
    pub fn keep(mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.call.give_back(surplus);
        self.bytes = 0;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.call.give_back(self.bytes);
        }
    }
}
