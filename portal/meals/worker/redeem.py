"""Worker pages: redeem."""
