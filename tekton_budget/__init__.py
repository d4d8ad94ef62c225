"""For callers. Other programs meet the daemon over HTTP; their client will live here."""
