"""Worker pages: imports."""
