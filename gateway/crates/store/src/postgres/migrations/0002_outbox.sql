-- A flow and how far along the feed it is. A retired one stays for the deliveries that name it.
CREATE TABLE flow (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    origin     BIGINT NOT NULL,
    definition TEXT NOT NULL,
    enabled    BIGINT NOT NULL,
    retired    BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (tenant, name)
);

CREATE TABLE flow_version (
    flow       BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    definition TEXT NOT NULL,
    at_ms      BIGINT NOT NULL,
    PRIMARY KEY (flow, version)
);

-- Where deliveries go, by a small number.
CREATE TABLE destination (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     TEXT NOT NULL,
    connection TEXT NOT NULL,
    UNIQUE (tenant, connection)
);

-- States: 1 pending, 2 in flight, 3 unconfirmed, 4 being confirmed, then the ends: 5 delivered, 6 dead, 7 withheld, 8 expired.
CREATE TABLE delivery (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow        BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    seq         BIGINT NOT NULL, -- the change
    record      BIGINT NOT NULL,
    destination BIGINT NOT NULL,
    action      TEXT NOT NULL,
    key         BYTEA NOT NULL,
    lane        BYTEA NOT NULL,
    state       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    failures    BIGINT NOT NULL DEFAULT 0,
    not_before  BIGINT NOT NULL,
    next_at     BIGINT NOT NULL, -- when it is due; of a claimed one: when its lease ends
    deadline    BIGINT,
    token       BIGINT NOT NULL DEFAULT 0, -- of the last claim
    input       BYTEA NOT NULL,
    input_hash  BYTEA NOT NULL,
    reference   TEXT,
    detail      TEXT,
    error       TEXT,
    hops        BIGINT NOT NULL,
    caused_by   BIGINT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX delivery_due ON delivery (destination, next_at, id) WHERE state <= 4;
CREATE INDEX delivery_lane ON delivery (lane, id) WHERE state <= 2;
CREATE INDEX delivery_flow ON delivery (flow, id);
CREATE INDEX delivery_record ON delivery (record, id);
CREATE INDEX delivery_reference ON delivery (destination, reference) WHERE reference IS NOT NULL;
CREATE INDEX delivery_dead ON delivery (flow, id) WHERE state = 6;
