-- What commits changed of who has which alternate key, of tenants whose records refer by none: packed, as it came. With the first reference,
-- or when much has gathered, it is sorted into record_key.
CREATE TABLE key_log (
    tenant TEXT NOT NULL,
    seq    BIGINT NOT NULL, -- where the tenant's feed stood after the commit
    total  BIGINT NOT NULL, -- what waits for the tenant, this row included, by weight
    keys   BYTEA NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- Do a tenant's records refer by a key?
CREATE INDEX wanted_key_tenant ON wanted_key (tenant);
