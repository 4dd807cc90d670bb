-- From when on a key signs (seconds since 1970), the longest lifetime of a token that it signed (seconds;
-- 366 days where nobody knows), whether it came from elsewhere, and which key of its set it follows:
-- at most one key follows another, so that of several servers one rotates.
ALTER TABLE key ADD COLUMN signs_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE key ADD COLUMN lifetime BIGINT NOT NULL DEFAULT 31622400;
ALTER TABLE key ADD COLUMN is_imported BIGINT NOT NULL DEFAULT 1;
ALTER TABLE key ADD COLUMN follows TEXT COLLATE "C";

CREATE UNIQUE INDEX key_by_predecessor ON key (key_set, follows);
