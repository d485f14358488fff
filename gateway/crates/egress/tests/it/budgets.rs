//! The month's budget over real requests: every attempt that leaves counts, no matter what it is sent for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use renmen_egress::{Connection, Egress, EgressError, EgressOptions, NoTape, SlotSpec};
use renmen_schema::manifest::{AuthRecipe, CallBudget, Placement, TokenBody};
use renmen_vault::Secret;

use crate::support::{Act, Memory, Vendor, get, ok, options, post, reply, slot, spec, with_slot};

/// 2026-11-28 16:00 in Shanghai.
const NOW_MS: i64 = 1_795_852_800_000;

struct Rig {
    egress: Arc<Egress>,
    connection: Arc<Connection>,
    now: Arc<AtomicI64>,
}

fn rig(vendor: &Vendor, budget: CallBudget) -> Rig {
    let now = Arc::new(AtomicI64::new(NOW_MS));
    let clock = Arc::clone(&now);
    let clock = EgressOptions { clock: Arc::new(move || clock.load(Ordering::Relaxed)), ..options() };
    let egress = Egress::with(clock).unwrap();
    let mut spec = spec(&[vendor.url("")]);
    spec.limits.budget = Some(budget);
    let auth = AuthRecipe::JsonToken {
        token_url: vendor.url("/token"),
        send: TokenBody::Json,
        fields: BTreeMap::from([("key".into(), "{client_id}".into())]),
        token: "/accessToken".into(),
        expires_in: None,
        error_code: None,
        stale: None,
        place: Placement::Header { name: "x-acs-token".into(), prefix: String::new() },
        with: BTreeMap::new(),
    };
    let secret = Some(Secret::new(r#"{"client_id":"app-000001","client_secret":"canary-s3cret"}"#.into()));
    let app = SlotSpec { secret, to: None, audience: vec![], auth: Some(auth), public: vec![], seal: None };
    spec.slots.insert(slot("app"), app);
    let connection = egress.connect(spec).unwrap();
    Rig { egress, connection, now }
}

impl Rig {
    fn used(&self) -> u64 {
        self.egress.budgets()[0].figures().unwrap().used
    }
}

fn token() -> Act {
    ok(r#"{"accessToken":"token-one-of-many"}"#)
}

#[tokio::test]
async fn tokens_and_repeated_attempts_count_where_they_are_not_excepted() {
    for (except, used) in [(vec![], 3), (vec!["/token".to_owned()], 2)] {
        let vendor = Vendor::start(vec![token(), reply(500, "", ""), ok("{}")]).await;
        let rig = rig(&vendor, CallBudget { except, ..CallBudget::of(10) });
        rig.connection.send(with_slot(get(vendor.url("/pay")), "app"), &NoTape).await.unwrap();
        assert_eq!((vendor.hits(), rig.used()), (3, used));
    }
}

#[tokio::test]
async fn redirects_and_single_attempts_count_and_what_is_not_sent_does_not() {
    let vendor = Vendor::start(vec![reply(302, "location: /there\r\n", ""), ok("{}")]).await;
    let rig = rig(&vendor, CallBudget::of(10));
    let tape = Memory::default();
    rig.connection.send(get(vendor.url("/here")), &tape).await.unwrap();
    assert_eq!((vendor.hits(), rig.used()), (2, 2));
    rig.connection.send_once(post(vendor.url("/hook"), "{}")).await.unwrap();
    assert_eq!(rig.used(), 3);
    let known = Memory { known: parking_lot::Mutex::new(tape.recorded.into_inner()), ..Memory::default() };
    rig.connection.send(get(vendor.url("/here")), &known).await.unwrap();
    assert!(rig.connection.send(get("https://elsewhere.example/"), &NoTape).await.is_err());
    assert_eq!((vendor.hits(), rig.used()), (3, 3), "answered by the tape, and refused");
}

#[tokio::test]
async fn a_vendor_that_is_not_there_costs_nothing() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let gone = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let rig = rig(&Vendor { address: gone, ..vendor }, CallBudget::of(10));
    assert!(rig.connection.send(get(format!("http://{gone}/")), &NoTape).await.is_err());
    assert_eq!(rig.used(), 0);
}

#[tokio::test]
async fn beyond_the_budget_nothing_leaves_until_the_month_ends_but_what_is_excepted() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let rig = rig(&vendor, CallBudget { except: vec!["/contacts/".into()], ..CallBudget::of(2) });
    let send = async |path: &str| rig.connection.send(get(vendor.url(path)), &NoTape).await.map(drop);
    for _ in 0..2 {
        send("/pay").await.unwrap();
    }
    let error = send("/pay").await.unwrap_err();
    // From 16:00 of the 28th in UTC+8 to the end of the 30th.
    assert!(
        matches!(&error, EgressError::RateLimited { message, retry_after_ms: Some(201_600_000) } if message.contains("`month_calls_max`")),
        "{error:?}"
    );
    assert_eq!(vendor.hits(), 2);
    send("/contacts/list").await.unwrap();
    // A new token is not asked for either when the request that it is for may not go.
    assert!(rig.connection.send(with_slot(get(vendor.url("/pay")), "app"), &NoTape).await.is_err());
    assert_eq!((vendor.hits(), rig.used()), (3, 2));
    rig.now.fetch_add(201_600_000, Ordering::Relaxed);
    send("/pay").await.unwrap();
    assert_eq!((vendor.hits(), rig.used()), (4, 1));
}
