-- The rate of a vendor, which several gateways keep together: when its next request may leave, in microseconds since the epoch by the
-- clock of the leases.
CREATE TABLE vendor_rate (
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    next_us    BIGINT NOT NULL,
    PRIMARY KEY (tenant, connection)
);
