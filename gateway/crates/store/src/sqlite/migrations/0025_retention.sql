-- The pass over what is too old that is under way, or was the last one: a gateway whose pass is not here any more deletes nothing.
CREATE TABLE retention_pass (
    token      INTEGER PRIMARY KEY,
    began_at   INTEGER NOT NULL, -- both by the clock of the leases
    touched_at INTEGER NOT NULL  -- its last step; 0: it came to its end
) STRICT;

-- Pages whose exchanges a pass leaves: the newest revision of a live record came in them, or a record of theirs is in quarantine.
CREATE TABLE page_in_use (
    pass INTEGER NOT NULL,
    page INTEGER NOT NULL,
    PRIMARY KEY (pass, page)
) STRICT, WITHOUT ROWID;

-- What was deleted for its age, and how old the oldest is that was left.
CREATE TABLE retention (
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,
    dropped    INTEGER NOT NULL,
    dropped_at INTEGER, -- the last time that something was
    oldest_at  INTEGER, -- at the end of the last pass
    PRIMARY KEY (tenant, connection, kind)
) STRICT, WITHOUT ROWID;
