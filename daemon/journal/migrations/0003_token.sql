-- Tokens made while the daemon runs, until they are revoked. The secret is not here: its digest is.
CREATE TABLE token (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID
