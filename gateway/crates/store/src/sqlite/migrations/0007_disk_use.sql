-- What each connection keeps, counted with every commit. Bytes of a row: its texts and blobs, and a fixed part for its place.
CREATE TABLE disk_use (
    tenant          TEXT NOT NULL,
    connection      TEXT NOT NULL,
    records_bytes   INTEGER NOT NULL DEFAULT 0, -- records, their earlier revisions, and pages
    exchanges_bytes INTEGER NOT NULL DEFAULT 0,
    exchanges_from  INTEGER NOT NULL DEFAULT 0, -- no page before this one has an exchange any more
    PRIMARY KEY (tenant, connection)
) STRICT, WITHOUT ROWID;

INSERT INTO disk_use (tenant, connection, records_bytes, exchanges_bytes)
SELECT tenant, connection, sum(records), sum(exchanges) FROM (
    SELECT s.tenant, s.connection,
           200 + octet_length(r.body) + octet_length(r.external_id) + octet_length(r.pointer) AS records, 0 AS exchanges
    FROM record r JOIN scope s ON s.id = r.scope
    UNION ALL
    SELECT s.tenant, s.connection,
           200 + octet_length(v.body) + octet_length(r.external_id) + octet_length(v.pointer), 0
    FROM revision v JOIN record r ON r.id = v.record JOIN scope s ON s.id = r.scope
    UNION ALL
    SELECT t.tenant, t.connection,
           150 + coalesce(octet_length(p.cursor_before), 0) + coalesce(octet_length(p.cursor_after), 0), 0
    FROM page p JOIN stream t ON t.id = p.stream
    UNION ALL
    SELECT t.tenant, t.connection, 0, 150 + octet_length(e.packed) + octet_length(e.url)
    FROM exchange e JOIN page p ON p.id = e.id >> 20 JOIN stream t ON t.id = p.stream
) GROUP BY tenant, connection;
