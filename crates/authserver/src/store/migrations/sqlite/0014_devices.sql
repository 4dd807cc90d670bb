-- Devices that wait for a person (RFC 8628). Both codes are here as digests alone; that of the one that
-- people type is keyed. Times are seconds since 1970.
CREATE TABLE device (
    digest     TEXT NOT NULL PRIMARY KEY,
    user_code  TEXT NOT NULL UNIQUE,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    query      TEXT NOT NULL,
    is_denied  INTEGER NOT NULL CHECK (is_denied IN (0, 1)),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_by_client ON device (client_id);
CREATE INDEX device_by_end ON device (expires_at);
