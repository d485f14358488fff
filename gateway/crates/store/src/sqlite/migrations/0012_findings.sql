-- What a run could not read, and what declared rules left out.
CREATE TABLE finding (
    id      INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    part    TEXT NOT NULL,
    code    TEXT NOT NULL,
    message TEXT NOT NULL,
    needs   INTEGER NOT NULL,
    missing INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_run ON finding (run, id);

CREATE TABLE omission (
    id     INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL,
    part   TEXT NOT NULL,
    rule   TEXT NOT NULL,
    count  INTEGER NOT NULL,
    places TEXT NOT NULL -- a line each
) STRICT;
CREATE INDEX omission_run ON omission (run, id);

ALTER TABLE run ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN omitted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN findings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN total INTEGER;
ALTER TABLE run ADD COLUMN released_by TEXT;

-- The sweep under way lacks a part: it deletes nothing.
ALTER TABLE stream ADD COLUMN sweep_partial INTEGER NOT NULL DEFAULT 0;

-- A sweep whose deletions wait for a person: its run, its first and last page, how many records of how many.
ALTER TABLE stream ADD COLUMN held_run INTEGER;
ALTER TABLE stream ADD COLUMN held_from INTEGER;
ALTER TABLE stream ADD COLUMN held_to INTEGER;
ALTER TABLE stream ADD COLUMN held_missing INTEGER;
ALTER TABLE stream ADD COLUMN held_of INTEGER;
ALTER TABLE stream ADD COLUMN held_at INTEGER;

-- What pages of sweeps listed is asked for and cleared by stream, and most pages list nothing any more.
CREATE INDEX page_seen ON page (stream, id) WHERE seen IS NOT NULL;
