-- What the revisions that the gateway itself wrote were made from.
CREATE TABLE cause (
    record         INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    no             INTEGER NOT NULL, -- their order
    cause          INTEGER NOT NULL, -- a record
    cause_revision INTEGER NOT NULL,
    PRIMARY KEY (record, revision, no)
) STRICT, WITHOUT ROWID;

-- Which records belong to which, by the id that a reference carries: what it names may come later.
CREATE TABLE link (
    tenant TEXT NOT NULL,
    parent TEXT NOT NULL, -- connection/entity/external id
    child  INTEGER NOT NULL,
    PRIMARY KEY (tenant, parent, child)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_child ON link (child);

-- When the gateway's own followers want to look again.
CREATE TABLE timer (
    tenant TEXT NOT NULL,
    stream TEXT NOT NULL,
    name   TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, stream, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_due ON timer (tenant, stream, due_ms);

-- What lets a candidate's screen follow one interview, and nothing else.
CREATE TABLE screen_token (
    hash       BLOB PRIMARY KEY,
    tenant     TEXT NOT NULL,
    interview  TEXT NOT NULL, -- the record's id
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
