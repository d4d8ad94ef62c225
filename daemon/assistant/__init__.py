"""The assistant's way to the world: a language model at one address, and our own operations."""
