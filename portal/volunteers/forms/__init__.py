"""Shape and syntax of what is typed about volunteers."""
