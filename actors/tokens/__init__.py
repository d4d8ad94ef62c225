"""Whose token a request carries, and the registrar who makes and revokes tokens."""
