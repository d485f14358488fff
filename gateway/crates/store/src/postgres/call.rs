//! One call of the store: how long it may take, and what becomes of the connections that it held when it is given up.
//!
//! A call is a future, and a future can be dropped at any time: because it took too long, or because its caller is gone. A statement that
//! is under way then goes on in the server, and its connection cannot be given to another call before it has ended. So the statement
//! is cancelled, and the connection is thrown away.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;

use crate::StoreError;
use crate::error::READ_ONLY;

tokio::task_local! {
    static CALL: Call;
}

/// The connections that a call holds.
#[derive(Clone, Default)]
struct Call(Arc<Mutex<Vec<Box<dyn Held>>>>);

/// A connection that a call holds.
pub(super) trait Held: Send {
    /// Its call was dropped before its end: no other may get it, and what it does in the server ends.
    fn give_up(self: Box<Self>);
    /// Its server takes no writes any more: no call may get a connection to it.
    fn leave_server(self: Box<Self>);
}

/// Notes for the call that is under way that it holds a connection.
pub(super) fn hold(connection: impl FnOnce() -> Box<dyn Held>) {
    // Outside of a call, as while the store is opened, nothing is given up half-way.
    let _ = CALL.try_with(|call| call.0.lock().push(connection()));
}

/// Does work as one call, which is given up after a while with what `late` says.
pub(super) async fn in_call<T>(
    limit: Duration,
    late: impl FnOnce() -> StoreError,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let call = Call::default();
    let work = Revocable { work: Some(Box::pin(CALL.scope(call.clone(), work))), call: call.clone() };
    let result = tokio::time::timeout(limit, work).await.map_err(|_| late())?;
    if matches!(&result, Err(StoreError::Unavailable(why)) if why.starts_with(READ_ONLY)) {
        call.leave_server();
    }
    result
}

/// Work that is taken back where it stands when it is dropped before its end.
struct Revocable<F> {
    work: Option<Pin<Box<F>>>,
    call: Call,
}

impl<F: Future> Future for Revocable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let output = std::task::ready!(work.as_mut().poll(cx));
        self.work = None;
        Poll::Ready(output)
    }
}

impl<F> Drop for Revocable<F> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            // First, because with the work its connections go back to the pool.
            self.call.give_up();
            drop(work);
        }
    }
}

impl Call {
    fn give_up(&self) {
        self.0.lock().drain(..).for_each(Held::give_up);
    }

    fn leave_server(&self) {
        self.0.lock().drain(..).for_each(Held::leave_server);
    }
}
