-- Assertions that were used, by a digest of client and jti, until they end (seconds since 1970).
CREATE TABLE jti (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX jti_by_end ON jti (expires_at);
