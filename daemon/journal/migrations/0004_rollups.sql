-- What roll-ups tell apart. Tags are a JSON object, policies their names with spaces between.
CREATE TABLE facet (
  id INTEGER PRIMARY KEY,
  component TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  tier TEXT NOT NULL,
  task_type TEXT NOT NULL,
  price_version TEXT NOT NULL,
  tags TEXT NOT NULL,
  policies TEXT NOT NULL,
  UNIQUE (component, model, provider, tier, task_type, price_version, tags, policies)
) STRICT;

-- Sums by facet and time, in widths of a quarter, an hour and a day, cut in UTC.
-- Money in nano-dollars. Added up again from the entries when this schema comes into force.
DROP TABLE rollup;
CREATE TABLE rollup (
  width_ms INTEGER NOT NULL,
  starts_ms INTEGER NOT NULL,
  facet INTEGER NOT NULL REFERENCES facet (id),
  calls INTEGER NOT NULL,
  usd INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  input INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  cache_write INTEGER NOT NULL,
  output INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  overruns INTEGER NOT NULL,
  late INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  PRIMARY KEY (width_ms, starts_ms, facet)
) STRICT, WITHOUT ROWID;

-- The budget that a policy belongs to, or belonged to when it was removed.
CREATE TABLE membership (policy TEXT PRIMARY KEY, budget TEXT NOT NULL) STRICT, WITHOUT ROWID
