-- A link names the scope of its child, so that the children of one connection are found without passing over all others': a
-- stranger who links a million records to somebody else's interview is not even read.
CREATE TABLE link_of_scope (
    tenant TEXT NOT NULL,
    parent TEXT NOT NULL,    -- connection/entity/external id
    scope  INTEGER NOT NULL, -- of the child
    child  INTEGER NOT NULL,
    PRIMARY KEY (tenant, parent, scope, child)
) STRICT, WITHOUT ROWID;
INSERT INTO link_of_scope (tenant, parent, scope, child)
    SELECT l.tenant, l.parent, r.scope, l.child FROM link l JOIN record r ON r.id = l.child;
DROP TABLE link;
ALTER TABLE link_of_scope RENAME TO link;
CREATE INDEX link_child ON link (child);
