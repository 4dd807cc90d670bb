-- Revocations of signed tokens: of one by its jti (kind `token`, with its client and its iat as
-- not_before), of all of a client's that were issued until not_before (kind `client`), or of all that a
-- key signed until then (kind `key`). Each change of one has a number of its own, in the order in which
-- they become visible: whoever follows asks for those above the last one.
CREATE TABLE revocation_counter (last BIGINT NOT NULL);

ALTER TABLE revocation DROP CONSTRAINT revocation_kind_check;
ALTER TABLE revocation ADD CONSTRAINT revocation_kind_check CHECK (kind IN ('token', 'client', 'key'));
ALTER TABLE revocation ADD COLUMN client_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE revocation ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;

UPDATE revocation SET seq = numbered.seq
FROM (SELECT kind, subject, row_number() OVER (ORDER BY kind, subject) AS seq FROM revocation) AS numbered
WHERE revocation.kind = numbered.kind AND revocation.subject = numbered.subject;

INSERT INTO revocation_counter SELECT count(*) FROM revocation;

CREATE INDEX revocation_by_number ON revocation (seq);
CREATE INDEX revocation_by_client ON revocation (client_id);
