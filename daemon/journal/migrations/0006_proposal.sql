-- What the assistant proposed, as its last entry left it.
CREATE TABLE proposal (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID
