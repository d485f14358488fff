//! The statements of the outbox that read the same on both backends. SQLite numbers `$n` by their first appearance, so they
//! appear in their order.

/// Columns of [`super::rows::flow`].
pub(crate) const FLOW_SELECT: &str =
    "SELECT id, tenant, name, version, origin, definition, enabled, retired, position, changed_at FROM flow ";

pub(crate) const FLOW_ONE: &str = "WHERE tenant = $1 AND name = $2";

pub(crate) const FLOW_INSERT: &str = "INSERT INTO flow (tenant, name, version, origin, definition, enabled, retired, position, \
     changed_at) VALUES ($1, $2, 1, $3, $4, $5, 0, $6, $7)";

pub(crate) const FLOW_UPDATE: &str = "UPDATE flow SET version = $1, origin = $2, definition = $3, enabled = $4, retired = 0, \
     position = $5, changed_at = $6 WHERE id = $7";

pub(crate) const FLOW_VERSION_INSERT: &str =
    "INSERT INTO flow_version (flow, version, definition, at_ms) VALUES ($1, $2, $3, $4)";

pub(crate) const FLOW_VERSIONS: &str = "SELECT v.version, v.definition, v.at_ms FROM flow f JOIN flow_version v ON v.flow = f.id \
     WHERE f.tenant = $1 AND f.name = $2 ORDER BY v.version DESC LIMIT $3";

pub(crate) const FLOW_RETIRE: &str =
    "UPDATE flow SET retired = 1, enabled = 0, changed_at = $1 WHERE id = $2 AND retired = 0";

pub(crate) const FLOW_WITHHOLD: &str = "UPDATE delivery SET state = 7, updated_at = $1, error = 'flow_gone: the flow was taken away' \
     WHERE flow = $2 AND state = 1";

/// Position and version of a flow that makes deliveries; locked on PostgreSQL.
pub(crate) const FLOW_STAND: &str = "SELECT position, version FROM flow WHERE id = $1 AND enabled = 1 AND retired = 0";

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

/// Of which lanes that a change has outdated: whatever nobody attempted yet.
pub(crate) const SUPERSEDE: &str = "UPDATE delivery SET state = 7, updated_at = $1, \
     error = 'superseded: a newer change of the record took its place' WHERE lane = $2 AND state = 1 AND attempts = 0 AND seq < $3";

pub(crate) const DESTINATION: &str = "SELECT id FROM destination WHERE tenant = $1 AND connection = $2";

pub(crate) const DESTINATION_INSERT: &str =
    "INSERT INTO destination (tenant, connection) VALUES ($1, $2) ON CONFLICT DO NOTHING";

pub(crate) const POLICY: &str =
    "SELECT policy FROM destination WHERE tenant = $1 AND connection = $2 AND policy IS NOT NULL";

pub(crate) const POLICY_SET: &str = "UPDATE destination SET policy = $1 WHERE id = $2";

/// Of a delivery that did not arrive: it is worked out again, and looks like nothing else until then.
pub(crate) const INPUT_FORGET: &str = "UPDATE delivery SET input = $1, input_hash = key \
     WHERE id = $2 AND destination = $3 AND state IN (1, 2, 6, 7, 8)";

pub(crate) const DELIVERY_INSERT: &str = "INSERT INTO delivery (flow, version, seq, record, destination, action, key, lane, state, \
     not_before, next_at, deadline, input, input_hash, error, hops, caused_by, created_at, updated_at, by_hand) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18) RETURNING id";

/// What may be claimed: due, and in its lane nothing before it that is not at its end.
pub(crate) const CLAIMABLE: &str = "SELECT d.id FROM delivery d WHERE d.destination = $1 AND d.state <= 4 AND d.next_at <= $2 \
     AND (d.state > 2 OR NOT EXISTS (SELECT 1 FROM delivery e WHERE e.lane = d.lane AND e.state <= 2 AND e.id < d.id)) \
     ORDER BY d.next_at, d.id LIMIT $3";

/// The claim: a delivery that was sent is being confirmed, another is in flight. The lease is when it is due again.
pub(crate) const CLAIM: &str = "UPDATE delivery SET state = CASE WHEN state > 2 THEN 4 ELSE 2 END, \
     attempts = attempts + CASE WHEN state > 2 THEN 0 ELSE 1 END, token = $1, next_at = $2, updated_at = $3 WHERE id = $4";

/// A settled attempt; what is NULL stays as it is.
pub(crate) const SETTLE: &str = "UPDATE delivery SET state = $1, next_at = $2, error = $3, reference = coalesce($4, reference), \
     detail = coalesce($5, detail), failures = failures + $6, attempts = attempts + $7, updated_at = $8 \
     WHERE id = $9 AND token = $10 AND state IN (2, 4)";

/// Makes the timer due of each notification and adjust instruction of the gateway's own among the records that `$which` names by `$3`, later than it may
/// have been due before: whoever is at work on that end must not take this one for the same.
macro_rules! wake {
    ($which:literal) => {
        concat!(
            "INSERT INTO timer (tenant, stream, name, due_ms) \
             SELECT s.tenant, CAST($1 AS text), r.external_id, CAST($2 AS bigint) FROM record r JOIN scope s ON s.id = r.scope \
             WHERE r.id IN (",
            $which,
            ") AND s.connection = 'renmen' AND s.entity IN ('notification', 'model_adjustment') ON CONFLICT (tenant, stream, name) DO UPDATE \
             SET due_ms = CASE WHEN timer.due_ms < excluded.due_ms THEN excluded.due_ms ELSE timer.due_ms + 1 END"
        )
    };
}
/// Of a record for which a delivery was made that is at its end already.
pub(crate) const WAKE_RECORD: &str = wake!("$3");
/// Of the record of a delivery.
pub(crate) const WAKE_DELIVERY: &str = wake!("SELECT d.record FROM delivery d WHERE d.id = $3");
/// Of the records whose deliveries a flow that is taken away still had to send.
pub(crate) const WAKE_FLOW: &str = wake!("SELECT d.record FROM delivery d WHERE d.flow = $3 AND d.state = 1");

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
             JOIN change c ON c.seq = d.seq JOIN record r ON r.id = d.record JOIN scope s ON s.id = r.scope "
        )
    };
}
pub(crate) const DELIVERY_SELECT: &str = delivery_select!("d.input");
/// Without the input.
pub(crate) const DELIVERY_LIST: &str = delivery_select!("d.key");

/// The flow that hand-made deliveries stand under: never asked, never listed.
pub(crate) const HAND_FLOW_INSERT: &str = "INSERT INTO flow (tenant, name, version, origin, definition, enabled, retired, position, \
     changed_at) VALUES ($1, $2, 1, 2, '{}', 0, 1, 0, $3) ON CONFLICT DO NOTHING";

/// Is a flow there to make deliveries under, in this version?
pub(crate) const HAND_FLOW_STANDS: &str = "SELECT id FROM flow WHERE id = $1 AND version = $2 AND retired = 0";

/// The delivery that a person made with a key.
pub(crate) const HAND_MADE: &str = "SELECT id FROM delivery WHERE key = $1 AND by_hand IS NOT NULL";

pub(crate) const DUE: &str = "SELECT tenant, connection, next_at FROM (SELECT t.tenant, t.connection, \
     (SELECT min(d.next_at) FROM delivery d WHERE d.destination = t.id AND d.state <= 4) AS next_at FROM destination t) w \
     WHERE next_at IS NOT NULL";

pub(crate) const COUNTS: &str = "SELECT f.name, d.state, count(*) FROM flow f JOIN delivery d ON d.flow = f.id \
     WHERE f.tenant = $1 GROUP BY f.name, d.state ORDER BY f.name, d.state";

/// The newest delivery that probably caused a change.
pub(crate) const ECHO: &str = "SELECT d.id, d.hops FROM delivery d JOIN destination t ON t.id = d.destination \
     WHERE t.tenant = $1 AND t.connection = $2 AND (d.reference = $3 OR d.record = $4) AND d.state IN (2, 3, 4, 5) \
     AND d.updated_at >= $5 ORDER BY d.id DESC LIMIT 1";

pub(crate) const REPEATS: &str =
    "SELECT count(*) FROM delivery WHERE record = $1 AND lane = $2 AND input_hash = $3 AND created_at >= $4";

/// Attempts that the process before was cut in: due at once. What is being confirmed is asked about again.
pub(crate) const RELEASE_ALL: &str = "UPDATE delivery SET state = CASE WHEN state = 2 THEN 1 ELSE 3 END, next_at = updated_at, \
     token = 0 WHERE state <= 4 AND state IN (2, 4)";

/// The input of a delivery that waited for it.
pub(crate) const FILL: &str = "UPDATE delivery SET input = $1, input_hash = $2 \
     WHERE id = $3 AND token = $4 AND state = 2 AND length(input) = 0";

pub(crate) const REPLAY: &str = "UPDATE delivery SET state = 1, attempts = 0, failures = 0, not_before = $1, next_at = $1, \
     deadline = NULL, updated_at = $1, input = coalesce($2, input), input_hash = coalesce($3, input_hash) \
     WHERE id = $4 AND state IN (6, 7, 8) AND length(coalesce($2, input)) > 0";

pub(crate) const REPLAY_DEAD: &str = "UPDATE delivery SET state = 1, attempts = 0, failures = 0, not_before = $1, next_at = $1, \
     deadline = NULL, updated_at = $1 WHERE flow = $2 AND state = 6 AND length(input) > 0";

pub(crate) const PRUNE: &str = "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE state > 4 AND updated_at < $1 ORDER BY id LIMIT 1000)";
