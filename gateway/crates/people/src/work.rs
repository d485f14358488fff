//! What goes on behind [`People`](crate::People): one follower a tenant.

use std::sync::Arc;

use renmen_seat::{Leave, Seat};
use tokio_util::sync::CancellationToken;

use crate::PeopleError;
use crate::follow::{Caught, Follower, LOOK_ON};

/// What goes on behind it: [`PeopleWork::run`] it for as long as the gateway serves.
pub struct PeopleWork {
    shifts: Vec<Shift>,
}

/// The work on one tenant.
pub(crate) struct Shift {
    pub(crate) seat: Arc<Seat>,
    pub(crate) follower: Follower,
}

impl PeopleWork {
    pub(crate) fn of(shifts: Vec<Shift>) -> Self {
        Self { shifts }
    }

    /// Until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut tasks = tokio::task::JoinSet::new();
        let mut seats = Vec::with_capacity(self.shifts.len());
        for Shift { seat, follower } in self.shifts {
            let (own, cancelled) = (Arc::clone(&seat), cancel.clone());
            tasks.spawn(async move { own.run(cancelled).await });
            tasks.spawn(follower.run(Arc::clone(&seat), cancel.clone()));
            seats.push(seat);
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "A part of the work on identities ended with an internal error");
            }
        }
        // Nothing is under way any more: another gateway need not wait.
        for seat in seats {
            seat.leave().await;
        }
    }

    /// Only sees how far the gateways are that work on it, so that this process can tell. Until cancelled.
    pub async fn watch(self, cancel: CancellationToken) {
        loop {
            for shift in &self.shifts {
                shift.follower.look_on().await;
                shift.follower.measure();
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(LOOK_ON) => {}
            }
        }
    }

    /// Looks once which gateway works, and does all that is to be done by now where it is this one. For tests, which move the clock.
    ///
    /// # Errors
    /// [`PeopleError::Store`] when the store is away.
    pub async fn turn(&self) -> Result<(), PeopleError> {
        for Shift { seat, follower } in &self.shifts {
            seat.look().await?;
            if seat.holds() {
                let leave = Leave::of(CancellationToken::new(), Arc::clone(seat));
                while follower.catch_up(&leave).await? == Caught::Another {}
            } else {
                follower.look_on().await;
            }
        }
        Ok(())
    }

    /// Does all that is to be done by now, once, whichever gateway has the seat.
    ///
    /// # Errors
    /// [`PeopleError::Store`] when the store is away.
    pub async fn catch_up(&self) -> Result<(), PeopleError> {
        for Shift { follower, .. } in &self.shifts {
            while follower.catch_up(&Leave::never()).await? == Caught::Another {}
        }
        Ok(())
    }
}
