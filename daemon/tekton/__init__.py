"""What Tekton expects of a component: its place at Hermes, its variables, its pages."""
