-- Secrets that rotations replaced and that still work, the newest first: a JSON array of their
-- hashes with the seconds since 1970 of their replacement and of their last use.
ALTER TABLE client ADD COLUMN rotated_secrets TEXT NOT NULL DEFAULT '[]';
