"""How it runs: configuration, command line, the journal on SQLite, prices, wiring."""
