-- Exchanges lie in parts by the number of their page: a part is dropped as a whole when its day is over for all of it. A day begins a new
-- part by moving on the counter of pages (`postgres/exchange_days.rs`), so the key, the look-ups and the joins stay what they were, and each
-- of them meets one part. What there is becomes the first part as it lies. The part without bounds takes what has no other.
ALTER TABLE exchange RENAME TO exchange_first;
ALTER TABLE exchange_first RENAME CONSTRAINT exchange_pkey TO exchange_first_pkey;
CREATE TABLE exchange (
    page      BIGINT NOT NULL,
    no        BIGINT NOT NULL,
    method    TEXT NOT NULL,
    url       TEXT NOT NULL,
    status    BIGINT NOT NULL,
    key       BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    at_ms     BIGINT NOT NULL,
    packed    BYTEA NOT NULL,
    shared    BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT exchange_pkey PRIMARY KEY (page, no)
) PARTITION BY RANGE (page);
ALTER TABLE exchange ALTER COLUMN packed SET STORAGE EXTERNAL;
CREATE TABLE exchange_kept PARTITION OF exchange DEFAULT
    WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
DO $$
DECLARE part BIGINT := (SELECT coalesce(max(id), 0) >> 24 FROM page);
BEGIN
    EXECUTE format('ALTER TABLE exchange ATTACH PARTITION exchange_first FOR VALUES FROM (MINVALUE) TO (%s)', (part + 1) << 24);
    EXECUTE format('ALTER TABLE exchange_first RENAME TO exchange_%s', part);
    EXECUTE format('COMMENT ON TABLE exchange_%s IS ''first''', part);
    EXECUTE format('ALTER INDEX exchange_first_pkey RENAME TO exchange_%s_pkey', part);
END $$;
ANALYZE exchange;
