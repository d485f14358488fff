-- From which ranges this database gives out its numbers (rows of records, pages, runs, deliveries and so on), and from which ranges the rows
-- came that were moved here: no two databases of one installation have a range in common, so a tenant's rows keep their numbers wherever
-- they are. A range begins at number * 2^43. With each goes the key of the ids that were made in it.
CREATE TABLE cell_number (
    number       INTEGER PRIMARY KEY,
    id_key       BLOB NOT NULL,
    own          INTEGER NOT NULL, -- 0: another database's, 1: what is given out now, 2: what was given out before
    begins_after INTEGER NOT NULL  -- no number up to this one is given out any more
) STRICT;

-- Exchanges whose page has a number too large to share one with theirs: in a database that gives out a range of its own, or that tenants
-- were moved into.
CREATE TABLE exchange_far (
    page      INTEGER NOT NULL,
    no        INTEGER NOT NULL,
    method    TEXT NOT NULL,
    url       TEXT NOT NULL,
    status    INTEGER NOT NULL,
    key       BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    at_ms     INTEGER NOT NULL,
    packed    BLOB NOT NULL,
    shared    INTEGER NOT NULL DEFAULT 0, -- as in `exchange`
    PRIMARY KEY (page, no)
) STRICT, WITHOUT ROWID;
