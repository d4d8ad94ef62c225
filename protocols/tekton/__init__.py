"""What Tekton's tools and pages ask of every component, beside the table of operations."""
