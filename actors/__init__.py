"""Who hears it.

    door ──▶ ledger:<component> ──▶ policy ──▶ ledger:<component> ──▶ journal ──▶ the caller
    door ──▶ policy ──▶ journal ──▶ the caller         policies and budgets
    door ──▶ journal ──▶ the caller                    lists, from connections that only read
    door ──▶ prices ──▶ the caller                     quotes

Actors tell each other, by name, with the unanswered call riding along; nobody inside asks and
waits, so there is no cycle to be stuck in.
"""
