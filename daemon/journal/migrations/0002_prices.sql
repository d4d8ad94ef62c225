-- Price versions since the embedded book, each with when it is valid and who decided.
CREATE TABLE price_known (
  id TEXT PRIMARY KEY,
  known_ms INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the price monitor remembers: cases in quarantine, pins, the files in use.
CREATE TABLE price_note (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Bookings at a provisional price, until a corrected entry names them.
CREATE TABLE provisional (
  seq INTEGER PRIMARY KEY,
  component TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL
) STRICT
