-- Deliveries that were taken in: what a repeated one is known by. Rows end with their age.
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT NOT NULL,
    connection  TEXT NOT NULL,
    identity    BLOB NOT NULL, -- digest of the vendor's id, or of the body
    delivery_id TEXT,
    received_at INTEGER NOT NULL,
    page        INTEGER NOT NULL,
    records     INTEGER NOT NULL,
    changes     INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    refreshes   INTEGER NOT NULL,
    repeats     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, connection, identity)
) STRICT;
CREATE INDEX inbox_age ON inbox (received_at);

-- Deletions of what was never seen: an older state that comes late must not bring it to life. Rows end with their age.
CREATE TABLE gone (
    scope       INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    source_at   INTEGER NOT NULL, -- the vendor's time of the deletion
    noted_at    INTEGER NOT NULL,
    PRIMARY KEY (scope, external_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX gone_age ON gone (noted_at);

-- What an event announced without saying it: to be read until it is done.
CREATE TABLE refresh (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant        TEXT NOT NULL,
    connection    TEXT NOT NULL,
    stream        TEXT NOT NULL,
    external_id   TEXT NOT NULL, -- empty: the whole stream from its cursor
    asked         INTEGER NOT NULL DEFAULT 1,
    attempts      INTEGER NOT NULL DEFAULT 0,
    due_at        INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    error         TEXT,
    UNIQUE (tenant, connection, stream, external_id)
) STRICT;
CREATE INDEX refresh_due ON refresh (due_at);

-- The day's run of deliveries is looked for with each of them.
CREATE INDEX run_stream ON run (stream, id);
