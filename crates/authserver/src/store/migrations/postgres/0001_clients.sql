-- A client is kept as the JSON of the admin API; beside it stand the columns that queries need.
-- Texts compare byte by byte, so the order of the ids is the order of their bytes.
CREATE TABLE client (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT NOT NULL,
    document    TEXT NOT NULL
);

CREATE INDEX client_by_name ON client (name, id);
CREATE INDEX client_by_owner ON client (owner, id);
