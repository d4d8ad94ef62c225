-- Rows that came in from elsewhere, by the digest of what they say: none comes in twice.
-- Money in nano-dollars.
CREATE TABLE imported (
  key TEXT PRIMARY KEY,
  import TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  usd INTEGER NOT NULL,
  tokens INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imported_import ON imported (import, seq)
