"""The OpenAPI 3.1 document, derived from the table of operations.

Schemas come from the request and reply classes, words from their docstrings.
"""

from protocols.openapi.document import document
from protocols.openapi.html import html

__all__ = ["document", "html"]
