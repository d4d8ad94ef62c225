-- Closed months whose entries lie in files of their own, each named by its `archived` entry.
CREATE TABLE archive (
  month TEXT PRIMARY KEY,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  before TEXT NOT NULL,
  hash TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Changes of policies, for those who look at the past: few, so that they are found at once.
CREATE INDEX entry_policies ON entry (seq) WHERE kind IN ('policy_set', 'policy_removed')
