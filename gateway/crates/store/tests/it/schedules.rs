//! Random schedules against a model: how they are made, told and played, each on a store of its own, on both backends.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};

use crate::bed::Bed;

/// Plays so many schedules; says which one failed.
pub(crate) fn on_sqlite<S: Clone + Debug>(
    cases: u32,
    steps: impl Strategy<Value = Vec<S>>,
    play: impl AsyncFn(Bed, Vec<S>),
) {
    run(cases, &steps, async || Some(Bed::sqlite().await), play);
}

/// The same where a server is named.
pub(crate) fn on_postgres<S: Clone + Debug>(
    cases: u32,
    steps: impl Strategy<Value = Vec<S>>,
    play: impl AsyncFn(Bed, Vec<S>),
) {
    run(cases, &steps, Bed::postgres, play);
}

fn run<S: Clone + Debug>(
    cases: u32,
    steps: &impl Strategy<Value = Vec<S>>,
    make: impl AsyncFn() -> Option<Bed>,
    play: impl AsyncFn(Bed, Vec<S>),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config::default());
    for case in 0..cases {
        let schedule = steps.new_tree(&mut runner).unwrap().current();
        eprintln!("schedule {case}: {schedule:?}");
        let played = runtime.block_on(async {
            let Some(bed) = make().await else { return false };
            play(bed, schedule).await;
            true
        });
        if !played {
            return;
        }
    }
}
