"""One ledger for each component: holds, allocations, idempotency keys."""
