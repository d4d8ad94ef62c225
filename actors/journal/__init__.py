"""The journal's side of the actors: chain, projection, the one writer."""
