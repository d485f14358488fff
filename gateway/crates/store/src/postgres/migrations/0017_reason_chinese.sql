-- Why a record is in quarantine, in Chinese; null where that is the same as in English, as of a connector's own words.
ALTER TABLE quarantine ADD COLUMN reason_zh TEXT;
