"""The forms of meals: shape and syntax of input, one module a task."""
