"""Worker pages: rules."""
