"""The journal on SQLite: one file, one writer, a few readers."""
