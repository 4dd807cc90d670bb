-- The newest key of a set has the greatest position; positions are never given twice.
CREATE TABLE key (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_set  TEXT COLLATE "C" NOT NULL,
    kid      TEXT COLLATE "C" NOT NULL,
    sealed   TEXT NOT NULL,
    UNIQUE (key_set, kid)
);
