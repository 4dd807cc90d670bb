-- The tokens by which clients look after themselves (RFC 7592), as digests.
CREATE TABLE registration (
    client_id TEXT NOT NULL PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
    digest    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
