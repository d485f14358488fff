-- From which ranges this database gives out its numbers (rows of records, pages, runs, deliveries and so on), and from which ranges the rows
-- came that were moved here: no two databases of one installation have a range in common, so a tenant's rows keep their numbers wherever
-- they are. A range begins at number * 2^43. With each goes the key of the ids that were made in it.
CREATE TABLE cell_number (
    number       BIGINT PRIMARY KEY,
    id_key       BYTEA NOT NULL,
    own          BIGINT NOT NULL, -- 0: another database's, 1: what is given out now, 2: what was given out before
    begins_after BIGINT NOT NULL  -- no number up to this one is given out any more
);
