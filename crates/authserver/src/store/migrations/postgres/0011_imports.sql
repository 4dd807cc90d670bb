-- Issuers whose assertions count for a grant (RFC 7523), with the key they sign with, which is in
-- the set `key_set`. An empty subject stands for whichever, if any_subject is 1. Scopes are a JSON
-- array, times seconds since 1970.
CREATE TABLE trusted_issuer (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    issuer      TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    any_subject BIGINT NOT NULL CHECK (any_subject IN (0, 1)),
    scopes      TEXT NOT NULL,
    key_set     TEXT COLLATE "C" NOT NULL,
    kid         TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    UNIQUE (issuer, subject, kid)
);

-- Keys with which another server signed before they came here. Of the tokens that it issued until
-- then (seconds since 1970) those count that have a row in `token`: it deleted the rows of others
-- when it revoked them.
CREATE TABLE imported_key (
    kid          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    issued_until BIGINT NOT NULL
);
