-- Tenants that are on their way to another database, that have left, or that came from one.
CREATE TABLE tenant_move (
    tenant   TEXT PRIMARY KEY,
    state    BIGINT NOT NULL, -- 1: leaving, attempts under way may end; 2: leaving; 3: gone; 4: came from elsewhere
    since_ms BIGINT NOT NULL,
    place    TEXT NOT NULL, -- where it went, for people; empty while it is not known
    digest   TEXT NOT NULL -- of the file that it was written to or read from; empty without one
);

-- Epochs of the databases where a tenant was before, and the last position that each handed out to it.
CREATE TABLE moved_epoch (
    tenant    TEXT NOT NULL,
    token     BIGINT NOT NULL,
    ends_with BIGINT NOT NULL,
    PRIMARY KEY (tenant, token)
);
