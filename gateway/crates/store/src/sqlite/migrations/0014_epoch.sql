-- The feed's epochs: one for each time that somebody opened it to write. A position is handed out with the epoch of the moment, so that
-- one which a restored database does not have is known by it, also after the feed has grown beyond that position again.
CREATE TABLE feed_epoch (
    no           INTEGER PRIMARY KEY AUTOINCREMENT,
    token        INTEGER NOT NULL UNIQUE, -- at random
    begins_after INTEGER NOT NULL         -- the feed's last position when it began
) STRICT;
