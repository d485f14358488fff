-- What commits changed of who has which alternate key, of tenants whose records refer by none: packed, as it came. With the first reference,
-- or when much has gathered, it is sorted into record_key.
CREATE TABLE key_log (
    tenant TEXT NOT NULL,
    seq    INTEGER NOT NULL, -- where the tenant's feed stood after the commit
    total  INTEGER NOT NULL, -- what waits for the tenant, this row included, by weight
    keys   BLOB NOT NULL,
    PRIMARY KEY (tenant, seq)
) STRICT;

-- Do a tenant's records refer by a key?
CREATE INDEX wanted_key_tenant ON wanted_key (tenant);
