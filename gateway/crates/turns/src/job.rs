//! One piece of work: a future that is polled, and dropped, on the threads alone.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::account::Account;
use crate::queue::Class;

/// What is polled.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a job that was woken stands in line again.
pub(crate) trait TurnQueue: Send + Sync {
    fn queue(&self, job: Arc<Job>);
}

/// See the module.
pub(crate) struct Job {
    pub(crate) account: Arc<Account>,
    pub(crate) class: Class,
    threads: Weak<dyn TurnQueue>,
    /// The reactor that sockets and timers of the work belong to.
    reactor: Option<Handle>,
    core: Mutex<Core>,
}

struct Core {
    stage: Stage,
    /// The answer is no longer wanted.
    given_up: bool,
    work: Option<Work>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for something.
    Asleep,
    /// Waits for its turn.
    Queued,
    Polled,
    /// Was woken while it was polled.
    Woken,
    Over,
}

/// What became of a turn.
pub(crate) enum After {
    /// It wants another one.
    Again,
    /// It waits, or it is over.
    Rests,
}

impl Job {
    /// A job that is about to be queued.
    pub(crate) fn new(threads: Weak<dyn TurnQueue>, account: Arc<Account>, class: Class, work: Work) -> Arc<Self> {
        let core = Core { stage: Stage::Queued, given_up: false, work: Some(work) };
        let reactor = Handle::try_current().ok();
        Arc::new(Self { account, class, threads, reactor, core: Mutex::new(core) })
    }

    /// Polls it once. Called by a thread that took it out of the queue, and by no other at the same time.
    pub(crate) fn turn(self: &Arc<Self>) -> After {
        let mut work = {
            let mut core = self.core.lock();
            if core.given_up {
                core.stage = Stage::Over;
                let work = core.work.take();
                drop(core);
                self.drop_here(work);
                return After::Rests;
            }
            core.stage = Stage::Polled;
            match core.work.take() {
                Some(work) => work,
                None => return After::Rests,
            }
        };
        let waker = Waker::from(Arc::clone(self));
        let polled = {
            let _reactor = self.reactor.as_ref().map(Handle::enter);
            work.as_mut().poll(&mut Context::from_waker(&waker))
        };
        let mut core = self.core.lock();
        if polled.is_ready() || core.given_up {
            core.stage = Stage::Over;
            drop(core);
            self.drop_here(Some(work));
            return After::Rests;
        }
        core.work = Some(work);
        if core.stage == Stage::Woken {
            core.stage = Stage::Queued;
            return After::Again;
        }
        core.stage = Stage::Asleep;
        After::Rests
    }

    /// Gives it up. True: it sleeps, and has to be dropped by a thread.
    pub(crate) fn give_up(&self) -> bool {
        let mut core = self.core.lock();
        core.given_up = true;
        match core.stage {
            Stage::Asleep | Stage::Queued => {
                // Its entry in the queue, if it has one, finds nothing left to do.
                core.stage = Stage::Over;
                core.work.is_some()
            }
            // The thread that polls it takes care of that.
            Stage::Polled | Stage::Woken | Stage::Over => false,
        }
    }

    /// Drops what was given up.
    pub(crate) fn discard(&self) {
        let work = self.core.lock().work.take();
        self.drop_here(work);
    }

    /// A panic in the `drop` of the work must not end the thread, which is shared.
    fn drop_here(&self, work: Option<Work>) {
        let _reactor = self.reactor.as_ref().map(Handle::enter);
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(work)));
        if dropped.is_err() {
            tracing::error!(connection = self.account.name(), "Abandoned work ended with an internal error");
        }
    }
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        {
            let mut core = self.core.lock();
            match core.stage {
                Stage::Asleep => core.stage = Stage::Queued,
                Stage::Polled => {
                    core.stage = Stage::Woken;
                    return;
                }
                Stage::Queued | Stage::Woken | Stage::Over => return,
            }
        }
        if let Some(threads) = self.threads.upgrade() {
            threads.queue(self);
        }
    }
}

/// The work, which sends its answer to the caller at its end; a panic is an answer too.
pub(crate) fn with_answer<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    tell: impl FnOnce(Result<T, Box<dyn Any + Send>>) + Send + 'static,
) -> Work {
    Box::pin(async move {
        let answer = std::panic::AssertUnwindSafe(work).catch_unwind().await;
        tell(answer);
    })
}
