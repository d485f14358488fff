-- A flow and how far along the feed it is. A retired one stays for the deliveries that name it.
CREATE TABLE flow (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    origin     INTEGER NOT NULL,
    definition TEXT NOT NULL,
    enabled    INTEGER NOT NULL,
    retired    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE flow_version (
    flow       INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    definition TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (flow, version)
) STRICT, WITHOUT ROWID;

-- Where deliveries go, by a small number.
CREATE TABLE destination (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    UNIQUE (tenant, connection)
) STRICT;

-- States: 1 pending, 2 in flight, 3 unconfirmed, 4 being confirmed, then the ends: 5 delivered, 6 dead, 7 withheld, 8 expired.
CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    flow        INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    seq         INTEGER NOT NULL, -- the change
    record      INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    action      TEXT NOT NULL,
    key         BLOB NOT NULL,
    lane        BLOB NOT NULL,
    state       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    failures    INTEGER NOT NULL DEFAULT 0,
    not_before  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL, -- when it is due; of a claimed one: when its lease ends
    deadline    INTEGER,
    token       INTEGER NOT NULL DEFAULT 0, -- of the last claim
    input       BLOB NOT NULL,
    input_hash  BLOB NOT NULL,
    reference   TEXT,
    detail      TEXT,
    error       TEXT,
    hops        INTEGER NOT NULL,
    caused_by   INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_due ON delivery (destination, next_at, id) WHERE state <= 4;
CREATE INDEX delivery_lane ON delivery (lane, id) WHERE state <= 2;
CREATE INDEX delivery_flow ON delivery (flow, id);
CREATE INDEX delivery_record ON delivery (record, id);
CREATE INDEX delivery_reference ON delivery (destination, reference) WHERE reference IS NOT NULL;
CREATE INDEX delivery_dead ON delivery (flow, id) WHERE state = 6;
