-- What makes the ids of this database hard to guess.
CREATE TABLE meta (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    id_key BLOB NOT NULL
) STRICT;

-- What every other row names by a small number, so that a record's row stays short.
CREATE TABLE scope (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    entity     TEXT NOT NULL,
    live       INTEGER NOT NULL DEFAULT 0,
    dead       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, connection, entity)
) STRICT;

CREATE TABLE stream (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    stream     TEXT NOT NULL,
    cursor     TEXT,
    mid_run    INTEGER NOT NULL DEFAULT 0,
    sweep_from INTEGER, -- the first page of the sweep that is under way
    run        INTEGER, -- the run that is live
    UNIQUE (tenant, connection, stream)
) STRICT;

-- Which entities a stream has ever written: where its sweeps look for what is gone.
CREATE TABLE stream_scope (
    stream INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    PRIMARY KEY (stream, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE plugin (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  TEXT NOT NULL,
    UNIQUE (name, version, digest)
) STRICT;

CREATE TABLE run (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    stream      INTEGER NOT NULL,
    plugin      INTEGER NOT NULL,
    "trigger"   TEXT NOT NULL,
    state       INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    touched_at  INTEGER NOT NULL, -- begin or last commit: the lease counts from here
    lease_ms    INTEGER NOT NULL,
    ended_at    INTEGER,
    pages       INTEGER NOT NULL DEFAULT 0,
    records     INTEGER NOT NULL DEFAULT 0,
    created     INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0,
    deleted     INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    last_seq    INTEGER NOT NULL DEFAULT 0,
    error       TEXT,
    retry_at    INTEGER
) STRICT;

CREATE TABLE page (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    stream        INTEGER NOT NULL,
    run           INTEGER NOT NULL,
    cursor_before TEXT,
    cursor_after  TEXT,
    now_ms        INTEGER NOT NULL,
    exchanges     INTEGER NOT NULL,
    seen          BLOB -- rows that this page of a sweep listed
) STRICT;
CREATE INDEX page_stream ON page (stream, id);

-- id = page * 2^20 + number: one b-tree, filled at its end.
CREATE TABLE exchange (
    id        INTEGER PRIMARY KEY,
    method    TEXT NOT NULL,
    url       TEXT NOT NULL,
    status    INTEGER NOT NULL,
    key       BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    at_ms     INTEGER NOT NULL,
    packed    BLOB NOT NULL
) STRICT;

-- One unique index and no other: the second index would cost a third of the speed.
CREATE TABLE record (
    id                INTEGER PRIMARY KEY,
    scope             INTEGER NOT NULL,
    external_id       TEXT NOT NULL,
    hash              BLOB NOT NULL,
    revision          INTEGER NOT NULL,
    seq               INTEGER NOT NULL, -- the change that made this revision
    page              INTEGER NOT NULL,
    exchange_no       INTEGER NOT NULL, -- -1: no exchange (found by a sweep)
    pointer           TEXT NOT NULL,
    source_updated_at INTEGER,
    created_at        INTEGER NOT NULL,
    recorded_at       INTEGER NOT NULL,
    deleted           INTEGER,
    body              BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_external ON record (scope, external_id);

-- Superseded revisions only; the current one lives in `record`.
CREATE TABLE revision (
    record            INTEGER NOT NULL,
    revision          INTEGER NOT NULL,
    hash              BLOB NOT NULL,
    seq               INTEGER NOT NULL,
    page              INTEGER NOT NULL,
    exchange_no       INTEGER NOT NULL,
    pointer           TEXT NOT NULL,
    source_updated_at INTEGER,
    recorded_at       INTEGER NOT NULL,
    deleted           INTEGER,
    body              BLOB NOT NULL,
    PRIMARY KEY (record, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    seq      INTEGER PRIMARY KEY,
    record   INTEGER NOT NULL,
    scope    INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL -- never less than that of the entry before
) STRICT;

CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    stream      INTEGER NOT NULL,
    identity    BLOB NOT NULL, -- of the entity and vendor id, or of the bytes when there is no id
    run         INTEGER NOT NULL,
    page        INTEGER NOT NULL,
    entity      TEXT NOT NULL,
    external_id TEXT,
    exchange_no INTEGER NOT NULL,
    pointer     TEXT NOT NULL,
    code        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    raw         BLOB NOT NULL,
    at_ms       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (stream, identity)
) STRICT;

CREATE TABLE api_key (
    hash       BLOB PRIMARY KEY,
    label      TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
