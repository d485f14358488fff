//! Several gateways on one store: who may begin a run, who may commit, and what becomes of one that was paused. Random schedules of kills,
//! pauses and clocks that are off, against a model that fits on a screen.

use proptest::prelude::{Just, Strategy, prop_oneof};
use renmen_schema::id::{ConnectionName, RunId};
use renmen_store::inbox::{Intake, RefreshAsk, RefreshRow};
use renmen_store::outbox::{FlowOrigin, FlowPut};
use renmen_store::{ApiKeyRow, KeyRole, RateAsk, RegistryVersions, RunEnd, RunState, StoreError, StoreOptions};

use crate::bed::{Bed, on_both};
use crate::puller::{Puller, everything, key, new_run, rec, tenant};
use crate::schedules;

/// As [`new_run`] has it.
const LEASE_MS: i64 = 60_000;

fn end(state: RunState, now_ms: i64) -> RunEnd {
    RunEnd { findings: Vec::new(), state, error: None, retry_at_ms: None, now_ms }
}

fn is_fenced<T>(ended: &Result<T, StoreError>) -> bool {
    matches!(ended, Err(StoreError::Fenced(_)))
}

on_both! {
    async fn of_two_gateways_that_find_a_stream_due_one_begins_the_run(bed: &Bed) {
        let store = &bed.store;
        let stand = store.stream_stand(&key(), 1_000).await.unwrap();
        assert_eq!((stand.last_run, stand.last_began_at_ms, stand.was_cut()), (None, None, false));
        let run = store.begin_due_run(new_run(&key(), 1_000), None).await.unwrap();
        let late = store.begin_due_run(new_run(&key(), 1_000), None).await;
        assert!(is_fenced(&late), "{late:?}");
        let early = store.begin_due_run(new_run(&key(), 1_000), Some(run)).await;
        assert!(matches!(early, Err(StoreError::Busy(_))), "{early:?}");
        store.finish_run(run, end(RunState::Completed, 2_000)).await.unwrap();
        let stand = store.stream_stand(&key(), 2_000).await.unwrap();
        assert_eq!((stand.last_run, stand.live_until_ms, stand.was_cut()), (Some(run), None, false));
        assert!(stand.last_began_at_ms.is_some_and(|at| at <= stand.now_ms));
        let late = store.begin_due_run(new_run(&key(), 2_000), None).await;
        assert!(is_fenced(&late), "it saw nothing of the run that ended: {late:?}");
        assert!(store.begin_due_run(new_run(&key(), 2_000), Some(run)).await.unwrap() > run);
    }

    async fn a_sign_of_life_keeps_a_stream_and_one_that_comes_too_late_does_not(bed: &Bed) {
        let store = &bed.store;
        let run = store.begin_run(new_run(&key(), 0)).await.unwrap();
        bed.time_passes(LEASE_MS - 10_000).await;
        store.renew_run(run, LEASE_MS - 10_000).await.unwrap();
        bed.time_passes(LEASE_MS - 10_000).await;
        let now_ms = 2 * (LEASE_MS - 10_000);
        assert!(store.expired_runs(now_ms).await.unwrap().is_empty());
        assert!(matches!(store.begin_run(new_run(&key(), now_ms)).await, Err(StoreError::Busy(_))));
        bed.time_passes(LEASE_MS).await;
        let now_ms = now_ms + LEASE_MS;
        assert_eq!(store.expired_runs(now_ms).await.unwrap(), [key()]);
        assert!(store.stream_stand(&key(), now_ms).await.unwrap().was_cut());
        let next = store.begin_due_run(new_run(&key(), now_ms), Some(run)).await.unwrap();
        assert!(store.expired_runs(now_ms).await.unwrap().is_empty());
        assert!(is_fenced(&store.renew_run(run, now_ms).await), "it lost its stream");
        assert!(is_fenced(&store.finish_run(run, end(RunState::Completed, now_ms)).await));
        store.renew_run(next, now_ms).await.unwrap();
    }

    async fn a_second_live_run_of_a_stream_is_refused_by_the_tables_themselves(bed: &Bed) {
        let run = bed.store.begin_run(new_run(&key(), 0)).await.unwrap();
        // As if the row of the stream had been lost sight of.
        bed.beside("UPDATE stream SET run = NULL").await;
        let second = bed.store.begin_run(new_run(&key(), 0)).await;
        assert!(second.is_err(), "{run} is under way: {second:?}");
    }

    async fn what_gateways_keep_in_memory_has_a_number_that_moves_with_each_change(bed: &Bed) {
        let store = &bed.store;
        let versions = async || store.registry_versions().await.unwrap();
        let none = versions().await;
        assert_eq!(none, RegistryVersions::default());
        let name = ConnectionName::new("erp").unwrap();
        store.put_endpoint(&tenant(), &name, "{}".to_owned(), 1).await.unwrap();
        assert_eq!(versions().await, RegistryVersions { endpoints: 1, ..none });
        store.drop_endpoint(&tenant(), &name).await.unwrap();
        let flow = FlowPut {
            tenant: tenant(),
            name: "f".to_owned(),
            origin: FlowOrigin::Api,
            definition: "{}".to_owned(),
            enabled: true,
            from_beginning: false,
            now_ms: 1,
        };
        store.put_flow(flow).await.unwrap();
        store.retire_flow(&tenant(), "f", 2).await.unwrap();
        let key = ApiKeyRow::new([7; 32], "test", tenant(), KeyRole::Owner, 0);
        store.put_api_key(key.clone()).await.unwrap();
        assert_eq!(versions().await, RegistryVersions { endpoints: 2, flows: 2, keys: 0 }, "a new key is asked for anyway");
        store.revoke_api_key(None, key.id(), 3).await.unwrap();
        assert_eq!(versions().await, RegistryVersions { endpoints: 2, flows: 2, keys: 1 });
    }

    async fn gateways_that_keep_a_rate_together_get_one_time_after_the_other(bed: &Bed) {
        let (store, name) = (&bed.store, ConnectionName::new("erp").unwrap());
        let second = 1_000_000_i64;
        let ask = |count, burst| RateAsk {
            count,
            interval_us: 100 * second,
            burst,
            wait_max_us: 1_000 * second,
            now_us: 5_000_000 * second,
        };
        let reserve = async |ask| store.reserve_requests(&tenant(), &name, ask).await.unwrap();
        let is_at = |found: Option<i64>, wanted: i64| {
            let found = found.unwrap();
            // What the server took meanwhile.
            assert!((wanted - 90 * second..=wanted).contains(&found), "{found} is not {wanted}");
        };
        is_at(reserve(ask(1, 1)).await, 0);
        is_at(reserve(ask(3, 1)).await, 100 * second);
        is_at(reserve(ask(1, 1)).await, 400 * second);
        is_at(reserve(ask(1, 3)).await, 300 * second);
        is_at(reserve(ask(4, 1)).await, 600 * second);
        is_at(reserve(ask(1, 1)).await, 1_000 * second);
        assert_eq!(reserve(ask(1, 1)).await, None, "it would wait for too long");
        assert_eq!(reserve(ask(1, 1)).await, None, "and takes nothing");
        let other = ConnectionName::new("crm").unwrap();
        is_at(store.reserve_requests(&tenant(), &other, ask(1, 1)).await.unwrap(), 0);
        // A time that no reservation can have left: the clock was set back.
        bed.beside("UPDATE vendor_rate SET next_us = next_us + 1000000000000000").await;
        is_at(reserve(ask(1, 1)).await, 0);
    }

    async fn what_was_read_under_a_claim_that_another_has_by_now_is_refused(bed: &Bed) {
        let store = &bed.store;
        let asks = vec![RefreshAsk { stream: key().stream, external_id: Some("a".to_owned()) }];
        store.take_in(Intake { refreshes: asks, ..crate::inbox::intake("1", vec![]) }).await.unwrap();
        let claim = async |now_ms: i64| store.claim_refreshes(now_ms, 10_000, &[], 10).await.unwrap();
        let paused = claim(1_000).await;
        assert!(claim(1_000).await.is_empty());
        store.renew_refreshes(paused.iter().map(RefreshRow::done).collect(), 9_000, 10_000).await.unwrap();
        bed.time_passes(9_000).await;
        assert!(claim(18_000).await.is_empty(), "it was kept");
        bed.time_passes(10_000).await;
        let other = claim(19_001).await;
        assert_eq!((other.len(), other[0].attempts), (1, 2));
        let read = |claims: &[RefreshRow], done: bool| Intake {
            delivery: None,
            held: claims.iter().map(RefreshRow::done).collect(),
            done: if done { claims.iter().map(RefreshRow::done).collect() } else { Vec::new() },
            ..crate::inbox::intake("", vec![crate::inbox::record("a", "{}", 1)])
        };
        for done in [false, true] {
            let late = store.take_in(read(&paused, done)).await;
            assert!(is_fenced(&late), "{late:?}");
        }
        assert!(everything(store).await.is_empty(), "nothing of it was written");
        store.settle_refreshes(paused.iter().map(RefreshRow::done).collect(), Vec::new(), 19_001).await.unwrap();
        assert_eq!(store.take_in(read(&other, true)).await.unwrap().outcome.created, 1);
        assert_eq!(store.next_refresh_ms().await.unwrap(), None);
        let again = store.take_in(read(&other, true)).await;
        assert!(is_fenced(&again), "it was done: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_started_again_takes_its_own_streams_back_at_once_and_no_others() {
    let Some(bed) = Bed::postgres().await else { return };
    let named = |name: &str| StoreOptions { holder: name.to_owned(), ..bed.options.clone() };
    let own = renmen_store::open(named("own")).await.unwrap();
    let other = renmen_store::open(named("other")).await.unwrap();
    let (mine, theirs) = (key(), crate::puller::key_of("acme", "leavers"));
    let run = own.begin_run(new_run(&mine, 0)).await.unwrap();
    let elsewhere = other.begin_run(new_run(&theirs, 0)).await.unwrap();
    drop(own);
    assert!(matches!(other.begin_run(new_run(&mine, 0)).await, Err(StoreError::Busy(_))), "its lease is not over");
    let successor = renmen_store::open(named("own")).await.unwrap();
    assert_eq!(successor.run(&tenant(), run).await.unwrap().unwrap().state, RunState::Interrupted);
    assert!(successor.begin_due_run(new_run(&mine, 0), Some(run)).await.unwrap() > run);
    assert!(matches!(successor.begin_run(new_run(&theirs, 0)).await, Err(StoreError::Busy(_))));
    other.renew_run(elsewhere, 0).await.unwrap();
    drop((successor, other));
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn which_streams_other_gateways_read_is_told_on_postgres() {
    let Some(bed) = Bed::postgres().await else { return };
    let options = StoreOptions { holder: "other".to_owned(), ..bed.options.clone() };
    let other = renmen_store::open(options).await.unwrap();
    let elsewhere = async |store: &std::sync::Arc<dyn renmen_store::Store>| store.runs_elsewhere(1_000).await.unwrap();
    assert!(elsewhere(&bed.store).await.is_empty());
    let run = other.begin_run(new_run(&key(), 1_000)).await.unwrap();
    assert_eq!((elsewhere(&bed.store).await, elsewhere(&other).await), (vec![key()], vec![]));
    bed.time_passes(LEASE_MS).await;
    assert!(elsewhere(&bed.store).await.is_empty(), "its gateway shows no sign of life");
    other.renew_run(run, 1_000).await.unwrap();
    assert_eq!(elsewhere(&bed.store).await, [key()]);
    other.finish_run(run, end(RunState::Completed, 2_000)).await.unwrap();
    assert!(elsewhere(&bed.store).await.is_empty());
    drop(other);
    bed.end().await;
}

/// What one of three gateways does.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Reads how the stream stands.
    Look(usize),
    /// Begins the run that it finds due.
    Begin(usize),
    Commit(usize),
    Renew(usize),
    Finish(usize),
    /// Ends without a word, and is started again under another name.
    Kill(usize),
    /// So much time passes; a gateway that does not act meanwhile is a paused one.
    Pass(i64),
    /// The clock of one is set.
    Set(usize, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..3_usize).prop_map(Step::Look),
        4 => (0..3_usize).prop_map(Step::Begin),
        6 => (0..3_usize).prop_map(Step::Commit),
        2 => (0..3_usize).prop_map(Step::Renew),
        1 => (0..3_usize).prop_map(Step::Finish),
        1 => (0..3_usize).prop_map(Step::Kill),
        3 => prop_oneof![Just(20_000_i64), Just(40_000), Just(70_000)].prop_map(Step::Pass),
        1 => (0..3_usize, -10_000_000..10_000_000_i64).prop_map(|(who, by)| Step::Set(who, by)),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What a gateway believes.
#[derive(Default)]
struct Gateway {
    known: Option<RunId>,
    puller: Option<Puller>,
    clock_off_ms: i64,
}

/// What is so.
#[derive(Default)]
struct Model {
    now_ms: i64,
    last: Option<RunId>,
    /// The run under way, and until when it holds the stream.
    live: Option<(RunId, i64)>,
    pages: usize,
}

impl Model {
    fn holds(&self, gateway: &Gateway) -> bool {
        gateway.puller.as_ref().is_some_and(|puller| self.live.is_some_and(|(run, _)| run == puller.run))
    }
}

/// The clock that a gateway shows the store: on PostgreSQL its own, which counts for nothing; the one process of SQLite has one clock.
fn clock(bed: &Bed, model: &Model, gateway: &Gateway) -> i64 {
    let off_ms = if bed.store.is_shared() { gateway.clock_off_ms } else { 0 };
    100_000_000 + model.now_ms + off_ms
}

async fn take(bed: &Bed, model: &mut Model, gateway: &mut Gateway, step: Step) {
    let (store, now_ms) = (&bed.store, clock(bed, model, gateway));
    match step {
        Step::Look(_) => {
            let stand = store.stream_stand(&key(), now_ms).await.unwrap();
            let live = model.live.is_some_and(|(_, until_ms)| until_ms > model.now_ms);
            assert_eq!((stand.last_run, stand.live_until_ms.is_some()), (model.last, live));
            let expired = store.expired_runs(now_ms).await.unwrap();
            assert_eq!(expired.len(), usize::from(model.live.is_some() && !live));
            assert!(store.runs_elsewhere(now_ms).await.unwrap().is_empty(), "what this store holds is not elsewhere");
            gateway.known = stand.last_run;
        }
        Step::Begin(_) => {
            let begun = store.begin_due_run(new_run(&key(), now_ms), gateway.known).await;
            if gateway.known != model.last {
                assert!(is_fenced(&begun), "{begun:?}");
            } else if model.live.is_some_and(|(_, until_ms)| until_ms > model.now_ms) {
                assert!(matches!(begun, Err(StoreError::Busy(_))), "{begun:?}");
            } else {
                let run = begun.unwrap();
                let cursor = store.stream_state(&key()).await.unwrap().cursor;
                gateway.puller = Some(Puller::of(store, key(), run, cursor, now_ms));
                (gateway.known, model.last) = (Some(run), Some(run));
                model.live = Some((run, model.now_ms + LEASE_MS));
            }
        }
        Step::Commit(_) => {
            let holds = model.holds(gateway);
            let Some(puller) = &mut gateway.puller else { return };
            puller.now_ms = now_ms;
            let page = puller.page(vec![rec(&format!("{:03}", model.pages), "1")]);
            let committed = puller.commit(page).await;
            assert_eq!(committed.is_ok(), holds, "{committed:?}");
            assert!(holds || is_fenced(&committed), "a zombie's write is refused as such: {committed:?}");
            if holds {
                model.pages += 1;
                model.live = model.live.map(|(run, _)| (run, model.now_ms + LEASE_MS));
            }
        }
        Step::Renew(_) => {
            let holds = model.holds(gateway);
            let Some(puller) = &gateway.puller else { return };
            let renewed = store.renew_run(puller.run, now_ms).await;
            assert_eq!((renewed.is_ok(), is_fenced(&renewed)), (holds, !holds), "{renewed:?}");
            if holds {
                model.live = model.live.map(|(run, _)| (run, model.now_ms + LEASE_MS));
            }
        }
        Step::Finish(_) => {
            let holds = model.holds(gateway);
            let Some(puller) = gateway.puller.take() else { return };
            let ended = store.finish_run(puller.run, end(RunState::Failed, now_ms)).await;
            assert_eq!((ended.is_ok(), is_fenced(&ended)), (holds, !holds), "{ended:?}");
            model.live = model.live.filter(|_| !holds);
        }
        Step::Kill(_) => *gateway = Gateway { clock_off_ms: gateway.clock_off_ms, ..Gateway::default() },
        Step::Pass(ms) => {
            bed.time_passes(ms).await;
            model.now_ms += ms;
        }
        Step::Set(_, by_ms) => gateway.clock_off_ms = by_ms,
    }
}

async fn play(bed: Bed, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut gateways: [Gateway; 3] = Default::default();
    for step in steps {
        let who = match step {
            Step::Look(who)
            | Step::Begin(who)
            | Step::Commit(who)
            | Step::Renew(who)
            | Step::Finish(who)
            | Step::Kill(who)
            | Step::Set(who, _) => who,
            Step::Pass(_) => 0,
        };
        take(&bed, &mut model, &mut gateways[who], step).await;
    }
    // Each page once, and none that was refused.
    assert_eq!(everything(&bed.store).await.len(), model.pages);
    let changes = bed.store.changes(&tenant(), 0, None, 1_000).await.unwrap();
    assert_eq!(changes.len(), model.pages);
    let running = bed.store.runs(&tenant(), None, 1_000).await.unwrap();
    let running = running.iter().filter(|run| run.state == RunState::Running).count();
    assert_eq!(running, usize::from(model.live.is_some()), "never two, and none that is known to have ended");
    bed.end().await;
}

#[test]
fn random_schedules_of_three_gateways_agree_with_the_model_on_sqlite() {
    schedules::on_sqlite(60, steps(), play);
}

#[test]
fn random_schedules_of_three_gateways_agree_with_the_model_on_postgres() {
    schedules::on_postgres(20, steps(), play);
}
