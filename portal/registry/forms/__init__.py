"""The forms of registry: shape and syntax of input, one module a task."""
