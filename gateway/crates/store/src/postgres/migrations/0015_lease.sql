-- Work that one gateway does at a time, and which one does. A beat that stands still for long enough may be gone on from by
-- another; nobody's clock is asked.
CREATE TABLE lease (
    tenant   TEXT NOT NULL,
    name     TEXT NOT NULL,
    holder   TEXT NOT NULL, -- empty: given up
    beat     BIGINT NOT NULL,
    since_ms BIGINT NOT NULL, -- since when this one holds it
    PRIMARY KEY (tenant, name)
);
