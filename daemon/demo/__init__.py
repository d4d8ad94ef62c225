"""`budget demo`: a day of an AI house in a few seconds, until a hard limit says no."""
