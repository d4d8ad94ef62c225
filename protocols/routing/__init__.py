"""The language of routing: what a model can do, which models may stand in, and the choice."""
