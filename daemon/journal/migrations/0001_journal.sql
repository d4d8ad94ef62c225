-- What happened: append only. Everything below it is these entries added up.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  component TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;

-- Sums by hour, component, provider, model, task type. Money in nano-dollars.
CREATE TABLE rollup (
  hour_ms INTEGER NOT NULL,
  component TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  task_type TEXT NOT NULL,
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
  PRIMARY KEY (hour_ms, component, provider, model, task_type)
) STRICT, WITHOUT ROWID;

-- What is used in each window of each policy. Half-open, UTC.
CREATE TABLE window (
  id INTEGER PRIMARY KEY,
  policy TEXT NOT NULL,
  counting INTEGER NOT NULL,
  key TEXT NOT NULL,
  starts_ms INTEGER NOT NULL,
  ends_ms INTEGER NOT NULL,
  usd INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  calls INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX window_ends ON window (ends_ms);

-- Reservations and allocations; ids grow with time, so new rows go to the end.
CREATE TABLE hold (
  id TEXT PRIMARY KEY,
  component TEXT NOT NULL,
  status TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  usd INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  spent_usd INTEGER NOT NULL DEFAULT 0,
  spent_tokens INTEGER NOT NULL DEFAULT 0,
  spent_calls INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0,
  opened_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_open ON hold (id) WHERE status = 'held';

-- First answers under an Idempotency-Key; purged by age.
CREATE TABLE idempotency (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  refused INTEGER NOT NULL,
  answer TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_key ON idempotency (key);

CREATE TABLE ledger (number INTEGER PRIMARY KEY, component TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE price (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE budget (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE seed (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE policy (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  revision INTEGER NOT NULL,
  counting INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  set_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
