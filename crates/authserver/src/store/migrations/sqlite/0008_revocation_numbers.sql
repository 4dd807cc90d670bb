-- Revocations of signed tokens: of one by its jti (kind `token`, with its client and its iat as
-- not_before), of all of a client's that were issued until not_before (kind `client`), or of all that a
-- key signed until then (kind `key`). Each change of one has a number of its own, in the order in which
-- they become visible: whoever follows asks for those above the last one.
CREATE TABLE revocation_counter (last INTEGER NOT NULL) STRICT;

CREATE TABLE numbered_revocation (
    kind       TEXT NOT NULL CHECK (kind IN ('token', 'client', 'key')),
    subject    TEXT NOT NULL,
    client_id  TEXT NOT NULL DEFAULT '',
    not_before INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seq        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

INSERT INTO numbered_revocation (kind, subject, not_before, expires_at, seq)
SELECT kind, subject, not_before, expires_at, row_number() OVER (ORDER BY kind, subject)
FROM revocation;

INSERT INTO revocation_counter SELECT count(*) FROM revocation;

DROP TABLE revocation;
ALTER TABLE numbered_revocation RENAME TO revocation;

CREATE INDEX revocation_by_end ON revocation (expires_at);
CREATE INDEX revocation_by_number ON revocation (seq);
CREATE INDEX revocation_by_client ON revocation (client_id);
