-- Who wrote a revision with a key, and why.
CREATE TABLE signature (
    record   INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    person   TEXT NOT NULL,
    key      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (record, revision)
) STRICT, WITHOUT ROWID;

-- Requests that are answered once however often they are sent: what was asked, and the revision that it was answered with.
CREATE TABLE answered (
    tenant      TEXT NOT NULL,
    scope       TEXT NOT NULL, -- the key's id
    name        TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    record      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL,
    PRIMARY KEY (tenant, scope, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX answered_until ON answered (until_ms);
