"""The forms of deliberation: shape and syntax of what is sent."""
