"""Usage that another program has kept: brought in once, undoable."""
