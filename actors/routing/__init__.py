"""Which models could serve a call, which of them can do it, and in which order to try them."""
