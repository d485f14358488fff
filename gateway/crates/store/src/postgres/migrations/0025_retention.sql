-- The pass over what is too old that is under way, or was the last one: a gateway whose pass is not here any more deletes nothing.
CREATE TABLE retention_pass (
    token      BIGINT PRIMARY KEY,
    began_at   BIGINT NOT NULL, -- both by the clock of the leases
    touched_at BIGINT NOT NULL  -- its last step; 0: it came to its end
);

-- Pages whose exchanges a pass leaves: the newest revision of a live record came in them, or a record of theirs is in quarantine.
CREATE TABLE page_in_use (
    pass BIGINT NOT NULL,
    page BIGINT NOT NULL,
    PRIMARY KEY (pass, page)
);

-- What was deleted for its age, and how old the oldest is that was left.
CREATE TABLE retention (
    tenant     TEXT COLLATE "C" NOT NULL,
    connection TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    dropped    BIGINT NOT NULL,
    dropped_at BIGINT, -- the last time that something was
    oldest_at  BIGINT, -- at the end of the last pass
    PRIMARY KEY (tenant, connection, kind)
);
