-- What the revisions that the gateway itself wrote were made from.
CREATE TABLE cause (
    record         BIGINT NOT NULL,
    revision       BIGINT NOT NULL,
    no             BIGINT NOT NULL, -- their order
    cause          BIGINT NOT NULL, -- a record
    cause_revision BIGINT NOT NULL,
    PRIMARY KEY (record, revision, no)
);

-- Which records belong to which, by the id that a reference carries: what it names may come later.
CREATE TABLE link (
    tenant TEXT NOT NULL,
    parent TEXT NOT NULL, -- connection/entity/external id
    child  BIGINT NOT NULL,
    PRIMARY KEY (tenant, parent, child)
);
CREATE INDEX link_child ON link (child);

-- When the gateway's own followers want to look again.
CREATE TABLE timer (
    tenant TEXT NOT NULL,
    stream TEXT NOT NULL,
    name   TEXT NOT NULL,
    due_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant, stream, name)
);
CREATE INDEX timer_due ON timer (tenant, stream, due_ms);

-- What lets a candidate's screen follow one interview, and nothing else.
CREATE TABLE screen_token (
    hash       BYTEA PRIMARY KEY,
    tenant     TEXT NOT NULL,
    interview  TEXT NOT NULL, -- the record's id
    expires_at BIGINT NOT NULL
);
