-- What a key is for, when it ends, when it was last used. A key that was made before there were roles could do everything.
ALTER TABLE api_key ADD COLUMN role TEXT NOT NULL DEFAULT 'owner';
ALTER TABLE api_key ADD COLUMN connection TEXT; -- of a vendor's key: the one connection that it is bound to
ALTER TABLE api_key ADD COLUMN expires_at INTEGER;
ALTER TABLE api_key ADD COLUMN last_used_at INTEGER;

-- A key of `--dev` ends with its process. Those that earlier programs left behind end here.
UPDATE api_key SET revoked_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE label = 'made by --dev' AND revoked_at IS NULL;
