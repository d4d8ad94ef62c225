"""What may be said: messages, values, errors, and the table of operations.

- policy: set, list and remove policies; what ledgers and policy engine tell each other
- ledger: reserve, settle, release, extend, record, allocate, check, explain
- journal: entries, and what the one writer is told and asked
- prices: price versions, the book, quotes
- usage: what a call used, from any provider's object
- money, period, names, tiers, costing: values and the plain functions on them
- operations: the table, verb → request, actor, route, role
- http, openapi: the doors derived from it
"""
