-- A row of `feed` a tenant. Positions are a tenant's own and only grow. The row of the empty name, which no tenant can have, is where
-- the feed of a tenant begins that has no row yet: after every position that was handed out while they were counted for all.
CREATE TABLE feed (
    id     INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    seq    INTEGER NOT NULL, -- the last entry
    at_ms  INTEGER NOT NULL  -- its time
) STRICT;
INSERT INTO feed (tenant, seq, at_ms) SELECT '', coalesce(max(seq), 0), coalesce(max(at_ms), 0) FROM change;
INSERT INTO feed (tenant, seq, at_ms)
SELECT t.tenant, f.seq, f.at_ms FROM (SELECT DISTINCT tenant FROM scope) t CROSS JOIN feed f WHERE f.tenant = '' ORDER BY t.tenant;

ALTER TABLE change RENAME TO change_before;
CREATE TABLE change (
    feed     INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    record   INTEGER NOT NULL,
    scope    INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL, -- never less than that of the entry before
    PRIMARY KEY (feed, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO change (feed, seq, record, scope, kind, revision, at_ms)
SELECT f.id, c.seq, c.record, c.scope, c.kind, c.revision, c.at_ms
FROM change_before c JOIN scope s ON s.id = c.scope JOIN feed f ON f.tenant = s.tenant ORDER BY f.id, c.seq;
DROP TABLE change_before;

-- Where a tenant's feed ended when an epoch began, where it had moved since the mark before. An epoch's `begins_after` is from here on
-- that of a tenant without a mark.
CREATE TABLE feed_mark (
    tenant       TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    begins_after INTEGER NOT NULL,
    PRIMARY KEY (tenant, epoch)
) STRICT, WITHOUT ROWID;
