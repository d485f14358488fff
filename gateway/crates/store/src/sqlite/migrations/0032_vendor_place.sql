-- How many requests each gateway may have under way to a vendor: together never more than the connection's `parallel_max`.
CREATE TABLE vendor_place (
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    gateway    TEXT NOT NULL, -- empty: the row that is held while places are divided
    held       INTEGER NOT NULL, -- the most that it may have under way
    wanted     INTEGER NOT NULL, -- what it would have under way
    turn_us    INTEGER NOT NULL, -- when it had none before, by the clock of the leases, in microseconds; 0: it never had any
    until_us   INTEGER NOT NULL, -- when others may count without it
    PRIMARY KEY (tenant, connection, gateway)
) STRICT, WITHOUT ROWID;
