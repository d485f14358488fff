-- What questions of insight need of each live record, packed. Rows follow the feed: a commit writes none.
CREATE TABLE insight_row (
    scope  INTEGER NOT NULL,
    part   INTEGER NOT NULL, -- 1 is read before 0; 2: the body could not be read
    record INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (scope, part, record)
) STRICT, WITHOUT ROWID;

-- How far the rows of a tenant follow. Without a row of its own a tenant has none.
CREATE TABLE insight_made (
    tenant   TEXT PRIMARY KEY,
    version  INTEGER NOT NULL, -- how rows are packed
    followed INTEGER NOT NULL, -- the position of the feed that they follow
    walked   INTEGER           -- up to this record those that were there before are done; -1: rows of before are being deleted; none: all are
) STRICT, WITHOUT ROWID;
