"""Registry (一库): the persons and households of the communities, and which account belongs to which person."""
