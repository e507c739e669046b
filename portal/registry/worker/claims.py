"""Worker pages: claims."""
