-- Answers that come again with every pull are kept once for a connection: how many exchanges refer to each, and its bytes. What is
-- in `exchange.packed` of an exchange that shares one is the rest of it. Room is left on each page for the next count, so that no index
-- is touched by it.
CREATE TABLE exchange_body (
    tenant     TEXT COLLATE "C" NOT NULL,
    connection TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL, -- of the body as it came: `exchange.body_hash`
    refs       BIGINT NOT NULL,
    packed     BYTEA NOT NULL,
    PRIMARY KEY (tenant, connection, hash)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE exchange ADD COLUMN shared BIGINT NOT NULL DEFAULT 0; -- 1: its body is in `exchange_body`

-- What is packed already is not packed again by the server.
ALTER TABLE exchange_body ALTER COLUMN packed SET STORAGE EXTERNAL;
ALTER TABLE exchange ALTER COLUMN packed SET STORAGE EXTERNAL;
