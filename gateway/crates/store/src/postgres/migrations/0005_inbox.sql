-- Deliveries that were taken in: what a repeated one is known by. Rows end with their age.
CREATE TABLE inbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant      TEXT NOT NULL,
    connection  TEXT NOT NULL,
    identity    BYTEA NOT NULL, -- digest of the vendor's id, or of the body
    delivery_id TEXT,
    received_at BIGINT NOT NULL,
    page        BIGINT NOT NULL,
    records     BIGINT NOT NULL,
    changes     BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    refreshes   BIGINT NOT NULL,
    repeats     BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant, connection, identity)
);
CREATE INDEX inbox_age ON inbox (received_at);

-- Deletions of what was never seen: an older state that comes late must not bring it to life. Rows end with their age.
CREATE TABLE gone (
    scope       BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    source_at   BIGINT NOT NULL, -- the vendor's time of the deletion
    noted_at    BIGINT NOT NULL,
    PRIMARY KEY (scope, external_id)
);
CREATE INDEX gone_age ON gone (noted_at);

-- What an event announced without saying it: to be read until it is done.
CREATE TABLE refresh (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant        TEXT NOT NULL,
    connection    TEXT NOT NULL,
    stream        TEXT NOT NULL,
    external_id   TEXT NOT NULL, -- empty: the whole stream from its cursor
    asked         BIGINT NOT NULL DEFAULT 1,
    attempts      BIGINT NOT NULL DEFAULT 0,
    due_at        BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    error         TEXT,
    UNIQUE (tenant, connection, stream, external_id)
);
CREATE INDEX refresh_due ON refresh (due_at);

-- The day's run of deliveries is looked for with each of them.
CREATE INDEX run_stream ON run (stream, id);
