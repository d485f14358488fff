//! What is under way when a tenant moves: deliveries of vendors, reads that they asked for, deliveries that are in flight, what the gateway
//! wrote of interviews with its causes, links and timers. It goes on where it stood: known deliveries stay known, and what was in flight is
//! sent again under its key.

use std::path::Path;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, RecordId, StreamName};
use renmen_store::inbox::{Intake, RefreshAsk};
use renmen_store::outbox::{
    Advance, AttemptEnd, Claim, DeliveryQuery, DeliveryState, FlowOrigin, FlowPut, NewDelivery, ReceiptKept, Settle,
};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, Cause, ContentHash, Follow, LinkedQuery, Parent,
    ScreenTokenRow, Store, StoreError, TimerWrite,
};

use crate::inbox::{intake, record};
use crate::moving::{export, forget, import, pairs};
use crate::puller::{Puller, connection, everything, key, rec, tenant};

/// By the clock of the caller and of servers: both are real.
fn now_ms() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

fn vendor() -> ConnectionName {
    ConnectionName::new("vendor").unwrap()
}

fn delivery(of: RecordId, number: u8, state: DeliveryState, now_ms: i64) -> NewDelivery {
    NewDelivery {
        seq: 1,
        record: of,
        connection: vendor(),
        action: "send".into(),
        key: ContentHash::of(&[number]).0,
        lane: [number; 16],
        not_before_ms: now_ms - 10_000,
        deadline_ms: None,
        state,
        input: format!("{{\"n\":{number}}}").into_bytes(),
        input_hash: [0; 16],
        hops: 0,
        caused_by: None,
        error: None,
    }
}

fn asks() -> Vec<RefreshAsk> {
    let ask = |id: &str| RefreshAsk { stream: "users".parse().unwrap(), external_id: Some(id.to_owned()) };
    vec![ask("a"), ask("b")]
}

fn timers(now_ms: i64) -> Vec<TimerWrite> {
    let set = |name: &str, due_ms| TimerWrite::Set { name: name.to_owned(), due_ms };
    vec![set("interview/late", now_ms - 1), set("interview/later", now_ms + 3_600_000)]
}

async fn claim(store: &Arc<dyn Store>, limit: u32, lease_ms: i64) -> Vec<(i64, [u8; 16], i64)> {
    let claim = Claim { tenant: tenant(), connection: vendor(), limit, now_ms: now_ms(), lease_ms };
    let claimed = store.claim(claim).await.unwrap();
    claimed.into_iter().map(|one| (one.delivery.id, one.delivery.key, one.token)).collect()
}

/// Gives the delivery that is in flight: its key and its token.
async fn work(store: &Arc<dyn Store>) -> ([u8; 16], i64) {
    let now = now_ms();
    Puller::begin(store, key(), now).await.put(vec![rec("a", "1")]).await;
    let subject = everything(store).await.remove(0).id;
    store.take_in(intake("whole", vec![record("u1", "{}", 1)])).await.unwrap();
    store.take_in(Intake { refreshes: asks(), ..intake("announced", Vec::new()) }).await.unwrap();
    // One of the reads is under way.
    assert_eq!(store.claim_refreshes(now, 200, &[], 1).await.unwrap().len(), 1);

    let decision = AuthoredRecord {
        entity: "decision".into(),
        external_id: "d1".into(),
        body: b"{}".to_vec(),
        deleted: None,
        causes: vec![Cause { record: subject, revision: 1 }],
        expect: None,
        parents: vec![Parent { connection: connection(), entity: "employee".into(), external_id: "a".into() }],
    };
    let stream = StreamName::new("interview-loop").unwrap();
    let follow = Some(Follow { from: 0, to: 2 });
    let commit = AuthoredCommit {
        records: vec![decision],
        timers: timers(now),
        follow,
        ..AuthoredCommit::of(tenant(), stream, now)
    };
    store.author(commit).await.unwrap();
    let token = ScreenTokenRow { hash: [5; 32], tenant: tenant(), interview: subject, expires_at_ms: now + 3_600_000 };
    store.put_screen_token(token, now).await.unwrap();

    let put = FlowPut {
        tenant: tenant(),
        name: "f".into(),
        origin: FlowOrigin::Api,
        definition: "{}".into(),
        enabled: true,
        from_beginning: true,
        now_ms: now,
    };
    let flow = store.put_flow(put).await.unwrap();
    let deliveries = vec![
        delivery(subject, 1, DeliveryState::Pending, now),
        delivery(subject, 2, DeliveryState::Pending, now),
        delivery(subject, 3, DeliveryState::Pending, now),
        delivery(subject, 4, DeliveryState::Dead, now),
    ];
    let step =
        Advance { flow: flow.id, version: flow.version, from: flow.position, to: 2, deliveries, supersede: Vec::new() };
    store.advance(vec![step], now).await.unwrap();
    let claimed = claim(store, 2, 200).await;
    let receipt = ReceiptKept { reference: Some("ok".into()), detail: "{}".into() };
    let end = AttemptEnd::Delivered(receipt);
    let settle = Settle { delivery: claimed[0].0, token: claimed[0].2, end, notice: None, now_ms: now };
    assert_eq!(store.settle(vec![settle]).await.unwrap(), [true]);
    (claimed[1].1, claimed[1].2)
}

/// What of it must be the same wherever the tenant is.
async fn shown(store: &Arc<dyn Store>) -> Vec<String> {
    let tenant = tenant();
    let mut shown = vec![format!("{:?}", store.inbox(&tenant, None, None, 100).await.unwrap())];
    let query = DeliveryQuery { limit: 100, ..DeliveryQuery::default() };
    for row in store.deliveries(&tenant, &query).await.unwrap() {
        // A claim of the old place does not count there.
        let state = if row.state == DeliveryState::InFlight { DeliveryState::Pending } else { row.state };
        shown.push(format!("{} {:?} {:?} {:?} {:?}", row.id, row.key, row.input, row.receipt, state));
    }
    shown.push(format!("{:?}", store.flows(&tenant).await.unwrap()));
    shown.push(format!("{:?}", store.due_timers(&tenant, "interview-loop", i64::MAX, 100).await.unwrap()));
    let parent = Parent { connection: connection(), entity: "employee".into(), external_id: "a".into() };
    let connections = vec![ConnectionName::new(BUILT_IN_CONNECTION).unwrap()];
    let children = LinkedQuery { parent, connections, entities: Vec::new(), after: None, limit: 10 };
    let linked = store.linked(&tenant, &children).await.unwrap();
    assert_eq!(linked.len(), 1);
    shown.push(format!("{linked:?} {:?}", store.causes(&tenant, linked[0].id, 1).await.unwrap()));
    shown.push(format!("{:?}", store.screen_token(&[5; 32]).await.unwrap()));
    shown
}

async fn moves(folder: &Path) {
    for (no, (from, to)) in pairs(folder).await.into_iter().enumerate() {
        let source = from.open().await;
        let (in_flight, old_token) = work(&source).await;
        let before = shown(&source).await;
        let file = folder.join(format!("work{no}"));
        let left = export(&from, &file).await.unwrap();
        assert_eq!(left.cut, 1, "an attempt did not end in time");
        let late = Intake { refreshes: asks(), ..intake("late", Vec::new()) };
        assert!(matches!(source.take_in(late).await, Err(StoreError::Unavailable(_))), "the vendor sends it again");
        let claim_late = Claim { tenant: tenant(), connection: vendor(), limit: 10, now_ms: now_ms(), lease_ms: 200 };
        let refused = source.claim(claim_late).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "nothing is begun where it leaves");
        import(&to, &file).await.unwrap();

        let target = to.open().await;
        assert_eq!(shown(&target).await, before, "{no}");
        let again = target.take_in(intake("whole", vec![record("u1", "{}", 1)])).await.unwrap();
        assert!(again.repeated, "a delivery that was taken in is known");
        assert!(!target.take_in(intake("late", vec![record("u2", "{}", 1)])).await.unwrap().repeated);
        let (mut claimed, mut reads) = (Vec::new(), Vec::new());
        while claimed.len() < 2 || reads.len() < 2 {
            // The leases of the source end first.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            claimed.extend(claim(&target, 10, 60_000).await);
            reads.extend(target.claim_refreshes(now_ms(), 60_000, &[], 10).await.unwrap());
        }
        let keys: Vec<_> = claimed.iter().map(|(_, key, _)| *key).collect();
        assert!(
            keys.contains(&in_flight) && keys.len() == 2,
            "what was in flight, and what waited; nothing that ended"
        );
        let end = AttemptEnd::Released;
        let (id, ..) = claimed.iter().find(|(_, key, _)| *key == in_flight).copied().unwrap();
        let stale = Settle { delivery: id, token: old_token, end, notice: None, now_ms: now_ms() };
        assert_eq!(
            target.settle(vec![stale]).await.unwrap(),
            [false],
            "an end that comes late from the old place counts for nothing"
        );
        drop((source, target));
        renmen_store::tenant_moved(from.options.clone(), &tenant(), "elsewhere", now_ms()).await.unwrap();
        let deleted = forget(&from).await.unwrap();
        let rows = |name: &str| deleted.iter().find(|table| table.name == name).map_or(0, |table| table.rows);
        assert_eq!((rows("delivery"), rows("inbox"), rows("refresh"), rows("timer"), rows("link")), (4, 2, 2, 2, 1));
        from.end().await;
        to.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_when_a_tenant_moves_goes_on_where_it_arrives() {
    let folder = tempfile::tempdir().unwrap();
    moves(folder.path()).await;
}
