//! The statements of the outbox, and the numbers of its states in them. A state stands in the text itself and is not bound,
//! because only then can an index over some of the states be used.

use std::sync::LazyLock;

use crate::BUILT_IN_CONNECTION;
use crate::sql::Dialect;
use crate::sql::moving::{may_end, stays};

/// Waits for its time, for its turn, or for another attempt.
pub(crate) const PENDING: i64 = 1;
/// An attempt is under way, or was when its process ended.
pub(crate) const IN_FLIGHT: i64 = 2;
/// Taken by the receiver; a later read tells whether it arrived.
pub(crate) const UNCONFIRMED: i64 = 3;
/// An unconfirmed delivery about which the receiver is being asked. The last state that is not an end.
pub(crate) const CONFIRMING: i64 = 4;
pub(crate) const DELIVERED: i64 = 5;
pub(crate) const DEAD: i64 = 6;
pub(crate) const WITHHELD: i64 = 7;
pub(crate) const EXPIRED: i64 = 8;

/// A statement that names states.
type Statement = LazyLock<String>;

/// Columns of [`super::rows::flow`].
pub(crate) const FLOW_SELECT: &str =
    "SELECT id, tenant, name, version, origin, definition, enabled, retired, position, changed_at FROM flow ";

pub(crate) fn flow_insert(dialect: Dialect) -> String {
    let (id, next) = dialect.own_number("flow");
    format!(
        "INSERT INTO flow ({id}tenant, name, version, origin, definition, enabled, retired, position, changed_at)
         VALUES ({next}$1, $2, 1, $3, $4, $5, 0, $6, $7) RETURNING id"
    )
}

pub(crate) const FLOW_UPDATE: &str = "UPDATE flow SET version = $1, origin = $2, definition = $3, enabled = $4, retired = 0, \
     position = $5, changed_at = $6 WHERE id = $7";

pub(crate) const FLOW_VERSION_INSERT: &str =
    "INSERT INTO flow_version (flow, version, definition, at_ms) VALUES ($1, $2, $3, $4)";

pub(crate) const FLOW_VERSIONS: &str = "SELECT v.version, v.definition, v.at_ms FROM flow f JOIN flow_version v ON v.flow = f.id \
     WHERE f.tenant = $1 AND f.name = $2 ORDER BY v.version DESC LIMIT $3";

pub(crate) const FLOW_RETIRE: &str =
    "UPDATE flow SET retired = 1, enabled = 0, changed_at = $1 WHERE id = $2 AND retired = 0";

pub(crate) static FLOW_WITHHOLD: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET state = {WITHHELD}, updated_at = $1, error = 'flow_gone: the flow was taken away' \
     WHERE flow = $2 AND state = {PENDING}"
    )
});

/// Position, version and tenant of a flow that makes deliveries.
pub(crate) const FLOW_STAND: &str =
    "SELECT position, version, tenant FROM flow WHERE id = $1 AND enabled = 1 AND retired = 0";

pub(crate) const FLOW_MOVE: &str = "UPDATE flow SET position = $1 WHERE id = $2";

/// The body of a change's revision, and that of the one before. `r` is the record, `v` the revision where it was superseded.
macro_rules! feed_columns {
    () => {
        "c.seq, c.kind, c.record, r.created_at, s.entity, s.connection, r.external_id, c.revision, c.at_ms, \
         coalesce(v.body, r.body), b.body"
    };
}
macro_rules! feed_joins {
    () => {
        " JOIN record r ON r.id = c.record \
         LEFT JOIN revision v ON v.record = c.record AND v.revision = c.revision \
         LEFT JOIN revision b ON b.record = c.record AND b.revision = c.revision - 1 "
    };
}
pub(crate) use {feed_columns, feed_joins};

/// Of which lanes that a change has outdated: those not attempted yet.
pub(crate) static SUPERSEDE: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET state = {WITHHELD}, updated_at = $1, \
     error = 'superseded: a newer change of the record took its place' WHERE lane = $2 AND state = {PENDING} AND attempts = 0 AND seq < $3"
    )
});

pub(crate) const DESTINATION: &str = "SELECT id FROM destination WHERE tenant = $1 AND connection = $2";

pub(crate) fn destination_insert(dialect: Dialect) -> String {
    let (id, next) = dialect.own_number("destination");
    format!("INSERT INTO destination ({id}tenant, connection) VALUES ({next}$1, $2) ON CONFLICT DO NOTHING")
}

pub(crate) const POLICY: &str =
    "SELECT policy FROM destination WHERE tenant = $1 AND connection = $2 AND policy IS NOT NULL";

pub(crate) const POLICY_SET: &str = "UPDATE destination SET policy = $1 WHERE id = $2";

/// Of a delivery that did not arrive: it is worked out again, and looks like nothing else until then.
pub(crate) static INPUT_FORGET: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET input = $1, input_hash = key \
     WHERE id = $2 AND destination = $3 AND state IN ({PENDING}, {IN_FLIGHT}, {DEAD}, {WITHHELD}, {EXPIRED})"
    )
});

static DELIVERY_INSERT_SQLITE: Statement = LazyLock::new(|| delivery_insert_of(Dialect::Sqlite));
static DELIVERY_INSERT_POSTGRES: Statement = LazyLock::new(|| delivery_insert_of(Dialect::Postgres));

/// A delivery; `$17` is the caller's clock. What is due by that is due by the clock that claims count by, also where the caller's runs ahead.
pub(crate) fn delivery_insert(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => &DELIVERY_INSERT_SQLITE,
        Dialect::Postgres => &DELIVERY_INSERT_POSTGRES,
    }
}

fn delivery_insert_of(dialect: Dialect) -> String {
    let clock = dialect.lease_clock("$17");
    let next_at = format!(
        "CASE WHEN CAST($10 AS bigint) <= CAST($17 AS bigint) AND CAST($10 AS bigint) > {clock} THEN {clock} ELSE CAST($10 AS bigint) END"
    );
    format!(
        "INSERT INTO delivery (flow, version, seq, record, destination, action, key, lane, state, \
         not_before, next_at, deadline, input, input_hash, error, hops, caused_by, created_at, updated_at, by_hand, tenant) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {next_at}, $11, $12, $13, $14, $15, $16, $17, $17, $18, $19) RETURNING id"
    )
}

/// A destination and what its leases count by: `$3` is the caller's clock.
pub(crate) fn destination_now(dialect: Dialect) -> String {
    format!("SELECT id, {} FROM destination WHERE tenant = $1 AND connection = $2", dialect.lease_clock("$3"))
}

/// The claim of what is due, and of what was claimed and came to no end within its lease; in its lane there is nothing before it that
/// is not at its end. A delivery that was sent is being confirmed, another is in flight, and the end of its lease is when it is due
/// again. Due is by the caller's clock (`$3`), a lease by its own (`$6`); `$5` is the later of the two, by which the index is read.
pub(crate) fn claim(dialect: Dialect) -> String {
    format!(
        "UPDATE delivery SET state = CASE WHEN state > {IN_FLIGHT} THEN {CONFIRMING} ELSE {IN_FLIGHT} END, \
         attempts = attempts + CASE WHEN state > {IN_FLIGHT} THEN 0 ELSE 1 END, token = $1, next_at = $2, updated_at = $3 WHERE id IN \
         (SELECT d.id FROM delivery d WHERE d.destination = $4 AND d.state <= {CONFIRMING} AND d.next_at <= $5 \
         AND d.next_at <= CASE WHEN d.state IN ({IN_FLIGHT}, {CONFIRMING}) THEN CAST($6 AS bigint) ELSE CAST($3 AS bigint) END \
         AND (d.state > {IN_FLIGHT} OR NOT EXISTS (SELECT 1 FROM delivery e WHERE e.lane = d.lane AND e.state <= {IN_FLIGHT} AND e.id < d.id)) \
         ORDER BY d.next_at, d.id LIMIT $7{})",
        // What another gateway is claiming at this moment is passed over: it is in flight when that commits.
        dialect.skip_locked()
    )
}

/// What a claim took: a token and the end of its lease are its own.
pub(crate) static CLAIMED: Statement = LazyLock::new(|| {
    format!(
        "{DELIVERY_SELECT}WHERE d.destination = $1 AND d.state <= {CONFIRMING} AND d.next_at = $2 AND d.token = $3 ORDER BY d.id"
    )
});

/// A settled attempt; what is NULL stays as it is.
pub(crate) static SETTLE: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET state = $1, next_at = $2, error = $3, reference = coalesce($4, reference), \
     detail = coalesce($5, detail), failures = failures + $6, attempts = attempts + $7, updated_at = $8 \
     WHERE id = $9 AND token = $10 AND state IN ({IN_FLIGHT}, {CONFIRMING}) AND {}",
        may_end!("delivery.tenant")
    )
});

/// Makes the timer due of each notification and adjust instruction of the gateway's own among the records that `which` names by
/// `$3`, later than it may have been due before: work under way on that end must not take this one for the same.
fn wake(which: &str) -> String {
    format!(
        "INSERT INTO timer (tenant, stream, name, due_ms)
         SELECT DISTINCT s.tenant, CAST($1 AS text), r.external_id, CAST($2 AS bigint) FROM record r JOIN scope s ON s.id = r.scope
         WHERE r.id IN ({which}) AND s.connection = '{BUILT_IN_CONNECTION}'
         AND s.entity IN ('notification', 'model_adjustment') ON CONFLICT (tenant, stream, name) DO UPDATE
         SET due_ms = CASE WHEN timer.due_ms < excluded.due_ms THEN excluded.due_ms ELSE timer.due_ms + 1 END"
    )
}

/// Of records for which deliveries were made that are at their end already.
pub(crate) fn wake_records(dialect: Dialect) -> String {
    wake(&dialect.numbers("$3"))
}
/// Of the records of deliveries.
pub(crate) fn wake_deliveries(dialect: Dialect) -> String {
    wake(&format!("SELECT d.record FROM delivery d WHERE d.id IN ({})", dialect.numbers("$3")))
}
/// Of the records whose deliveries a flow that is taken away still had to send.
pub(crate) static WAKE_FLOW: Statement =
    LazyLock::new(|| wake(&format!("SELECT d.record FROM delivery d WHERE d.flow = $3 AND d.state = {PENDING}")));

/// What a notice takes over from the delivery that died.
pub(crate) const NOTICE_OF: &str =
    "SELECT d.flow, d.version, f.tenant FROM delivery d JOIN flow f ON f.id = d.flow WHERE d.id = $1";

/// Columns of [`super::rows::delivery`]; the input comes last, where it is asked for.
macro_rules! delivery_select {
    ($input:literal) => {
        concat!(
            "SELECT c.seq, c.kind, c.record, r.created_at, s.entity, s.connection, r.external_id, c.revision, c.at_ms, \
             d.id, f.tenant, f.name, d.version, t.connection, d.action, d.key, d.state, d.attempts, d.failures, d.not_before, \
             d.next_at, d.deadline, d.input_hash, d.reference, d.detail, d.error, d.hops, d.caused_by, d.created_at, \
             d.updated_at, d.token, d.by_hand, ",
            $input,
            " FROM delivery d JOIN flow f ON f.id = d.flow JOIN destination t ON t.id = d.destination \
             JOIN feed e ON e.tenant = f.tenant JOIN change c ON c.feed = e.id AND c.seq = d.seq JOIN record r ON r.id = d.record JOIN scope s ON s.id = r.scope "
        )
    };
}
pub(crate) const DELIVERY_SELECT: &str = delivery_select!("d.input");
/// Without the input.
pub(crate) const DELIVERY_LIST: &str = delivery_select!("d.key");

/// The flow that hand-made deliveries stand under: never asked, never listed.
pub(crate) fn hand_flow_insert(dialect: Dialect) -> String {
    let (id, next) = dialect.own_number("flow");
    format!(
        "INSERT INTO flow ({id}tenant, name, version, origin, definition, enabled, retired, position, changed_at)
         VALUES ({next}$1, $2, 1, 2, '{{}}', 0, 1, 0, $3) ON CONFLICT DO NOTHING"
    )
}

/// Is a flow there to make deliveries under, in this version?
pub(crate) const HAND_FLOW_STANDS: &str = "SELECT id FROM flow WHERE id = $1 AND version = $2 AND retired = 0";

/// The delivery that a person made with a key.
pub(crate) const HAND_MADE: &str = "SELECT id FROM delivery WHERE key = $1 AND by_hand IS NOT NULL";

/// When the first delivery of each destination is due, or its lease over; and what leases count by, `$1` being the caller's clock.
pub(crate) fn due(dialect: Dialect) -> String {
    format!(
        "SELECT tenant, connection, next_at, {} FROM (SELECT t.tenant, t.connection, \
         (SELECT min(d.next_at) FROM delivery d WHERE d.destination = t.id AND d.state <= {CONFIRMING}) AS next_at FROM destination t \
         WHERE {}) w WHERE next_at IS NOT NULL",
        dialect.lease_clock("$1"),
        stays!("t.tenant")
    )
}

/// The newest delivery that probably caused a change.
pub(crate) static ECHO: Statement = LazyLock::new(|| {
    format!(
        "SELECT d.id, d.hops FROM delivery d JOIN destination t ON t.id = d.destination \
     WHERE t.tenant = $1 AND t.connection = $2 AND (d.reference = $3 OR d.record = $4) AND d.state IN ({IN_FLIGHT}, {UNCONFIRMED}, {CONFIRMING}, {DELIVERED}) \
     AND d.updated_at >= $5 ORDER BY d.id DESC LIMIT 1"
    )
});

pub(crate) const REPEATS: &str =
    "SELECT count(*) FROM delivery WHERE record = $1 AND lane = $2 AND input_hash = $3 AND created_at >= $4";

/// Attempts that the process before was cut in: due at once. What is being confirmed is asked about again.
pub(crate) static RELEASE_ALL: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET state = CASE WHEN state = {IN_FLIGHT} THEN {PENDING} ELSE {UNCONFIRMED} END, next_at = updated_at, \
     token = 0 WHERE state <= {CONFIRMING} AND state IN ({IN_FLIGHT}, {CONFIRMING})"
    )
});

/// The same of the gateway whose tokens begin with a mark.
pub(crate) static RELEASE_OF: Statement = LazyLock::new(|| format!("{} AND token >> 32 = $1", *RELEASE_ALL));

/// The input of a delivery that waited for it.
pub(crate) static FILL: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET input = $1, input_hash = $2 \
     WHERE id = $3 AND token = $4 AND state = {IN_FLIGHT} AND length(input) = 0 AND {}",
        may_end!("delivery.tenant")
    )
});

pub(crate) static REPLAY: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET state = {PENDING}, attempts = 0, failures = 0, not_before = $1, next_at = $1, \
     deadline = NULL, updated_at = $1, input = coalesce($2, input), input_hash = coalesce($3, input_hash) \
     WHERE id = $4 AND state IN ({DEAD}, {WITHHELD}, {EXPIRED}) AND length(coalesce($2, input)) > 0"
    )
});

pub(crate) static REPLAY_DEAD: Statement = LazyLock::new(|| {
    format!(
        "UPDATE delivery SET state = {PENDING}, attempts = 0, failures = 0, not_before = $1, next_at = $1, \
     deadline = NULL, updated_at = $1 WHERE flow = $2 AND state = {DEAD} AND length(input) > 0"
    )
});

/// Deliveries that are pruned with one statement.
pub const PRUNED_MAX: u64 = 1_000;

/// What may be pruned: all but postings.
static PRUNED: Statement = LazyLock::new(|| format!("NOT (action = '{}' AND by_hand IS NOT NULL)", super::POSTING));

/// Ended before a time, as far as a count goes.
pub(crate) static PRUNABLE: Statement = LazyLock::new(|| {
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE tenant = $2 AND state > {CONFIRMING} AND updated_at < $1 AND {} LIMIT {PRUNABLE_MAX}) p",
        *PRUNED
    )
});
/// A backlog is not counted beyond.
pub const PRUNABLE_MAX: u64 = 100_000;

pub(crate) static PRUNE: Statement = LazyLock::new(|| {
    format!(
        "SELECT id FROM delivery WHERE state > {CONFIRMING} AND updated_at < $1 AND {} ORDER BY updated_at LIMIT {PRUNED_MAX}",
        *PRUNED
    )
});
