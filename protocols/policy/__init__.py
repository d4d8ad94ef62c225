"""The language of the policy engine: what a policy is, what may be asked and told of it."""
