"""Events and alerts: what entries mean to people, and how they hear of it."""
