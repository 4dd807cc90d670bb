-- The newest key of a set has the greatest position; positions are never given twice.
CREATE TABLE key (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key_set  TEXT NOT NULL,
    kid      TEXT NOT NULL,
    sealed   TEXT NOT NULL,
    UNIQUE (key_set, kid)
) STRICT;
