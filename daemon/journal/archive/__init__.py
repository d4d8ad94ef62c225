"""Closed months of the journal in files of their own."""
