-- Rows that every commit changes leave room on their page for their next state, so that no index is touched.
ALTER TABLE scope SET (fillfactor = 70);
ALTER TABLE disk_use SET (fillfactor = 70);
ALTER TABLE run SET (fillfactor = 70);
