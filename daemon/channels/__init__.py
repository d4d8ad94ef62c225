"""The ways out: log, webhook, and whatever apprise reaches."""
