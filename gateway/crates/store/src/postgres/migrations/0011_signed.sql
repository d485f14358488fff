-- Who wrote a revision with a key, and why.
CREATE TABLE signature (
    record   BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    person   TEXT NOT NULL,
    key      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (record, revision)
);

-- Requests that are answered once however often they are sent: what was asked, and the revision that it was answered with.
CREATE TABLE answered (
    tenant      TEXT NOT NULL,
    scope       TEXT NOT NULL, -- the key's id
    name        TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    record      BIGINT NOT NULL,
    revision    BIGINT NOT NULL,
    until_ms    BIGINT NOT NULL,
    PRIMARY KEY (tenant, scope, name)
);
CREATE INDEX answered_until ON answered (until_ms);
