-- Revocations of signed tokens: of one by its jti (kind `token`), or of all of a client's that were
-- issued until not_before (kind `client`). The client need not exist any more.
CREATE TABLE revocation (
    kind       TEXT NOT NULL CHECK (kind IN ('token', 'client')),
    subject    TEXT COLLATE "C" NOT NULL,
    not_before BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

CREATE INDEX revocation_by_end ON revocation (expires_at);
