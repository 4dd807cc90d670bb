-- Opaque access tokens. The digest finds a token; the token itself is not here. Scopes and
-- audiences are JSON arrays. Times are seconds since 1970.
CREATE TABLE token (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client_id  TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scopes     TEXT NOT NULL,
    audiences  TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX token_by_client ON token (client_id);
CREATE INDEX token_by_end ON token (expires_at);
