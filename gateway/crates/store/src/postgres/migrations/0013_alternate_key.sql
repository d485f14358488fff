-- By which alternate keys live records are known. A key is a digest of tenant, entity, scheme and value: rows are short, and the
-- values stay in the records alone. No index by record: what a record announced is told by its body.
CREATE TABLE record_key (
    key    BYTEA NOT NULL,
    scope  BIGINT NOT NULL,
    record BIGINT NOT NULL,
    PRIMARY KEY (key, scope, record)
);

-- Keys that live records refer by, one row for each however many refer by it, with how many records have the key.
CREATE TABLE wanted_key (
    key        BYTEA NOT NULL,
    connection TEXT NOT NULL, -- whose record it must be; empty: anybody's
    tenant     TEXT NOT NULL,
    entity     TEXT NOT NULL,
    scheme     TEXT NOT NULL,
    wanted_by  BIGINT NOT NULL,
    matches    BIGINT NOT NULL,
    since_ms   BIGINT NOT NULL, -- since when none, one, or several records have it
    PRIMARY KEY (key, connection)
);
CREATE INDEX wanted_key_unresolved ON wanted_key (tenant, entity, scheme) WHERE matches <> 1;
