-- What a run could not read, and what declared rules left out.
CREATE TABLE finding (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run     BIGINT NOT NULL,
    part    TEXT NOT NULL,
    code    TEXT NOT NULL,
    message TEXT NOT NULL,
    needs   BIGINT NOT NULL,
    missing BIGINT NOT NULL
);
CREATE INDEX finding_run ON finding (run, id);

CREATE TABLE omission (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run    BIGINT NOT NULL,
    part   TEXT NOT NULL,
    rule   TEXT NOT NULL,
    count  BIGINT NOT NULL,
    places TEXT NOT NULL -- a line each
);
CREATE INDEX omission_run ON omission (run, id);

ALTER TABLE run ADD COLUMN swept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN repeated BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN omitted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN findings BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN total BIGINT;
ALTER TABLE run ADD COLUMN released_by TEXT;

-- The sweep under way lacks a part: it deletes nothing.
ALTER TABLE stream ADD COLUMN sweep_partial BIGINT NOT NULL DEFAULT 0;

-- A sweep whose deletions wait for a person: its run, its first and last page, how many records of how many.
ALTER TABLE stream ADD COLUMN held_run BIGINT;
ALTER TABLE stream ADD COLUMN held_from BIGINT;
ALTER TABLE stream ADD COLUMN held_to BIGINT;
ALTER TABLE stream ADD COLUMN held_missing BIGINT;
ALTER TABLE stream ADD COLUMN held_of BIGINT;
ALTER TABLE stream ADD COLUMN held_at BIGINT;

-- What pages of sweeps listed is asked for and cleared by stream, and most pages list nothing any more.
CREATE INDEX page_seen ON page (stream, id) WHERE seen IS NOT NULL;
