"""Worker pages: kitchen."""
