"""Readers: one file of a price source in, offers in our words and units out."""
