//! Random schedules of three gateways that divide the requests that one vendor allows at a time: asks whose answers are lost, kills,
//! pauses beyond the lease, against a model that fits on a screen.
//!
//! For every schedule: together they never have more under way than the vendor allows, and each that waits is served.

use proptest::prelude::{Just, Strategy, prop_oneof};
use renmen_schema::id::ConnectionName;
use renmen_store::{PlacesAsk, PlacesShare, StoreError};

use crate::bed::{Bed, on_both};
use crate::puller::tenant;
use crate::schedules;

/// Real time goes on while the test runs: every step of the schedule's time is far from a lease's end.
const LEASE_MS: i64 = 50_000;
const GATEWAYS: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many requests come.
    Want(usize, u32),
    Ask(usize),
    /// The answer does not arrive.
    AskInVain(usize),
    Begin(usize),
    End(usize),
    /// Ends with all that it has under way, and is started again under its name.
    Kill(usize),
    /// So much time passes; a gateway that does not act meanwhile is a paused one.
    Pass(i64),
    /// What the configuration allows.
    Most(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..GATEWAYS, 1..6_u32).prop_map(|(who, count)| Step::Want(who, count)),
        6 => (0..GATEWAYS).prop_map(Step::Ask),
        1 => (0..GATEWAYS).prop_map(Step::AskInVain),
        6 => (0..GATEWAYS).prop_map(Step::Begin),
        5 => (0..GATEWAYS).prop_map(Step::End),
        1 => (0..GATEWAYS).prop_map(Step::Kill),
        2 => prop_oneof![Just(2_000_i64), Just(20_000), Just(70_000)].prop_map(Step::Pass),
    ];
    (1..6_u32, proptest::collection::vec(step, 1..60)).prop_map(|(most, mut steps)| {
        steps.insert(0, Step::Most(most));
        steps
    })
}

/// What a gateway believes and does, as `egress` does it.
#[derive(Default, Clone, Copy)]
struct Gateway {
    may_use: u32,
    until_ms: i64,
    contended: bool,
    in_use: u32,
    waiting: u32,
}

struct Play {
    bed: Bed,
    most: u32,
    now_ms: i64,
    gateways: [Gateway; GATEWAYS],
}

fn vendor() -> ConnectionName {
    ConnectionName::new("erp").unwrap()
}

fn ask_of(gateway: usize, most: u32, (in_use, wanted): (u32, u32), now_ms: i64) -> PlacesAsk {
    let now_us = (1_000_000_000 + now_ms) * 1_000;
    PlacesAsk { gateway: format!("gateway-{gateway}"), most, in_use, wanted, lease_ms: LEASE_MS, now_us }
}

impl Play {
    async fn ask(&mut self, who: usize, arrives: bool) {
        let (now_ms, most, one) = (self.now_ms, self.most, &mut self.gateways[who]);
        if one.contended || one.until_ms <= now_ms {
            one.may_use = one.may_use.min(one.in_use);
        }
        let (in_use, wanted) = (one.may_use.max(one.in_use), (one.in_use + one.waiting).min(most));
        let share =
            self.bed.store.share_places(&tenant(), &vendor(), ask_of(who, most, (in_use, wanted), now_ms)).await;
        let share = share.unwrap();
        if arrives {
            (one.may_use, one.contended, one.until_ms) = (share.may_use, share.contended, now_ms + LEASE_MS);
        }
    }

    fn begin(&mut self, who: usize) {
        let (now_ms, one) = (self.now_ms, &mut self.gateways[who]);
        if one.waiting > 0 && one.until_ms > now_ms && one.in_use < one.may_use {
            (one.in_use, one.waiting) = (one.in_use + 1, one.waiting - 1);
        }
    }

    async fn pass(&mut self, ms: i64) {
        self.bed.time_passes(ms).await;
        self.now_ms += ms;
        for one in self.gateways.iter_mut().filter(|one| one.until_ms <= self.now_ms) {
            // No request takes as long as a lease.
            one.in_use = 0;
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Want(who, count) => self.gateways[who].waiting += count,
            Step::Ask(who) => self.ask(who, true).await,
            Step::AskInVain(who) => self.ask(who, false).await,
            Step::Begin(who) => self.begin(who),
            Step::End(who) => self.gateways[who].in_use = self.gateways[who].in_use.saturating_sub(1),
            Step::Kill(who) => self.gateways[who] = Gateway::default(),
            Step::Pass(ms) => self.pass(ms).await,
            Step::Most(most) => self.most = most,
        }
        let under_way: u32 = self.gateways.iter().map(|one| one.in_use).sum();
        assert!(under_way <= self.most, "{under_way} are under way, {} are allowed", self.most);
    }

    /// All go on without faults until nothing waits.
    async fn serve_all(&mut self) {
        for _round in 0..100 {
            for who in 0..GATEWAYS {
                self.take(Step::Ask(who)).await;
                for _ in 0..self.most {
                    self.take(Step::Begin(who)).await;
                }
            }
            if self.gateways.iter().all(|one| one.waiting == 0) {
                return;
            }
            for _ in 0..self.most {
                for who in 0..GATEWAYS {
                    self.take(Step::End(who)).await;
                }
            }
            self.take(Step::Pass(2_000)).await;
        }
        panic!("someone waits for ever");
    }
}

async fn play(bed: Bed, steps: Vec<Step>) {
    let mut play = Play { bed, most: 1, now_ms: 0, gateways: Default::default() };
    for step in steps {
        play.take(step).await;
    }
    play.serve_all().await;
    play.bed.end().await;
}

#[test]
fn random_schedules_of_gateways_that_share_a_vendor_agree_with_the_model_on_sqlite() {
    schedules::on_sqlite(80, steps(), play);
}

#[test]
fn random_schedules_of_gateways_that_share_a_vendor_agree_with_the_model_on_postgres() {
    schedules::on_postgres(12, steps(), play);
}

on_both! {
    async fn places_of_a_gateway_that_is_gone_are_the_others_when_its_lease_is_over_and_at_once_its_own_again(bed: &Bed) {
        let share = async |gateway, in_use, wanted, now_ms| {
            let ask = ask_of(gateway, 4, (in_use, wanted), now_ms);
            bed.store.share_places(&tenant(), &vendor(), ask).await.unwrap()
        };
        let got = |may_use, contended| PlacesShare { may_use, contended };
        assert_eq!(share(0, 0, 1, 0).await, got(4, false), "one alone has all");
        assert_eq!(share(1, 0, 2, 0).await, got(0, false), "it has to give some back first");
        assert_eq!(share(0, 1, 1, 0).await, got(1, false));
        assert_eq!(share(1, 0, 2, 0).await, got(2, false));
        bed.time_passes(20_000).await;
        assert_eq!(share(1, 2, 8, 20_000).await, got(3, true), "the other one shows no sign, and its lease is not over");
        bed.time_passes(40_000).await;
        assert_eq!(share(1, 3, 8, 60_000).await, got(4, false), "it is gone");
        assert_eq!(share(1, 0, 8, 60_000).await, got(4, false), "started again, it has nothing under way");
        assert_eq!(share(1, 0, 0, 60_000).await, got(0, false));
        let nameless = PlacesAsk { gateway: String::new(), ..ask_of(0, 4, (0, 1), 0) };
        let refused = bed.store.share_places(&tenant(), &vendor(), nameless).await;
        assert!(matches!(refused, Err(StoreError::BadInput(_))), "{refused:?}");
    }
}
