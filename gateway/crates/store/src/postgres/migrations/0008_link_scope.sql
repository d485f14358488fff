-- A link names the scope of its child, so that the children of one connection are found without passing over all others': a
-- stranger who links a million records to somebody else's interview is not even read.
ALTER TABLE link ADD COLUMN scope BIGINT; -- of the child
UPDATE link SET scope = r.scope FROM record r WHERE r.id = link.child;
DELETE FROM link WHERE scope IS NULL;
ALTER TABLE link ALTER COLUMN scope SET NOT NULL;
ALTER TABLE link DROP CONSTRAINT link_pkey;
ALTER TABLE link ADD PRIMARY KEY (tenant, parent, scope, child);
