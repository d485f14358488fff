-- Answers that come again with every pull are kept once for a connection: how many exchanges refer to each, and its bytes. What is
-- in `exchange.packed` of an exchange that shares one is the rest of it.
CREATE TABLE exchange_body (
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    hash       BLOB NOT NULL, -- of the body as it came: `exchange.body_hash`
    refs       INTEGER NOT NULL,
    packed     BLOB NOT NULL,
    PRIMARY KEY (tenant, connection, hash)
) STRICT;
ALTER TABLE exchange ADD COLUMN shared INTEGER NOT NULL DEFAULT 0; -- 1: its body is in `exchange_body`
