-- Endpoints of outgoing events: those that were made over the API, and those (of the file too) that are off.
CREATE TABLE endpoint (
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    definition TEXT,
    off_reason TEXT,
    off_url    TEXT,
    off_since  BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);
