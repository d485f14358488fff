//! The threads: each takes the next turn, polls it, and says what it used.
//!
//! As many turns go on at once as there are cores to share. A turn that cannot be interrupted and goes on for too long (a host
//! function, one big copy) no longer counts, and a spare thread takes its place: so nothing has to wait for it to end.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::account::{Account, now};
use crate::job::{self, After, Job, TurnQueue};
use crate::machine;
use crate::queue::{Class, FairQueue, SLICE};

/// A turn that lasts longer cannot be interrupted. Nanoseconds.
const OVERDUE: u64 = SLICE + 5_000_000;
/// The same, counted from when it was asked to let another go first. Nanoseconds.
const OVERDUE_ASKED: u64 = 2_000_000;
/// How much more a running connection must have used than one that comes, to be interrupted. Nanoseconds.
const MARGIN: u64 = 1_000_000;

/// What the threads are like.
pub struct Options {
    /// For the list of threads.
    pub name: &'static str,
    /// Turns at the same time; 0 leaves it to the machine: one less than its cores, at least one.
    pub threads: usize,
    /// Turns of one connection at the same time.
    pub most_each: usize,
    /// Makes what runs yield soon. Called from any thread; must not block.
    pub interrupt: Option<Box<dyn Fn() + Send + Sync>>,
}

/// The process stopped before there was an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the threads were stopped")]
pub struct Stopped;

/// See the module. When the last owner lets go of it, what is queued is dropped and the threads end.
pub struct Threads {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    turns: usize,
    interrupt: Option<Box<dyn Fn() + Send + Sync>>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    queue: FairQueue<Arc<Job>>,
    /// Given up: to be dropped before anything else, which is quick and gives memory back.
    given_up: Vec<Arc<Job>>,
    /// What each thread does.
    running: Vec<Option<Running>>,
    /// A thread waits for a turn to become overdue.
    watched: bool,
    closing: bool,
}

struct Running {
    tag: u64,
    since: u64,
    asked: Option<u64>,
}

impl Threads {
    /// Starts them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(options: Options) -> std::io::Result<Self> {
        let turns = if options.threads == 0 { machine::cores().saturating_sub(1).max(1) } else { options.threads };
        let threads = turns * 2;
        let state = State {
            queue: FairQueue::new(options.most_each),
            given_up: Vec::new(),
            running: (0..threads).map(|_| None).collect(),
            watched: false,
            closing: false,
        };
        let shared =
            Arc::new(Shared { turns, interrupt: options.interrupt, state: Mutex::new(state), changed: Condvar::new() });
        // Made first: if a later thread cannot be started, dropping it ends those that were.
        let started = Self { shared };
        for thread in 0..threads {
            let shared = Arc::clone(&started.shared);
            std::thread::Builder::new()
                .name(format!("{}-{thread}", options.name))
                .spawn(move || shared.serve(thread))?;
        }
        Ok(started)
    }

    fn turn_queue(&self) -> Weak<dyn TurnQueue> {
        let shared: Weak<Shared> = Arc::downgrade(&self.shared);
        shared
    }

    /// How many turns go on at once.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.shared.turns
    }

    /// Has the work done on these threads, regardless of which thread asks. Dropping the future gives the work up: it
    /// is dropped on these threads, at its next turn's end at the latest. Sockets and timers in it belong to the
    /// reactor of the caller.
    ///
    /// # Errors
    /// [`Stopped`].
    ///
    /// # Panics
    /// When the work does.
    pub fn run<T: Send + 'static>(
        &self,
        account: &Arc<Account>,
        class: Class,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Result<T, Stopped>> + Send + 'static {
        let (tell, told) = oneshot::channel();
        let work = job::with_answer(work, move |answer| drop(tell.send(answer)));
        let job = Job::new(self.turn_queue(), Arc::clone(account), class, work);
        let shared = Arc::clone(&self.shared);
        Answer { asked: Some((shared, job)), told, queued: false }
    }

    /// The same, begun at once and done whether or not anybody waits for it.
    pub fn begin<T: Send + 'static>(
        &self,
        account: &Arc<Account>,
        class: Class,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Begun<T> {
        let (tell, told) = oneshot::channel();
        let work = job::with_answer(work, move |answer| drop(tell.send(answer)));
        self.shared.queue(Job::new(self.turn_queue(), Arc::clone(account), class, work));
        Begun { told }
    }
}

/// Work under way that does not have to be waited for.
pub struct Begun<T> {
    told: oneshot::Receiver<Result<T, Box<dyn Any + Send>>>,
}

impl<T> Begun<T> {
    /// Waits on a thread that may wait, and not on one of the reactor's.
    ///
    /// # Errors
    /// [`Stopped`].
    ///
    /// # Panics
    /// When the work did.
    pub fn wait(self) -> Result<T, Stopped> {
        answer_of(self.told.blocking_recv().ok())
    }
}

fn answer_of<T>(told: Option<Result<T, Box<dyn Any + Send>>>) -> Result<T, Stopped> {
    match told {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        None => Err(Stopped),
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.state.lock().closing = true;
        self.shared.changed.notify_all();
    }
}

/// Waits for an answer.
struct Answer<T> {
    /// None once there is one.
    asked: Option<(Arc<Shared>, Arc<Job>)>,
    told: oneshot::Receiver<Result<T, Box<dyn Any + Send>>>,
    queued: bool,
}

impl<T> Future for Answer<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !std::mem::replace(&mut self.queued, true)
            && let Some((shared, job)) = &self.asked
        {
            shared.queue(Arc::clone(job));
        }
        let polled = std::pin::Pin::new(&mut self.told).poll(context);
        polled.map(|answer| {
            self.asked = None;
            answer_of(answer.ok())
        })
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if let Some((shared, job)) = self.asked.take()
            && job.give_up()
        {
            shared.give_up(job);
        }
    }
}

impl Shared {
    fn give_up(&self, job: Arc<Job>) {
        let mut state = self.state.lock();
        if state.closing {
            drop(state);
            job.discard();
            return;
        }
        state.given_up.push(job);
        drop(state);
        self.changed.notify_one();
    }

    fn serve(self: Arc<Self>, thread: usize) {
        machine::give_way();
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.given_up.pop() {
                drop(state);
                let began = machine::thread_time();
                job.discard();
                job.account.spend(machine::thread_time().saturating_sub(began), now());
                drop(job);
                state = self.state.lock();
                continue;
            }
            if state.closing {
                let left = state.queue.drain();
                drop(state);
                left.iter().for_each(|job| job.discard());
                return;
            }
            let now = now();
            if state.free(self.turns, now)
                && let Some(turn) = state.queue.pick(now)
            {
                state.running[thread] = Some(Running { tag: turn.tag, since: now, asked: None });
                // Another may go on as well, or has to watch this one.
                let more = state.queue.has_ready(now) && (state.free(self.turns, now) || !state.watched);
                drop(state);
                if more {
                    self.changed.notify_one();
                }
                state = self.turn(thread, turn.lane, turn.job);
                continue;
            }
            match state.wait_until(self.turns, now) {
                Some((until, watches)) if !watches || !state.watched => {
                    state.watched |= watches;
                    self.changed.wait_for(&mut state, Duration::from_nanos(until.saturating_sub(now).max(1_000)));
                    if watches {
                        state.watched = false;
                    }
                }
                _ => self.changed.wait(&mut state),
            }
        }
    }

    fn turn(&self, thread: usize, lane: u64, job: Arc<Job>) -> parking_lot::MutexGuard<'_, State> {
        let began = machine::thread_time();
        let after = job.turn();
        let used = machine::thread_time().saturating_sub(began);
        let now = now();
        let until = job.account.spend(used, now);
        let used = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
        let class = job.class;
        // Not under the lock: it may be the last owner of what the work held.
        let job = match after {
            After::Again => Some(job),
            After::Rests => {
                drop(job);
                None
            }
        };
        let mut state = self.state.lock();
        state.running[thread] = None;
        state.queue.settle(lane, used, until, now);
        if let Some(job) = job {
            state.queue.push(lane, class, job, now);
        }
        state
    }
}

impl State {
    /// May another turn begin?
    fn free(&self, turns: usize, now: u64) -> bool {
        let running = self.running.iter().flatten();
        running.filter(|turn| turn.overdue_at() > now).count() < turns && self.running.iter().any(Option::is_none)
    }

    /// Asks those that used more than `tag` to let it go first. True: at least one has to be interrupted for it.
    fn ask(&mut self, tag: u64, now: u64) -> bool {
        let mut asked = false;
        for turn in self.running.iter_mut().flatten() {
            let used = turn.tag.saturating_add(now.saturating_sub(turn.since));
            if turn.asked.is_none() && used > tag.saturating_add(MARGIN) {
                turn.asked = Some(now);
                asked = true;
            }
        }
        asked
    }

    /// When a thread without a turn has to look again, and whether it waits for a turn to become overdue.
    fn wait_until(&mut self, turns: usize, now: u64) -> Option<(u64, bool)> {
        if self.queue.has_ready(now) && self.running.iter().flatten().count() >= turns {
            let overdue = self.running.iter().flatten().map(Running::overdue_at).filter(|at| *at > now);
            return overdue.min().map(|at| (at, true));
        }
        self.queue.next_release().map(|at| (at, false))
    }
}

impl Running {
    fn overdue_at(&self) -> u64 {
        let at = self.since.saturating_add(OVERDUE);
        self.asked.map_or(at, |asked| at.min(asked.saturating_add(OVERDUE_ASKED)))
    }
}

impl TurnQueue for Shared {
    /// Takes in what wants a turn.
    fn queue(&self, job: Arc<Job>) {
        let now = now();
        let (number, class) = (job.account.number(), job.class);
        let mut state = self.state.lock();
        if state.closing {
            drop(state);
            job.discard();
            return;
        }
        let tag = state.queue.push(number, class, job, now);
        if state.free(self.turns, now) {
            drop(state);
            self.changed.notify_one();
            return;
        }
        let interrupts = state.ask(tag, now);
        let watch = !state.watched;
        drop(state);
        if interrupts && let Some(interrupt) = &self.interrupt {
            interrupt();
        }
        if watch {
            self.changed.notify_one();
        }
    }
}
