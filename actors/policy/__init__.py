"""The policy engine: rules, counters, decisions."""
