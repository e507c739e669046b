"""Worker pages: people."""
