-- What people did. A login session is remembered by a browser; a consent is what a person let a client
-- do once, or until a time. Codes, refresh tokens and the access tokens of people hang on a consent
-- and end with it. Codes and refresh tokens are here as digests alone, which nobody can show as one.
-- Documents are JSON, times seconds since 1970; 0 stands for a time that did not come.
CREATE TABLE login_session (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject          TEXT COLLATE "C" NOT NULL,
    authenticated_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);

CREATE INDEX login_session_by_subject ON login_session (subject);
CREATE INDEX login_session_by_end ON login_session (expires_at);

CREATE TABLE consent (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject          TEXT COLLATE "C" NOT NULL,
    client_id        TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    session_id       TEXT COLLATE "C" NOT NULL,
    document         TEXT NOT NULL,
    is_skipped       BIGINT NOT NULL CHECK (is_skipped IN (0, 1)),
    remembered_until BIGINT NOT NULL,
    handled_at       BIGINT NOT NULL,
    ended_at         BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);

CREATE INDEX consent_by_subject ON consent (subject, client_id);
CREATE INDEX consent_by_session ON consent (session_id);
CREATE INDEX consent_by_client ON consent (client_id);
CREATE INDEX consent_by_end ON consent (expires_at);

CREATE TABLE code (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    consent_id TEXT COLLATE "C" NOT NULL REFERENCES consent (id) ON DELETE CASCADE,
    document   TEXT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX code_by_consent ON code (consent_id);
CREATE INDEX code_by_end ON code (expires_at);

CREATE TABLE refresh_token (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    consent_id TEXT COLLATE "C" NOT NULL REFERENCES consent (id) ON DELETE CASCADE,
    issued_at  BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    uses       BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX refresh_token_by_consent ON refresh_token (consent_id);
CREATE INDEX refresh_token_by_end ON refresh_token (expires_at);

-- Whose token it is, when it is not the client's own, and the name that a signed one is revoked by.
ALTER TABLE token ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN consent_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN jti TEXT NOT NULL DEFAULT '';

CREATE INDEX token_by_consent ON token (consent_id) WHERE consent_id <> '';
