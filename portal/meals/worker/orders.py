"""Worker pages: orders."""
