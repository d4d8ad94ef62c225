-- What goes out: events without a gap in their numbers, each made of the entry it names.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  entry_seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  severity TEXT NOT NULL,
  component TEXT NOT NULL,
  subject TEXT NOT NULL,
  alert_id TEXT,
  raised INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_alerts ON outbox (seq) WHERE raised = 1 OR type GLOB 'alert.*';

-- The last entry from before there was an outbox: nothing is told of it.
CREATE TABLE outbox_begins (entry_seq INTEGER NOT NULL) STRICT;
INSERT INTO outbox_begins SELECT coalesce(max(seq), 0) FROM entry;

-- What somebody should look at; its first event has the words.
CREATE TABLE alert (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  ends_ms INTEGER,
  raised_seq INTEGER NOT NULL,
  count INTEGER NOT NULL DEFAULT 1,
  last_ms INTEGER NOT NULL,
  seen_by TEXT,
  seen_ms INTEGER,
  note TEXT,
  resolved_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_open ON alert (id) WHERE resolved_ms IS NULL;

-- Thresholds that were reached, by window: none is told twice.
CREATE TABLE crossing (
  name TEXT PRIMARY KEY,
  window INTEGER NOT NULL,
  axis INTEGER NOT NULL,
  level INTEGER NOT NULL,
  millionths INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX crossing_window ON crossing (window);

-- How far each channel has delivered; when its next event first failed, and how often since.
CREATE TABLE place (
  name TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  since_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT
) STRICT, WITHOUT ROWID;
