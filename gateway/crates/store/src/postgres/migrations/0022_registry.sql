-- How often each registry was changed that gateways keep in memory: one that changes something tells the others so.
CREATE TABLE registry_version (
    kind    TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO registry_version (kind, version) VALUES ('endpoints', 0), ('flows', 0), ('keys', 0);
