"""Worker pages: menus."""
