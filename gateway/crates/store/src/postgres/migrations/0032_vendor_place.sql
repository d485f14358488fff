-- How many requests each gateway may have under way to a vendor: together never more than the connection's `parallel_max`.
CREATE TABLE vendor_place (
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    gateway    TEXT NOT NULL, -- empty: the row that is held while places are divided
    held       BIGINT NOT NULL, -- the most that it may have under way
    wanted     BIGINT NOT NULL, -- what it would have under way
    turn_us    BIGINT NOT NULL, -- when it had none before, by the clock of the leases, in microseconds; 0: it never had any
    until_us   BIGINT NOT NULL, -- when others may count without it
    PRIMARY KEY (tenant, connection, gateway)
);

-- Compared by bytes, as every tenant's name: else a look for a move beside the row of a feed could not use the index.
ALTER TABLE tenant_move ALTER COLUMN tenant TYPE TEXT COLLATE "C";
