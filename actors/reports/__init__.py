"""Reports as pure functions: which span, which groups, which sums. The store brings the rows."""
