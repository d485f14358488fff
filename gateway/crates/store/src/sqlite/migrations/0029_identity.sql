-- Which records are one person, or one organisational unit: where the work on it stands, one row a tenant.
CREATE TABLE identity_state (
    tenant     TEXT PRIMARY KEY,
    digest_key BLOB NOT NULL,    -- what values are hashed with
    version    INTEGER NOT NULL, -- counts up with each write: who read an older one writes nothing
    followed   INTEGER NOT NULL, -- of the feed: up to here facts are those of the records
    rules      TEXT NOT NULL,    -- the fingerprint of what was found last; empty before the first time
    pass_rules TEXT NOT NULL,    -- of the pass that is under way; empty without one
    pass_after INTEGER NOT NULL, -- up to this record facts were read anew for it
    passed_ms  INTEGER,          -- when the last pass ended
    decisions  INTEGER NOT NULL, -- the number of the last one
    links      INTEGER NOT NULL  -- how many there are
) STRICT, WITHOUT ROWID;

-- To which identity each record belongs: to the one that is named after its oldest record.
CREATE TABLE identity_member (
    tenant    TEXT NOT NULL,
    record    INTEGER NOT NULL,
    identity  INTEGER NOT NULL,
    kind      INTEGER NOT NULL, -- 1: a person, 2: an organisational unit
    too_large INTEGER NOT NULL, -- 1: no rule linked it, for too many records hold together by rules
    since_ms  INTEGER NOT NULL,
    PRIMARY KEY (tenant, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_member_identity ON identity_member (tenant, identity);

-- What of each record counts, as keyed hashes.
CREATE TABLE identity_fact (
    tenant TEXT NOT NULL,
    record INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    name   INTEGER NOT NULL,
    facts  BLOB NOT NULL,
    PRIMARY KEY (tenant, record)
) STRICT, WITHOUT ROWID;

-- Which records have a value, by its keyed hash.
CREATE TABLE identity_key (
    tenant TEXT NOT NULL,
    digest INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest, record)
) STRICT, WITHOUT ROWID;

-- Applications of candidates, and those that employments began with: as the record says it that tells of it.
CREATE TABLE identity_application (
    tenant      TEXT NOT NULL,
    record      INTEGER NOT NULL, -- the application or the employment
    connection  TEXT NOT NULL,    -- whose it is: connection, entity and id there
    entity      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    of_connection TEXT NOT NULL,  -- the application: connection and id there
    application TEXT NOT NULL,
    PRIMARY KEY (tenant, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_application_whose ON identity_application (tenant, connection, entity, external_id);

-- The links of an identity are a tree over its records; a is the older one.
CREATE TABLE identity_link (
    tenant   TEXT NOT NULL,
    a        INTEGER NOT NULL,
    b        INTEGER NOT NULL,
    grounds  BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, a, b)
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_past_link (
    tenant   TEXT NOT NULL,
    a        INTEGER NOT NULL,
    b        INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    grounds  BLOB NOT NULL,
    PRIMARY KEY (tenant, a, b, until_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_past_link_b ON identity_past_link (tenant, b);
CREATE INDEX identity_past_link_until ON identity_past_link (tenant, until_ms);

-- Two identities that may be one, with the records that say most for it. A person decides.
CREATE TABLE identity_proposal (
    tenant   TEXT NOT NULL,
    one      INTEGER NOT NULL,
    other    INTEGER NOT NULL,
    a        INTEGER NOT NULL,
    b        INTEGER NOT NULL,
    grounds  BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, one, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_proposal_other ON identity_proposal (tenant, other);

-- Links that are held back.
CREATE TABLE identity_conflict (
    tenant   TEXT NOT NULL,
    a        INTEGER NOT NULL,
    b        INTEGER NOT NULL,
    no       INTEGER NOT NULL,
    grounds  BLOB NOT NULL,
    obstacle BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, a, b, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_conflict_b ON identity_conflict (tenant, b);

-- Values that do not count because too many have them.
CREATE TABLE identity_worn (
    tenant   TEXT NOT NULL,
    digest   INTEGER NOT NULL,
    rule     TEXT NOT NULL,
    holders  INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;

-- Records that are to be settled, with the keys that they had before; digest and rule are 0 and -1 in a row for the record itself.
CREATE TABLE identity_pending (
    tenant   TEXT NOT NULL,
    record   INTEGER NOT NULL,
    digest   INTEGER NOT NULL,
    rule     INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, record, digest, rule)
) STRICT, WITHOUT ROWID;

-- What people decided, kept for good. The rows of one call have its first number in common.
CREATE TABLE identity_decision (
    tenant     TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    call       INTEGER NOT NULL,
    act        TEXT NOT NULL,
    kind       INTEGER NOT NULL, -- 1: the same, 2: never the same
    a          INTEGER NOT NULL,
    b          INTEGER NOT NULL,
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    request    TEXT NOT NULL,    -- the caller's name for the call; empty without one
    at_ms      INTEGER NOT NULL,
    undone_ms  INTEGER,
    undone_by  TEXT,
    undone_why TEXT,
    PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_decision_a ON identity_decision (tenant, a);
CREATE INDEX identity_decision_b ON identity_decision (tenant, b);
CREATE INDEX identity_decision_call ON identity_decision (tenant, call);
CREATE INDEX identity_decision_request ON identity_decision (tenant, request) WHERE request <> '';
