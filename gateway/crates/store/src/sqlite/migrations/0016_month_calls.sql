-- Requests that a connection sent to its vendor in a calendar month, where the vendor limits them. Gateways add to it.
CREATE TABLE month_calls (
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    month      TEXT NOT NULL, -- 2026-11
    calls      INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, month)
) STRICT, WITHOUT ROWID;
