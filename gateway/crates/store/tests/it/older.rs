//! A store of an earlier release is brought up: what it handed out goes on to count.

use renmen_schema::id::TenantId;

use crate::bed::Bed;
use crate::puller::{Puller, key, key_of, rec, tenant};

/// Makes a store of version 17 out of one of today: one count for the changes of all tenants.
pub(crate) const SQLITE_17: &str = "
    DROP TABLE insight_row;
    DROP TABLE insight_made;
    DROP TABLE identity_member;
    DROP TABLE identity_fact;
    DROP TABLE identity_key;
    DROP TABLE identity_application;
    DROP TABLE identity_link;
    DROP TABLE identity_past_link;
    DROP TABLE identity_proposal;
    DROP TABLE identity_conflict;
    DROP TABLE identity_worn;
    DROP TABLE identity_pending;
    DROP TABLE identity_decision;
    DROP TABLE identity_state;
    DROP TABLE key_log;
    DROP INDEX wanted_key_tenant;
    DROP TABLE retention;
    DROP TABLE page_in_use;
    DROP TABLE retention_pass;
    DROP TABLE exchange_body;
    ALTER TABLE exchange DROP COLUMN shared;
    DROP TABLE tenant_move;
    DROP TABLE moved_epoch;
    DROP TABLE exchange_far;
    DROP TABLE cell_number;
    DROP TABLE vendor_rate;
    DROP TABLE vendor_place;
    DROP TABLE registry_version;
    DROP INDEX run_live;
    ALTER TABLE run DROP COLUMN holder;
    ALTER TABLE run DROP COLUMN leased_until;
    ALTER TABLE stream DROP COLUMN last_run;
    ALTER TABLE stream DROP COLUMN last_began_at;
    ALTER TABLE refresh DROP COLUMN token;
    DROP INDEX delivery_tenant;
    DROP INDEX delivery_failed;
    DROP INDEX delivery_flow_state;
    DROP INDEX delivery_ended;
    ALTER TABLE delivery DROP COLUMN tenant;
    CREATE INDEX delivery_dead ON delivery (flow, id) WHERE state = 6;
    CREATE TABLE older (seq INTEGER PRIMARY KEY, record INTEGER NOT NULL, scope INTEGER NOT NULL, kind INTEGER NOT NULL,
        revision INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;
    INSERT INTO older SELECT row_number() OVER (ORDER BY at_ms, feed, seq), record, scope, kind, revision, at_ms FROM change;
    UPDATE record SET seq = (SELECT o.seq FROM older o WHERE o.record = record.id AND o.revision = record.revision);
    UPDATE revision SET seq = (SELECT o.seq FROM older o WHERE o.record = revision.record AND o.revision = revision.revision);
    DROP TABLE change;
    ALTER TABLE older RENAME TO change;
    DROP TABLE feed;
    DROP TABLE feed_mark;
    UPDATE feed_epoch SET begins_after = 0;
    PRAGMA user_version = 17;";

/// The same on a server.
pub(crate) const POSTGRES_17: &str = "
    DROP TABLE insight_row;
    DROP TABLE insight_made;
    DROP TABLE identity_member;
    DROP TABLE identity_fact;
    DROP TABLE identity_key;
    DROP TABLE identity_application;
    DROP TABLE identity_link;
    DROP TABLE identity_past_link;
    DROP TABLE identity_proposal;
    DROP TABLE identity_conflict;
    DROP TABLE identity_worn;
    DROP TABLE identity_pending;
    DROP TABLE identity_decision;
    DROP TABLE identity_state;
    DROP TABLE key_log;
    DROP INDEX wanted_key_tenant;
    DROP TABLE retention;
    DROP TABLE page_in_use;
    DROP TABLE retention_pass;
    DROP TABLE exchange_body;
    CREATE TABLE exchange_older (LIKE exchange);
    INSERT INTO exchange_older SELECT * FROM exchange;
    DROP TABLE exchange;
    ALTER TABLE exchange_older RENAME TO exchange;
    ALTER TABLE exchange ADD CONSTRAINT exchange_pkey PRIMARY KEY (page, no);
    ALTER TABLE exchange DROP COLUMN shared;
    DROP TABLE tenant_move;
    DROP TABLE moved_epoch;
    DROP TABLE cell_number;
    DROP TABLE vendor_rate;
    DROP TABLE vendor_place;
    DROP TABLE registry_version;
    DROP INDEX run_live;
    ALTER TABLE run DROP COLUMN holder;
    ALTER TABLE run DROP COLUMN leased_until;
    ALTER TABLE stream DROP COLUMN last_run;
    ALTER TABLE stream DROP COLUMN last_began_at;
    ALTER TABLE refresh DROP COLUMN token;
    DROP INDEX delivery_tenant;
    DROP INDEX delivery_failed;
    DROP INDEX delivery_flow_state;
    DROP INDEX delivery_ended;
    ALTER TABLE delivery DROP COLUMN tenant;
    CREATE INDEX delivery_dead ON delivery (flow, id) WHERE state = 6;
    CREATE TABLE older (seq BIGINT CONSTRAINT change_key PRIMARY KEY, record BIGINT NOT NULL, scope BIGINT NOT NULL,
        kind BIGINT NOT NULL, revision BIGINT NOT NULL, at_ms BIGINT NOT NULL);
    INSERT INTO older SELECT row_number() OVER (ORDER BY at_ms, feed, seq), record, scope, kind, revision, at_ms FROM change;
    UPDATE record SET seq = o.seq FROM older o WHERE o.record = record.id AND o.revision = record.revision;
    UPDATE revision SET seq = o.seq FROM older o WHERE o.record = revision.record AND o.revision = revision.revision;
    DROP TABLE change;
    ALTER TABLE older RENAME TO change;
    ALTER TABLE change RENAME CONSTRAINT change_key TO change_pkey;
    CREATE INDEX change_scope ON change (scope, seq);
    DROP TABLE feed;
    DROP TABLE feed_mark;
    UPDATE feed_epoch SET begins_after = 0;
    CREATE TABLE feed (one BIGINT PRIMARY KEY CHECK (one = 1), seq BIGINT NOT NULL, at_ms BIGINT NOT NULL, record BIGINT NOT NULL);
    INSERT INTO feed SELECT 1, (SELECT max(seq) FROM change), (SELECT max(at_ms) FROM change), (SELECT max(id) FROM record);
    ALTER TABLE record ALTER COLUMN id DROP IDENTITY;
    UPDATE meta SET version = 17;";

async fn seqs(bed: &Bed, tenant: &TenantId, after: i64) -> Vec<i64> {
    let changes = bed.store.changes(tenant, after, None, 100).await.unwrap();
    changes.iter().map(|change| change.seq).collect()
}

async fn goes_on_after_its_old_head(bed: Bed) {
    let (globex, fresh) = (TenantId::new("globex").unwrap(), TenantId::new("fresh").unwrap());
    let mut ours = Puller::begin(&bed.store, key(), 1_000).await;
    let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_100).await;
    ours.put(vec![rec("a", "1"), rec("b", "1")]).await;
    theirs.put(vec![rec("x", "1")]).await;
    ours.now_ms = 1_200;
    ours.put(vec![rec("a", "2"), rec("c", "1")]).await;
    let before = bed.store.epoch().await.unwrap();
    let first = bed.store.changes(&tenant(), 0, None, 1).await.unwrap().remove(0).id;
    drop((ours, theirs));

    let bed = bed.reopened(SQLITE_17, POSTGRES_17).await;
    assert_eq!(seqs(&bed, &tenant(), 0).await, [1, 2, 4, 5], "as they were");
    assert_eq!(seqs(&bed, &globex, 0).await, [3]);
    for of in [&tenant(), &globex, &fresh] {
        assert_eq!(*bed.store.watch(of).borrow(), 5, "{of}");
        // Any position of before may have been handed out to any tenant: a filter went on to the end of all.
        for (seq, epoch, held) in [(5, Some(before), true), (6, Some(before), false), (5, None, true), (6, None, false)]
        {
            assert_eq!(bed.store.holds_position(of, seq, epoch).await.unwrap(), held, "{of} {seq} {epoch:?}");
        }
    }
    let mut ours = Puller::begin(&bed.store, key_of("acme", "leavers"), 1_300).await;
    let mut theirs = Puller::begin(&bed.store, key_of("globex", "leavers"), 1_000).await;
    let mut new = Puller::begin(&bed.store, key_of("fresh", "employees"), 1_000).await;
    ours.put(vec![rec("a", "3"), rec("d", "1")]).await;
    theirs.put(vec![rec("x", "2")]).await;
    new.put(vec![rec("n", "1")]).await;
    for (of, wanted) in [(&tenant(), &[6, 7][..]), (&globex, &[6]), (&fresh, &[6])] {
        assert_eq!(seqs(&bed, of, 5).await, wanted, "{of}");
        assert_eq!(*bed.store.watch(of).borrow(), *wanted.last().unwrap());
        let times = bed.store.changes(of, 0, None, 100).await.unwrap();
        assert!(times.is_sorted_by_key(|change| change.at_ms), "{of}");
    }
    let record = bed.store.record(&tenant(), first).await.unwrap().unwrap();
    assert_eq!((record.external_id.as_str(), record.revision), ("a", 3), "its id is the same");
    let query = renmen_store::RecordQuery { updated_since_ms: Some(1_200), limit: 10, ..Default::default() };
    let since: Vec<String> =
        bed.store.records(&tenant(), &query).await.unwrap().items.into_iter().map(|row| row.external_id).collect();
    assert_eq!(since, ["c", "a", "d"]);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_file_goes_on_after_its_old_head_for_every_tenant() {
    goes_on_after_its_old_head(Bed::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_goes_on_after_its_old_head_for_every_tenant() {
    if let Some(bed) = Bed::postgres().await {
        goes_on_after_its_old_head(bed).await;
    }
}
