#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::*;

const QUARTER: Bounds = Bounds { connection: 0, shared: false };

fn most(connection: usize) -> Bounds {
    Bounds { connection, shared: false }
}

/// A place that is there at once, or none.
fn now(places: &Places, who: &Who, bounds: Bounds) -> Option<Place> {
    places.take(who, bounds).now_or_never()
}

/// Streams in line that take a place, do one page and go to the end of the line; gives what each connection got.
fn pages(total: usize, streams: &[Who], rounds: usize) -> BTreeMap<String, usize> {
    let places = Places::new("test", total);
    let (mut got, mut held) = (BTreeMap::new(), VecDeque::new());
    let mut line: Vec<_> = streams.iter().map(|who| (who, Box::pin(places.take(who, QUARTER)))).collect();
    for _ in 0..rounds {
        let mut at = 0;
        while at < line.len() {
            match line[at].1.as_mut().now_or_never() {
                Some(place) => {
                    let (who, _) = line.remove(at);
                    *got.entry(who.connection.to_string()).or_default() += 1;
                    held.push_back((who, place));
                }
                None => at += 1,
            }
        }
        if let Some((who, place)) = held.pop_front() {
            drop(place);
            line.push((who, Box::pin(places.take(who, QUARTER))));
        }
    }
    got
}

#[test]
fn one_connection_holds_a_quarter_and_at_least_one() {
    for (total, quarter) in [(16, 4), (4, 1), (3, 1), (1, 1), (64, 16)] {
        let places = Places::new("test", total);
        let who = Who::new("t", "greedy", "s");
        let held: Vec<_> = std::iter::from_fn(|| now(&places, &who, QUARTER)).collect();
        assert_eq!(held.len(), quarter, "of {total}");
        assert_eq!(places.waiting(), 0, "who does not wait any more has left the line");
    }
}

#[test]
fn an_operator_may_allow_more_but_the_last_quarter_is_for_those_that_hold_none() {
    let places = Places::new("test", 16);
    let greedy: Vec<_> = std::iter::from_fn(|| now(&places, &Who::new("t", "greedy", "s"), most(100))).collect();
    assert_eq!(greedy.len(), 12);
    let late: Vec<_> = (0..4).map(|n| now(&places, &Who::new("t", &format!("late-{n}"), "s"), QUARTER)).collect();
    assert!(late.iter().all(Option::is_some));
    assert!(now(&places, &Who::new("t", "later", "s"), QUARTER).is_none(), "there are no more");
}

#[test]
fn sixteen_streams_that_never_end_leave_another_connection_its_places() {
    let places = Places::new("test", 16);
    let held: Vec<_> =
        (0..16).filter_map(|n| now(&places, &Who::new("t", "slow", &format!("s{n}")), QUARTER)).collect();
    assert_eq!(held.len(), 4);
    let healthy = Who::new("t", "healthy", "s");
    assert!(now(&places, &healthy, QUARTER).is_some());
}

#[test]
fn kinds_of_one_connection_have_a_bound_of_their_own() {
    let places = Places::new("test", 64);
    let bounds = Bounds { connection: 16, shared: true };
    let hooks: Vec<_> = std::iter::from_fn(|| now(&places, &Who::new("t", "c", "urgent"), bounds)).collect();
    let pulls: Vec<_> = std::iter::from_fn(|| now(&places, &Who::new("t", "c", "bulk"), bounds)).collect();
    assert_eq!((hooks.len(), pulls.len()), (12, 4));
}

#[test]
fn connections_take_turns_however_many_streams_they_have() {
    let mut streams: Vec<_> = (0..16).map(|n| Who::new("t", "many", &format!("s{n}"))).collect();
    streams.push(Who::new("t", "one", "s"));
    let got = pages(1, &streams, 1_000);
    assert!(got["one"].abs_diff(got["many"]) <= 1, "{got:?}");
}

#[test]
fn tenants_take_turns_however_many_connections_they_have() {
    let mut streams: Vec<_> = (0..10).map(|n| Who::new("big", &format!("c{n}"), "s")).collect();
    streams.push(Who::new("small", "small", "s"));
    let got = pages(1, &streams, 1_000);
    let big: usize = got.iter().filter(|(name, _)| *name != "small").map(|(_, pages)| pages).sum();
    assert!(got["small"].abs_diff(big) <= 1, "{got:?}");
}

#[test]
fn streams_of_a_connection_take_turns() {
    let places = Places::new("test", 1);
    let of = |stream: &str| Who::new("t", "c", stream);
    let (a, b) = (of("a"), of("b"));
    let mut first = now(&places, &a, QUARTER).unwrap();
    for _ in 0..3 {
        let mut again = Box::pin(places.take(&a, QUARTER));
        assert!(again.as_mut().now_or_never().is_none());
        let mut other = Box::pin(places.take(&b, QUARTER));
        assert!(other.as_mut().now_or_never().is_none());
        drop(first);
        assert!(again.as_mut().now_or_never().is_none(), "it had its turn");
        drop(other.as_mut().now_or_never().unwrap());
        first = again.as_mut().now_or_never().unwrap();
    }
}

#[test]
fn a_place_is_wanted_only_by_those_who_could_have_it() {
    let places = Places::new("test", 4);
    let held: Vec<_> = (0..4).map(|n| now(&places, &Who::new("t", &format!("c{n}"), "s"), QUARTER).unwrap()).collect();
    assert!(!held[0].is_wanted());
    let (own, other) = (Who::new("t", "c0", "t"), Who::new("t", "c9", "s"));
    let mut own = Box::pin(places.take(&own, QUARTER));
    assert!(own.as_mut().now_or_never().is_none());
    assert!(held[0].is_wanted(), "another stream of the same connection waits for it");
    assert!(!held[1].is_wanted(), "it could not have that one: it would hold two");
    let mut other = Box::pin(places.take(&other, QUARTER));
    assert!(other.as_mut().now_or_never().is_none());
    assert!(held[1].is_wanted());
}

#[test]
fn who_leaves_the_line_costs_no_place() {
    let places = Places::new("test", 1);
    let who = Who::new("t", "c", "s");
    let held = now(&places, &who, QUARTER).unwrap();
    let mut left = Box::pin(places.take(&who, QUARTER));
    assert!(left.as_mut().now_or_never().is_none());
    // It was given a place, and went away before it looked.
    drop(held);
    assert_eq!(places.taken(), 1);
    drop(left);
    assert_eq!((places.taken(), places.waiting()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_schedule_gives_out_more_than_there_is_or_leaves_a_place_empty_that_somebody_may_have(
        total in 1..9_usize,
        steps in prop::collection::vec((0..3_u8, 0..4_u8, any::<bool>(), any::<prop::sample::Index>()), 0..120),
    ) {
        let places = Places::new("test", total);
        let (mut held, mut line) = (Vec::new(), Vec::new());
        for (tenant, connection, takes, at) in steps {
            if takes {
                let who = Who::new(&tenant.to_string(), &format!("{tenant}-{connection}"), "s");
                let places = places.clone();
                line.push(Box::pin(async move { places.take(&who, QUARTER).await }));
            } else if !held.is_empty() {
                drop(held.swap_remove(at.index(held.len())));
            }
            let mut waits = Vec::new();
            for mut taking in line.drain(..) {
                match taking.as_mut().now_or_never() {
                    Some(place) => held.push(place),
                    None => waits.push(taking),
                }
            }
            line = waits;
            prop_assert_eq!(places.taken(), held.len());
            prop_assert!(held.len() <= total);
            let state = places.0.state.lock();
            prop_assert!(state.next().is_none(), "a place is empty although a waiter may have it");
            for holder in state.connections.values() {
                prop_assert!(holder.held <= (total / 4).max(1));
            }
        }
    }
}
