-- The one row of `feed` is locked by every commit: commits line up behind it, so positions and rows are given out in the
-- order in which they become visible, and no gap of the feed fills later.
CREATE TABLE feed (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    seq    BIGINT NOT NULL, -- the last entry
    at_ms  BIGINT NOT NULL, -- its time
    record BIGINT NOT NULL  -- the last row of `record`
);
INSERT INTO feed VALUES (1, 0, 0, 0);

-- What every other row names by a small number.
CREATE TABLE scope (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    entity     TEXT NOT NULL,
    live       BIGINT NOT NULL DEFAULT 0,
    dead       BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant, connection, entity)
);

CREATE TABLE stream (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    stream     TEXT NOT NULL,
    cursor     TEXT,
    mid_run    BIGINT NOT NULL DEFAULT 0,
    sweep_from BIGINT, -- the first page of the sweep that is under way
    run        BIGINT, -- the run that is live
    UNIQUE (tenant, connection, stream)
);

-- Which entities a stream has ever written: where its sweeps look for what is gone.
CREATE TABLE stream_scope (
    stream BIGINT NOT NULL,
    scope  BIGINT NOT NULL,
    PRIMARY KEY (stream, scope)
);

CREATE TABLE plugin (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  TEXT NOT NULL,
    UNIQUE (name, version, digest)
);

CREATE TABLE run (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream      BIGINT NOT NULL,
    plugin      BIGINT NOT NULL,
    trigger     TEXT NOT NULL,
    state       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    touched_at  BIGINT NOT NULL, -- begin or last commit: the lease counts from here
    lease_ms    BIGINT NOT NULL,
    ended_at    BIGINT,
    pages       BIGINT NOT NULL DEFAULT 0,
    records     BIGINT NOT NULL DEFAULT 0,
    created     BIGINT NOT NULL DEFAULT 0,
    updated     BIGINT NOT NULL DEFAULT 0,
    unchanged   BIGINT NOT NULL DEFAULT 0,
    deleted     BIGINT NOT NULL DEFAULT 0,
    quarantined BIGINT NOT NULL DEFAULT 0,
    last_seq    BIGINT NOT NULL DEFAULT 0,
    error       TEXT,
    retry_at    BIGINT
);

CREATE TABLE page (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream        BIGINT NOT NULL,
    run           BIGINT NOT NULL,
    cursor_before TEXT,
    cursor_after  TEXT,
    now_ms        BIGINT NOT NULL,
    exchanges     BIGINT NOT NULL,
    seen          BYTEA -- rows that this page of a sweep listed
);
CREATE INDEX page_stream ON page (stream, id);

CREATE TABLE exchange (
    page      BIGINT NOT NULL,
    no        BIGINT NOT NULL,
    method    TEXT NOT NULL,
    url       TEXT NOT NULL,
    status    BIGINT NOT NULL,
    key       BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    at_ms     BIGINT NOT NULL,
    packed    BYTEA NOT NULL,
    PRIMARY KEY (page, no)
);

-- COLLATE "C": lists go on by comparing bytes, as they do on the other backend.
CREATE TABLE record (
    id                BIGINT PRIMARY KEY,
    scope             BIGINT NOT NULL,
    external_id       TEXT COLLATE "C" NOT NULL,
    hash              BYTEA NOT NULL,
    revision          BIGINT NOT NULL,
    seq               BIGINT NOT NULL, -- the change that made this revision
    page              BIGINT NOT NULL,
    exchange_no       BIGINT NOT NULL, -- -1: no exchange (found by a sweep)
    pointer           TEXT NOT NULL,
    source_updated_at BIGINT,
    created_at        BIGINT NOT NULL,
    recorded_at       BIGINT NOT NULL,
    deleted           BIGINT,
    body              BYTEA NOT NULL
);
CREATE UNIQUE INDEX record_external ON record (scope, external_id);

-- Superseded revisions only; the current one lives in `record`.
CREATE TABLE revision (
    record            BIGINT NOT NULL,
    revision          BIGINT NOT NULL,
    hash              BYTEA NOT NULL,
    seq               BIGINT NOT NULL,
    page              BIGINT NOT NULL,
    exchange_no       BIGINT NOT NULL,
    pointer           TEXT NOT NULL,
    source_updated_at BIGINT,
    recorded_at       BIGINT NOT NULL,
    deleted           BIGINT,
    body              BYTEA NOT NULL,
    PRIMARY KEY (record, revision)
);

CREATE TABLE change (
    seq      BIGINT PRIMARY KEY,
    record   BIGINT NOT NULL,
    scope    BIGINT NOT NULL,
    kind     BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    at_ms    BIGINT NOT NULL -- never less than that of the entry before
);
-- One tenant reads its part of a shared feed without walking over the others'.
CREATE INDEX change_scope ON change (scope, seq);

CREATE TABLE quarantine (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream      BIGINT NOT NULL,
    identity    BYTEA NOT NULL, -- of the entity and vendor id, or of the bytes when there is no id
    run         BIGINT NOT NULL,
    page        BIGINT NOT NULL,
    entity      TEXT NOT NULL,
    external_id TEXT,
    exchange_no BIGINT NOT NULL,
    pointer     TEXT NOT NULL,
    code        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    raw         BYTEA NOT NULL,
    at_ms       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    UNIQUE (stream, identity)
);

CREATE TABLE api_key (
    hash       BYTEA PRIMARY KEY,
    label      TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
