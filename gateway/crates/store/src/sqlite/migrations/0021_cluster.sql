-- Several gateways: which one does a run and until when it is its own, and when the stream's last run began.
UPDATE run SET state = 4, ended_at = touched_at
WHERE state = 1 AND id NOT IN (SELECT run FROM stream WHERE run IS NOT NULL);
ALTER TABLE run ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN leased_until INTEGER NOT NULL DEFAULT 0; -- by the server's clock; with SQLite by the one process's
CREATE UNIQUE INDEX run_live ON run (stream) WHERE state = 1;

ALTER TABLE stream ADD COLUMN last_run INTEGER; -- of those that read the stream
ALTER TABLE stream ADD COLUMN last_began_at INTEGER; -- by the same clock as a lease
UPDATE stream SET last_run = (SELECT max(u.id) FROM run u WHERE u.stream = stream.id
    AND u."trigger" IN ('manual', 'schedule', 'retry', 'event'));
UPDATE stream SET last_began_at = (SELECT u.started_at FROM run u WHERE u.id = stream.last_run);

-- Of the last claim: what a gateway brings whose claim is another's by now is refused.
ALTER TABLE refresh ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
